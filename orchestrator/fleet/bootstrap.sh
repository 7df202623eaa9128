#!/bin/sh
# The part of "luytre inventory bootstrap" that works on the host, as root. POSIX sh, because there
# may be no Python yet; systemd, because a way back that needs our session is none.
#
#   begin USER PYTHON KEY WORK WINDOW   arm, do the work, tell how it went (in the session)
#   work                                what begin starts, in a unit of its own
#   stage NAME                          one step of it; what it changes is kept first
#   confirm                             over the new login: it stays
#   expire                              timer, boot: not confirmed, so all of it goes back
#
# shellcheck disable=SC2086 # lists of packages are split on purpose
#
# What it tells, a line each: held | failed STAGE CODE DETAIL | made WHAT | undone | broken WHAT |
# ready | late | confirmed | end.
set -u
umask 022  # packages are unpacked with it; what is ours lies in directories of 0700
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

STATE=/var/lib/luytre-bootstrap
TALK=/run/luytre-bootstrap
SCRIPT=$STATE/script
WORK_UNIT=luytre-bootstrap.service
UNDO_UNIT=luytre-bootstrap-undo
UNITS=/etc/systemd/system
ACCOUNTS='passwd group shadow gshadow subuid subgid'

say() { printf '%s\n' "$*" >>"$TALK/report"; }

# The reason of a stage: a code that the controller has words for, and a detail.
die() { printf '%s\n' "$*" >"$STATE/reason"; exit 1; }

setting() { cat "$STATE/setting.$1"; }

# --- what was there before, file by file ---------------------------------------------------------

flat() { printf '%s' "$1" | tr / %; }

keep() {
    [ -e "$STATE/kept/$(flat "$1")" ] && return 0
    [ ! -e "$1" ] || cp -a -- "$1" "$STATE/before/$(flat "$1")"
    sync
    : >"$STATE/kept/$(flat "$1")"
}

after() { cp -a -- "$1" "$STATE/after/$(flat "$1")"; }

# ours PATH: it is as we left it, or already as it was before
ours() {
    [ -e "$STATE/after/$(flat "$1")" ] || return 0
    cmp -s -- "$1" "$STATE/after/$(flat "$1")" && return 0
    if [ -e "$1" ]; then cmp -s -- "$1" "$STATE/before/$(flat "$1")"
    else [ ! -e "$STATE/before/$(flat "$1")" ]; fi
}

restore() {
    [ -e "$STATE/kept/$(flat "$1")" ] || return 0
    if [ -e "$STATE/before/$(flat "$1")" ]; then
        cp -a -- "$STATE/before/$(flat "$1")" "$1.luytre" && mv -fT -- "$1.luytre" "$1"
    else
        rm -f -- "$1"
    fi
}

# --- the way back, armed before the first change -------------------------------------------------

arm() {
    cat >"$UNITS/$UNDO_UNIT.service" <<END
[Unit]
Description=Take back the unconfirmed luytre inventory bootstrap
ConditionPathExists=$SCRIPT

[Service]
Type=oneshot
ExecStart=/bin/sh $SCRIPT expire
END
    chmod 0644 "$UNITS/$UNDO_UNIT.service"
    [ -d "$UNITS/multi-user.target.wants" ] || : >"$STATE/wants.made"
    mkdir -p -m 0755 "$UNITS/multi-user.target.wants"
    ln -s "$UNITS/$UNDO_UNIT.service" "$UNITS/multi-user.target.wants/"
    systemctl daemon-reload
    sync
    rearm 1 "$1"
}

# rearm NUMBER SECONDS: the former timer goes only when this one stands
rearm() {
    systemd-run --quiet --collect --unit="$UNDO_UNIT-$1" --on-active="${2}s" \
        --timer-property=AccuracySec=100ms --property=Restart=on-failure --property=RestartSec=10s \
        /bin/sh "$SCRIPT" expire || return 1
    [ "$1" = 1 ] || systemctl stop "$UNDO_UNIT-$(($1 - 1)).timer"
}

disarm() {
    systemctl stop "$UNDO_UNIT-1.timer" "$UNDO_UNIT-2.timer" 2>/dev/null
    rm -f "$UNITS/multi-user.target.wants/$UNDO_UNIT.service" "$UNITS/$UNDO_UNIT.service"
    [ ! -e "$STATE/wants.made" ] || rmdir "$UNITS/multi-user.target.wants" 2>/dev/null
    systemctl daemon-reload
}

armed() {
    systemctl is-active --quiet "$WORK_UNIT" "$UNDO_UNIT-1.timer" "$UNDO_UNIT-2.timer"
}

# decide confirmed|undone: who comes first has decided, for good
decide() {
    printf '%s' "$1" >"$STATE/word.$1"
    ln "$STATE/word.$1" "$STATE/decision" 2>/dev/null
    [ "$(cat "$STATE/decision")" = "$1" ]
}

forget() {
    disarm
    rm -rf "$STATE"
    sync
}

# --- the work, stage by stage --------------------------------------------------------------------

apt() {
    lists=
    [ ! -e "$STATE/own-lists" ] || lists="-o Dir::State::Lists=$STATE/lists/"
    apt-get -q -y --no-install-recommends -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=120 \
        -o Dir::Cache::archives="$STATE/debs/" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold $lists "$@"
}

runs() { "$(setting python)" -I -S -c '' 2>/dev/null; }

missing_packages() {
    runs || printf 'python3 python3-apt '
    [ "$(setting user)" = root ] || command -v visudo >/dev/null || printf 'sudo '
}

