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
