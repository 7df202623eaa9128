# What the controller, the timer and the boot call.

# undo: for whoever holds the lock; $outcome tells what came of it. What is back is not undone again.
undo() {
    rm -rf "$STATE/ready" "$STATE/debs" "$STATE/lists"
    broken='' left=''
    for part in sudo key user packages; do
        [ -e "$STATE/made.$part" ] || continue
        "undo_$part" >&2 && rm -f "$STATE/made.$part" || broken="$broken $part"
    done
    outcome="broken$broken"
    [ -z "$broken" ] || return 1
    forget
    outcome=$(for name in $left; do echo "left $name"; done; echo undone)
}

# answer WORDS...: the work does not even begin
answer() { printf '%s\nundone\nend\n' "$*"; exit; }

begin() {
    here=$1
    shift
    trap 'rm -rf "$here"' EXIT
    trap 'exit 1' HUP INT TERM
    [ -d /run/systemd/system ] && [ -d "$UNITS" ] || answer failed begin systemd
    make_room
    prepare "$@" || { rm -rf "$STATE" "$TALK"; answer failed begin no-state "$STATE"; }
    rm -rf "$here"
    if ! { arm "$4" && systemd-run --quiet --collect --unit="$WORK_UNIT" /bin/sh "$SCRIPT" work; }; then
        systemctl stop "$WORK_UNIT" 2>/dev/null
        undo
        rm -rf "$TALK"
        printf 'failed begin systemd\n%s\nend\n' "$outcome"
        exit
    fi
    unlock
    follow
}

# What a former one left is taken back first; where somebody is at it, there is nothing to begin.
make_room() {
    ! armed || answer held
    if [ -d "$STATE" ]; then
        lock -n || answer held
        unlock
        if [ -e "$SCRIPT" ]; then sh "$SCRIPT" expire "$(setting run)" >/dev/null
        else rm -rf "$STATE"; fi
    fi
    mkdir -m 0700 "$STATE" 2>/dev/null || [ -d "$STATE" ] || answer failed begin no-state "$STATE"
    lock -n && [ -z "$(ls "$STATE")" ] || answer held
}

prepare() {
    rm -rf "$TALK"
    mkdir -m 0700 "$TALK" "$STATE/before" "$STATE/after" "$STATE/absent" "$STATE/kept" &&
        : >"$TALK/report" &&
        printf confirmed >"$STATE/word.confirmed" && printf undone >"$STATE/word.undone" &&
        printf '%s' "$1" >"$STATE/setting.user" &&
        printf '%s' "$2" >"$STATE/setting.python" &&
        printf '%s\n' "$3" >"$STATE/setting.key" &&
        printf '%s' "$5" >"$STATE/setting.window" &&
        printf '%s' "$6" >"$STATE/setting.run" &&
        printf '%s' "$7" >"$STATE/setting.sudo" &&
        cp "$here/script" "$STATE/arrived" && sync && mv -T "$STATE/arrived" "$SCRIPT"
}

# Tell what the work says, when it has ended: by itself, or because somebody killed it.
follow() {
    until grep -q '^end' "$TALK/report" 2>/dev/null; do
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
    for stage in packages user key sudo ready; do
        rm -f "$TALK/reason"
        if ! sh -e "$SCRIPT" stage "$stage" >>"$TALK/log" 2>&1; then
            [ -e "$TALK/reason" ] || printf 'log %s\n' "$(tail -n 1 "$TALK/log")" >"$TALK/reason"
            cat "$TALK/log"
            say "failed $stage $(cat "$TALK/reason")"
            if lock; then
                decide undone
                undo
                say "$outcome"
            fi
            break
        fi
    done
    say end
    # Whoever follows takes the report away; perhaps nobody does.
    for _try in 1 2 3 4 5 6 7 8 9 10; do
        [ -d "$TALK" ] || return 0
        sleep 0.2
    done
    rm -rf "$TALK"
}

stage_ready() {
    : >"$STATE/ready"
    rearm 2 "$(setting window)" || die systemd
    say ready
}

# held RUN: this run is still to be decided, and nobody but us does it
held() { lock && [ -e "$SCRIPT" ] && [ "$(setting run)" = "$1" ]; }

confirm() {
    held "$1" || exit "$RUN_IS_OVER"
    if [ -e "$STATE/ready" ] && decide confirmed; then
        forget
        echo confirmed
    else
        echo late
    fi
}

expire() {
    held "$1" || exit "${2-$RUN_IS_OVER}"
    decide undone
    if [ "$(cat "$STATE/decision")" = confirmed ]; then
        forget
        echo confirmed
        exit
    fi
    systemctl stop "$WORK_UNIT" 2>/dev/null
    undo
    status=$?
    rm -rf "$TALK"
    echo "$outcome"
    exit "$status"
}

main() {
    case $1 in
        begin | confirm | expire) "$@" ;;
        stage) "stage_$2" ;;
        *) "$1" ;;
    esac
}

main "$@"
