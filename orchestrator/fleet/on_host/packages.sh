# Python and sudo, by the host's own package manager.

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

# known_packages FILE: name and state of each, sorted
known_packages() {
    dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' >"$1" && sort -o "$1" "$1"
}

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
    known_packages "$STATE/packages.before"
    apt -s install $wanted >"$STATE/packages.plan"
    others=$(sed -n 's/^Remv \([^ ]*\).*/\1/p; s/^Inst \([^ ]*\) \[.*/\1/p' "$STATE/packages.plan")
    [ -z "$others" ] || die replaces $others
    sed -n 's/^Inst \([^ ]*\) .*/\1/p' "$STATE/packages.plan" >"$STATE/packages.ours"
    keep /var/lib/apt/extended_states
    : >"$STATE/made.packages"
    sync
    apt install --no-download $wanted
    [ ! -e /var/lib/apt/extended_states ] || after /var/lib/apt/extended_states
    runs || die python "$(setting python)"
    for name in $wanted; do say made package "$name"; done
}

undo_packages() {
    dpkg --configure -a
    tries=0
    until purge_new; do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || return 1
        sleep 2
    done
    [ -z "$left" ] && ours /var/lib/apt/extended_states || return 0
    restore /var/lib/apt/extended_states
}

# Packages that were removed before, and left their configuration, are removed; new ones purged.
purge_new() {
    mkdir -p -m 0700 "$TALK"
    known_packages "$TALK/packages.now" || return 1
    changed='' new='' left=''
    for name in $(comm -13 "$STATE/packages.before" "$TALK/packages.now" | cut -d ' ' -f 1); do
        ! is_ours "$name" || changed="$changed $name"
    done
    spare_needed
    for name in $changed; do
        grep -q "^$name " "$STATE/packages.before" || new="$new $name"
    done
    [ -z "$changed" ] || dpkg --remove --force-remove-reinstreq $changed || return 1
    [ -z "$new" ] || dpkg --purge $new
}

# What came meanwhile with what we did not ask for is somebody else's.
is_ours() { grep -qxF -e "$1" -e "${1%:"$(dpkg --print-architecture)"}" "$STATE/packages.ours"; }

# Ours that packages of others need by now stay, and are told.
spare_needed() {
    while [ -n "$changed" ]; do
        needed=$(dpkg --no-act --remove --force-remove-reinstreq $changed 2>&1 |
            sed -n 's/^dpkg: dependency problems prevent removal of \(.*\):$/\1/p')
        [ -n "$needed" ] || return 0
        left="$left $needed" rest=
        for name in $changed; do
            printf '%s\n' $needed | grep -qxF "$name" || rest="$rest $name"
        done
        [ "$rest" != "$changed" ] || return 0
        changed=$rest
    done
}