known_packages() { dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' | sort; }

# Everything is fetched, into our own place, before anything is changed; the host's lists stay.
fetch_packages() {
    mkdir -p "$STATE/debs/partial" "$STATE/lists/partial"
    apt install --download-only $1 && return 0
    : >"$STATE/own-lists"
    apt update && apt install --download-only $1
}

stage_packages() {
    wanted=$(missing_packages)
    [ -n "$wanted" ] || return 0
    command -v apt-get >/dev/null || die no-apt "$wanted"
    runs || [ "$(setting python)" = /usr/bin/python3 ] || die python "$(setting python)"
    [ -z "$(dpkg --audit)" ] || die dpkg
    fetch_packages "$wanted" || die no-package "$wanted"
    others=$(apt -s install $wanted | sed -n 's/^Remv \([^ ]*\).*/\1/p; s/^Inst \([^ ]*\) \[.*/\1/p')
    [ -z "$others" ] || die replaces $others
    known_packages >"$STATE/packages.before"
    keep /var/lib/apt/extended_states
    : >"$STATE/packages.begun"
    sync
    apt install --no-download $wanted
    [ ! -e /var/lib/apt/extended_states ] || after /var/lib/apt/extended_states
    runs || die python "$(setting python)"
    for name in $wanted; do say made package "$name"; done
}

undo_packages() {
    [ -e "$STATE/packages.begun" ] || return 0
    dpkg --configure -a
    tries=0
    until purge_new; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || return 1
        sleep 2
    done
    ours /var/lib/apt/extended_states || return 0
    restore /var/lib/apt/extended_states
}

# Packages that were removed before, and left their configuration, are removed; new ones purged.
purge_new() {
    known_packages >"$STATE/packages.now"
    changed=$(comm -13 "$STATE/packages.before" "$STATE/packages.now" | cut -d ' ' -f 1)
    [ -n "$changed" ] || return 0
    cut -d ' ' -f 1 "$STATE/packages.before" >"$STATE/names.before"
    new=$(printf '%s\n' $changed | comm -13 "$STATE/names.before" -)
    dpkg --remove --force-remove-reinstreq $changed && { [ -z "$new" ] || dpkg --purge $new; }
}

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

# --- begin, work, confirm, expire ----------------------------------------------------------------

undo() {
    broken=
    for part in sudo key user packages; do
        "undo_$part" >&2 || broken="$broken $part"
    done
    if [ -n "$broken" ]; then
        say "broken$broken"
        return 1
    fi
    forget
    say undone
}

# answer WORDS...: the work does not even begin
answer() { printf '%s\nundone\nend\n' "$*"; exit; }

begin() {
    here=$1
    shift
    trap 'rm -rf "$here"' EXIT
    [ -d /run/systemd/system ] && [ -d "$UNITS" ] || answer failed begin systemd
    if [ -d "$STATE" ]; then
        ! armed || answer held
        sh "$SCRIPT" expire >/dev/null
    fi
    mkdir -m 0700 "$STATE" 2>/dev/null || answer held
    rm -rf "$TALK"
    mkdir -m 0700 "$TALK" "$STATE/before" "$STATE/after" "$STATE/kept"
    : >"$TALK/report"
    mv "$here/script" "$SCRIPT"
    printf '%s' "$1" >"$STATE/setting.user"
    printf '%s' "$2" >"$STATE/setting.python"
    printf '%s\n' "$3" >"$STATE/setting.key"
    printf '%s' "$5" >"$STATE/setting.window"
    arm "$4" && systemd-run --quiet --collect --unit="$WORK_UNIT" /bin/sh "$SCRIPT" work ||
        { say failed begin systemd; undo; say end; }
    follow
}

# Tell what the work says, when it has ended: by itself, or because somebody killed it.
follow() {
    until grep -q '^end' "$TALK/report"; do
        if ! systemctl is-active --quiet "$WORK_UNIT" && ! grep -q '^end' "$TALK/report"; then
            printf 'end killed\n'
            return
        fi
        sleep 0.1
    done
    told=$(cat "$TALK/report")
    rm -rf "$TALK"
    printf '%s\n' "$told"
}

work() {
    for stage in packages user key sudo; do
        rm -f "$STATE/reason"
        if ! sh -e "$SCRIPT" stage "$stage" >>"$TALK/log" 2>&1; then
            [ -e "$STATE/reason" ] || printf 'log %s\n' "$(tail -n 1 "$TALK/log")" >"$STATE/reason"
            cat "$TALK/log"
            say "failed $stage $(cat "$STATE/reason")"
            ! decide undone || undo
            say end
            exit
        fi
    done
    : >"$STATE/ready"
    rearm 2 "$(setting window)"
    say ready
    say end
}

confirm() {
    if [ -e "$STATE/ready" ] && decide confirmed; then
        forget
        echo confirmed
    else
        echo late
    fi
}

expire() {
    [ -d "$STATE" ] || exit 0
    if ! decide undone; then
        forget
        exit
    fi
    systemctl stop "$WORK_UNIT" 2>/dev/null
    mkdir -p -m 0700 "$TALK"
    undo
    status=$?
    cat "$TALK/report"
    grep -q '^end' "$TALK/report" || rm -rf "$TALK"
    exit "$status"
}

main() {
    case $1 in
        begin) shift; begin "$@" ;;
        stage) "stage_$2" ;;
        *) "$1" ;;
    esac
}

main "$@"
