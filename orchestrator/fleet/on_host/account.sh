# The operator's account and sudo rule.

exists() { id -u "$1" >/dev/null 2>&1; }

stage_user() {
    user=$(setting user)
    ! exists "$user" || return 0
    base=$(useradd -D | sed -n 's/^HOME=//p')
    [ ! -e "$base/$user" ] || die home-taken "$base/$user"
    for file in $ACCOUNTS; do keep "/etc/$file"; keep "/etc/$file-"; done
    group=--user-group
    if getent group "$user" >/dev/null; then
        group="--gid=$user"
        : >"$STATE/group.kept"
    fi
    printf '%s' "$base/$user" >"$STATE/made.user"
    sync
    useradd --create-home "$group" --shell /bin/bash "$user"
    # No password at all; "!", which useradd writes, would lock the account for keys too. Neither
    # does it run out one day: nobody could log in by key then, and there is none to be renewed.
    usermod --password '*' "$user"
    chage -M -1 -I -1 -E -1 "$user"
    say made user
}

undo_user() {
    user=$(setting user)
    loginctl terminate-user "$user" 2>/dev/null
    pkill -KILL -u "$user" 2>/dev/null
    # vipw holds the lock of all account files while its editor runs.
    VISUAL="/bin/sh $SCRIPT restore_accounts" vipw || return 1
    ! exists "$user" || remove_user || return 1
    rm -rf -- "$(cat "$STATE/made.user")"
}

# Byte by byte, unless somebody else changed them since.
restore_accounts() {
    user=$(setting user)
    for file in $ACCOUNTS; do
        [ "$(beside "/etc/$file")" = "$(beside "$STATE/before/%etc%$file")" ] || return 0
    done
    for file in $ACCOUNTS; do
        restore "/etc/$file" && restore "/etc/$file-" || return 1
    done
}

# beside FILE: what it has beside the lines that useradd writes
beside() {
    case $1 in
        *group | *gshadow) [ ! -e "$STATE/group.kept" ] || { cat "$1" 2>/dev/null; return; } ;;
    esac
    grep -v "^$user:" "$1" 2>/dev/null
}

remove_user() {
    # userdel takes the group of the same name along, though it was there before.
    [ ! -e "$STATE/group.kept" ] || usermod --gid nogroup "$user" || return 1
    tries=0
    until userdel "$user"; do
        tries=$((tries + 1))
        [ "$tries" -lt 20 ] || return 1
        pkill -KILL -u "$user" 2>/dev/null
        sleep 0.2
    done
}

stage_sudo() {
    user=$(setting user)
    [ "$user" != root ] || return 0
    tag='NOPASSWD: '
    # An account that was there keeps what it has: not asked where it cannot, sudo may send root a
    # letter. Where the inventory has its password, a rule without one would be weaker.
    if [ ! -e "$STATE/made.user" ]; then
        ! as_user sudo -n true 2>/dev/null || return 0
        if [ "$(setting sudo)" = password ]; then
            sudo -l -U "$user" | grep -q 'is not allowed to run sudo' || return 0
            tag=
        fi
    fi
    # The last rule that matches counts, so this file comes late.
    file=/etc/sudoers.d/zz-luytre-$user
    printf '# luytre inventory bootstrap\n%s ALL=(ALL:ALL) %sALL\n' "$user" "$tag" >"$STATE/sudoers"
    sound -f "$STATE/sudoers"
    keep "$file"
    printf '%s' "$file" >"$STATE/made.sudo"
    sync
    install -o root -g root -m 0440 "$STATE/sudoers" "$file.luytre"
    mv -fT "$file.luytre" "$file"
    sound
    say made sudo
}

# sound [-f FILE]: what sudo would read, all of it or one file
sound() {
    said=$(visudo -c "$@" 2>&1) || die sudoers "$(printf '%s\n' "$said" | grep -v 'parsed OK' | head -n 1)"
}

undo_sudo() {
    rm -f "$(cat "$STATE/made.sudo").luytre"
    restore "$(cat "$STATE/made.sudo")"
}
