# What the controller, the timer and the boot call.

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
