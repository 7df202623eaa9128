# What the scripts of mutations/*.yml may call. Runs in dash, as the host's root, under `set -e`.

shelf=/srv/shelf

# fake_package NAME [UNIT...]: install a package that stands for the real one, with units that start
# at boot, and run when all scripts have come to their end. It is written into dpkg's database at
# once, and kept on a shelf, so that no mirror is asked for it.
fake_package() {
    name=$1
    shift
    [ -e "$shelf/$name.deb" ] || build_fake "$name" "$@"
    if ! dpkg -s "$name" > /dev/null 2>&1; then
        dpkg-deb --extract "$shelf/$name.deb" /
        info=/var/lib/dpkg/info/$name
        dpkg-deb --fsys-tarfile "$shelf/$name.deb" | tar -t | sed 's|^\.||; s|/$||; s|^$|/.|' \
            > "$info.list"
        # dpkg makes these sums itself where a package brings none.
        while read -r path; do
            [ ! -f "$path" ] || md5sum "$path" | sed 's|  /|  |'
        done < "$info.list" > "$info.md5sums"
        {
            dpkg-deb --field "$shelf/$name.deb"
            printf 'Status: install ok installed\n\n'
        } >> /var/lib/dpkg/status
    fi
    if [ $# -gt 0 ]; then
        systemctl --no-reload --quiet enable "$@"
        echo "$@" >> /run/fake-units
    fi
}

build_fake() {
    tree=$(mktemp -d)
    mkdir -p "$tree/DEBIAN" "$shelf"
    chmod 0755 "$tree"
    printf 'Package: %s\nVersion: 99:1.0\nArchitecture: all\n' "$1" > "$tree/DEBIAN/control"
    printf 'Maintainer: Test <test@example.org>\nDescription: stands for the real one\n' \
        >> "$tree/DEBIAN/control"
    fake=$1
    shift
    for unit in "$@"; do
        fake_unit "$unit" "$tree/usr/lib/systemd/system"
    done
    dpkg-deb --root-owner-group -Znone --build "$tree" "$shelf/$fake.deb" > /dev/null
    {
        cat "$tree/DEBIAN/control"
        printf 'Filename: ./%s.deb\nSize: %s\n' "$fake" "$(stat -c %s "$shelf/$fake.deb")"
        printf 'SHA256: %s\n\n' "$(sha256sum < "$shelf/$fake.deb" | cut -d ' ' -f 1)"
    } >> "$shelf/Packages"
    rm -r "$tree"
}

# fake_module NAME...: a file of a kernel module that this kernel was built without.
fake_module() {
    directory=/lib/modules/$(uname -r)/kernel
    for name in "$@"; do
        cp "$directory/drivers/net/dummy.ko" "$directory/$name.ko"
    done
    touch /run/fake-modules
}

# boot_with [PARAMETER...]: let GRUB start the kernel with them; its menu is made anew.
boot_with() {
    sed -i "s/^GRUB_CMDLINE_LINUX=\"/&$* /" /etc/default/grub
    touch /run/new-menu
}

# accounts_keep, accounts_back: what useradd and its like change; people would take it back by hand.
accounts_keep() {
    [ -e /run/kept-accounts ] || install -d -m 0700 /run/kept-accounts
    for file in passwd shadow group gshadow; do
        cp -p "/etc/$file" /run/kept-accounts
    done
}

accounts_back() {
    for file in passwd shadow group gshadow; do
        cp -p "/run/kept-accounts/$file" /etc
    done
    find /home /var/mail -mindepth 1 -maxdepth 1 -nouser -exec rm -r {} +
}

# scripts_end: let systemd and apt know of what the scripts have made.
scripts_end() {
    # dpkg writes its database anew, in its own order.
    dpkg --get-selections | dpkg --set-selections
    systemctl daemon-reload
    if [ -e /run/fake-units ]; then
        for unit in $(cat /run/fake-units); do
            if [ "$(systemctl is-enabled "$unit")" = enabled ]; then
                systemctl start --no-block "$unit"
            fi
        done
        rm /run/fake-units
    fi
    [ ! -e "$shelf/Packages" ] || list_shelf
    if [ -e /run/fake-modules ]; then
        depmod
        rm /run/fake-modules
    fi
    if [ -e /run/new-menu ]; then
        update-grub 2> /dev/null
        rm /run/new-menu
    fi
}

# list_shelf: write apt's lists of the shelf. apt checks signatures when it fetches lists; these look
# fetched, so that the shelf is a source like any other.
list_shelf() {
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$keys] file:$shelf ./" > /etc/apt/sources.list.d/shelf.list
    lists=/var/lib/apt/lists/_srv_shelf_._
    cp "$shelf/Packages" "${lists}Packages"
    {
        printf 'Suite: shelf\nDate: Mon, 23 Nov 2026 00:00:00 UTC\nSHA256:\n'
        sha256sum < "$shelf/Packages" | cut -d ' ' -f 1 | sed 's/^/ /' | tr -d '\n'
        printf ' %s Packages\n' "$(stat -c %s "$shelf/Packages")"
    } > "${lists}InRelease"
    apt-cache gencaches
}

