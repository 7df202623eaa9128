# The way back is armed before the first change.

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
