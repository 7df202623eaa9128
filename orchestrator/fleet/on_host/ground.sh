#!/bin/sh
# The part of "luytre inventory bootstrap" that works on the host, as root. POSIX sh, because there
# may be no Python yet; systemd, because a way back that needs our session is none.
#
# The files of this directory are sent as one: ground, way_back, packages, account, work.
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
