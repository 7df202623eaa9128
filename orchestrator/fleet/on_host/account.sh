# The operator's account, public key and sudo rule.

exists() { id -u "$1" >/dev/null 2>&1; }

stage_user() {
    user=$(setting user)
    ! exists "$user" || return 0
    base=$(useradd -D | sed -n 's/^HOME=//p')
    [ ! -e "$base/$user" ] || die home-taken "$base/$user"
    for file in $ACCOUNTS; do keep "/etc/$file"; keep "/etc/$file-"; done
    keep /etc/.pwd.lock
    group=--user-group
    ! getent group "$user" >/dev/null || group="--gid=$user"
    printf '%s' "$base/$user" >"$STATE/home.made"
    sync
    useradd --create-home "$group" --shell /bin/bash "$user"
    # No password at all; "!", which useradd writes, would lock the account for keys too.
    usermod --password '*' "$user"
    for file in $ACCOUNTS; do [ ! -e "/etc/$file" ] || after "/etc/$file"; done
    say made user
}

undo_user() {
    [ -e "$STATE/home.made" ] || return 0
    user=$(setting user)
    loginctl terminate-user "$user" 2>/dev/null
    pkill -KILL -u "$user" 2>/dev/null
    untouched=yes
    for file in $ACCOUNTS; do ours "/etc/$file" || untouched=no; done
    if [ "$untouched" = yes ]; then
        for file in $ACCOUNTS; do
            restore "/etc/$file" && restore "/etc/$file-" || return 1
        done
        restore /etc/.pwd.lock || return 1
    elif exists "$user"; then
        userdel --force "$user"
    fi
    rm -rf -- "$(cat "$STATE/home.made")"
    ! exists "$user"
}

as_user() { runuser -u "$(setting user)" -- "$@"; }

home_of() { getent passwd "$1" | cut -d: -f6; }

stage_key() {
    home=$(home_of "$(setting user)")
    [ -d "$home" ] || die no-home "$home"
    ssh=$home/.ssh file=$home/.ssh/authorized_keys
    if [ -L "$ssh" ] || [ -L "$file" ]; then die key-link "$file"; fi
    ! grep -qxFf "$STATE/setting.key" "$file" 2>/dev/null || return 0
    mode=600
    : >"$STATE/keys"
    if [ -e "$file" ]; then
        mode=$(stat -c %a "$file")
        sed -e '$a\' "$file" >"$STATE/keys"
    fi
    cat "$STATE/setting.key" >>"$STATE/keys"
    keep "$file"
    printf '%s' "$file" >"$STATE/key.made"
    [ -d "$ssh" ] || : >"$STATE/ssh.made"
    sync
    # As the user: what lies in a home is not to be trusted by root.
    [ -d "$ssh" ] || as_user mkdir -m 0700 "$ssh"
    as_user sh -c 'cat >"$1.luytre" && chmod "$2" "$1.luytre" && mv -f "$1.luytre" "$1"' \
        sh "$file" "$mode" <"$STATE/keys"
    after "$file"
    say made key
}

undo_key() {
    [ -e "$STATE/key.made" ] || return 0
    file=$(cat "$STATE/key.made")
    rm -f -- "$file.luytre"
    if ours "$file"; then
        restore "$file" || return 1
    elif [ -f "$file" ]; then
        grep -vxFf "$STATE/setting.key" "$file" >"$STATE/keys"
        as_user sh -c 'cat >"$1"' sh "$file" <"$STATE/keys" || return 1
    fi
    [ ! -e "$STATE/ssh.made" ] || rmdir "${file%/*}" 2>/dev/null
    return 0
}

stage_sudo() {
    user=$(setting user)
    [ "$user" != root ] || return 0
    # Not asked of an account that cannot: sudo may send root a letter.
    if [ ! -e "$STATE/home.made" ] && as_user sudo -n true 2>/dev/null; then return 0; fi
    # The last rule that matches counts, so this file comes late.
    file=/etc/sudoers.d/zz-luytre-$user
    printf '# luytre inventory bootstrap\n%s ALL=(ALL:ALL) NOPASSWD: ALL\n' "$user" >"$STATE/sudoers"
    sound -f "$STATE/sudoers"
    keep "$file"
    printf '%s' "$file" >"$STATE/sudo.made"
    sync
    install -o root -g root -m 0440 "$STATE/sudoers" "$file.luytre"
    mv -fT "$file.luytre" "$file"
    sound
    say made sudo
}

# sound [-f FILE]: what sudo would read, all of it or one file
sound() {
    visudo -c "$@" >"$STATE/said" 2>&1 || die sudoers "$(grep -v 'parsed OK' "$STATE/said" | head -n 1)"
}

undo_sudo() {
    [ -e "$STATE/sudo.made" ] || return 0
    rm -f "$(cat "$STATE/sudo.made").luytre"
    restore "$(cat "$STATE/sudo.made")"
}