# fake_unit UNIT [DIRECTORY]: write a unit that runs until it is stopped.
fake_unit() {
    place=${2:-/etc/systemd/system}/$1
    mkdir -p "${place%/*}"
    printf '[Unit]\nDescription=%s\n' "$1" > "$place"
    case $1 in
        *.socket) printf '[Socket]\nListenStream=/run/fake-%s\nAccept=yes\n' "$1" ;;
        *.path) printf '[Path]\nPathExists=/run/fake-%s\n' "$1" ;;
        *.timer) printf '[Timer]\nOnCalendar=2099-01-01\n' ;;
        *) printf '[Service]\nExecStart=/bin/sleep infinity\n' ;;
    esac >> "$place"
    printf '[Install]\nWantedBy=multi-user.target\n' >> "$place"
    case $1 in
        *.socket) fake_unit "${1%.socket}@.service" "${place%/*}" ;;
        *.path) fake_unit "${1%.path}.service" "${place%/*}" ;;
    esac
}

# sshd_ours_gone OPTION: take our own drop-ins for an option away.
sshd_ours_gone() {
    grep -lis "^$1 " /etc/ssh/sshd_config.d/00-luytre-*.conf | xargs -r rm -f
}

# sshd_late OPTION VALUE: somebody's own drop-in, where ours is gone.
sshd_late() {
    sshd_ours_gone "$1"
    printf '%s\n' "$*" >> /etc/ssh/sshd_config.d/60-mutant.conf
}

# sshd_early OPTION VALUE: a drop-in that is read before ours.
sshd_early() {
    printf '%s\n' "$*" >> /etc/ssh/sshd_config.d/00-a-mutant.conf
}

# sshd_main OPTION VALUE: a line at the top of the configuration itself, before any include.
sshd_main() {
    sed -i "1i $*" /etc/ssh/sshd_config
}

# sshd_match OPTION VALUE: an exception for one network.
sshd_match() {
    printf 'Match Address 203.0.113.0/24\n    %s\n' "$*" >> /etc/ssh/sshd_config.d/70-mutant.conf
}

# sysctl_running NAME VALUE...: set parameters of the running kernel only.
sysctl_running() {
    while [ $# -gt 0 ]; do
        printf '%s' "$2" > "/proc/sys/$(printf '%s' "$1" | tr . /)"
        shift 2
    done
}

# sysctl_at_boot NAME VALUE...: set parameters for the next boot only, where ours are gone.
sysctl_at_boot() {
    while [ $# -gt 0 ]; do
        grep -ls "^$1 " /etc/sysctl.d/zz-luytre-*.conf | xargs -r rm -f
        printf '%s = %s\n' "$1" "$2" >> /etc/sysctl.d/99-zz-mutant.conf
        shift 2
    done
}

# access_list PATH: let another user read and write past the permission bits (uid 1000: rw-).
access_list() {
    python3 - "$1" << 'END'
import os, struct, sys
entries = [(1, 6, -1), (2, 6, 1000), (4, 4, -1), (16, 6, -1), (32, 0, -1)]
packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
os.setxattr(sys.argv[1], "system.posix_acl_access", struct.pack("<I", 2) + packed)
END
}

# listen PORT ADDRESS: let a program wait for TCP connections; systemctl stop mutant-PORT ends it.
listen() {
    systemd-run --quiet --unit "mutant-$1" python3 -c "
import socket, time
family = socket.AF_INET6 if ':' in '$2' else socket.AF_INET
server = socket.create_server(('$2', $1), family=family)
time.sleep(1e6)"
    for _try in $(seq 100); do
        if ss -Hltn "sport = :$1" | grep -q .; then
            return 0
        fi
        sleep 0.1
    done
    return 1
}
