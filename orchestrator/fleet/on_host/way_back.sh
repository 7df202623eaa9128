# The way back is armed before the first change.

arm() {
    [ -d "$UNITS/multi-user.target.wants" ] || : >"$STATE/wants.made"
    # Not oneshot: a systemd before 244 does not try such a one again.
    cat >"$UNITS/$UNDO_UNIT.service" <<END && chmod 0644 "$UNITS/$UNDO_UNIT.service" || return 1
[Unit]
Description=Take back the unconfirmed luytre inventory bootstrap
ConditionPathExists=$SCRIPT

[Service]
ExecStart=/bin/sh -c '$(going_back)'
Restart=on-failure
RestartSec=10s
END
    mkdir -p -m 0755 "$UNITS/multi-user.target.wants" &&
        ln -sf "$UNITS/$UNDO_UNIT.service" "$UNITS/multi-user.target.wants/" &&
        systemctl daemon-reload && sync && rearm 1 "$1"
}

# That somebody else was first is no failure.
going_back() { printf '[ ! -e %s ] || exec sh %s expire %s 0' "$SCRIPT" "$SCRIPT" "$(setting run)"; }

# rearm NUMBER SECONDS: the former timer goes only when this one stands
rearm() {
    systemd-run --quiet --collect --unit="$UNDO_UNIT-$1" --on-active="${2}s" \
        --timer-property=AccuracySec=100ms --property=Restart=on-failure --property=RestartSec=10s \
        /bin/sh -c "$(going_back)" || return 1
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

# decide confirmed|undone: who comes first has decided, for good; only for whoever holds the lock.
# The words were written while there was room; a renaming needs none.
decide() {
    [ -e "$STATE/decision" ] || mv -T "$STATE/word.$1" "$STATE/decision"
    sync
    [ "$(cat "$STATE/decision")" = "$1" ]
}

forget() {
    rm -f "$SCRIPT"
    sync
    disarm
    rm -rf "$STATE"
    sync
}
