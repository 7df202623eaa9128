#!/bin/sh
# The part of "luytre inventory bootstrap" that works on the host, as root. POSIX sh, because there
# may be no Python yet; systemd, because a way back that needs our session is none.
#
# The files of this directory are sent as one: ground, way_back, packages, key, account, work. Only
# ask goes by itself, with every later question.
#
#   begin USER PYTHON KEY WORK WINDOW RUN SUDO   arm, do the work, tell how it went (in the session)
#   work                                         what begin starts, in a unit of its own
#   stage NAME                                   one step of it; what it changes is kept first
#   confirm RUN                                  over the new login: it stays
#   expire RUN [CODE]                            timer, boot: not confirmed, so all of it goes back
#   restore_accounts                             what vipw starts, while it holds the accounts' lock
#
# shellcheck disable=SC2086 # lists of packages are split on purpose
#
# What it tells, a line each: held | failed STAGE CODE DETAIL | made WHAT | undone | broken WHAT |
# left PACKAGE | ready | late | confirmed | gone | there WHAT | end.
set -u
umask 022  # packages are unpacked with it; what is ours lies in directories of 0700
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# What is in it counts from the moment that the script lies there, complete; forget takes that first.
STATE=/var/lib/luytre-bootstrap
TALK=/run/luytre-bootstrap
SCRIPT=$STATE/script
WORK_UNIT=luytre-bootstrap.service
UNDO_UNIT=luytre-bootstrap-undo
UNITS=/etc/systemd/system
ACCOUNTS='passwd group shadow gshadow subuid subgid'
# The exit code where a run is over: ask.sh answers then.
RUN_IS_OVER=75

say() { printf '%s\n' "$*" >>"$TALK/report"; }

# The reason of a stage: a code that the controller has words for, and a detail. Not below STATE:
# its disk may be the one that is full.
die() { printf '%s\n' "$*" >"$TALK/reason"; exit 1; }

setting() { cat "$STATE/setting.$1"; }

# Whoever decides or undoes holds the directory itself: nobody but root can open it, and it is gone
# when there is nothing to hold. lock [-n]: fails where somebody else has it, or it is gone
lock() {
    until command exec 9<"$STATE" && flock "$@" 9 && [ "$STATE" -ef /proc/self/fd/9 ]; do
        [ -d "$STATE" ] && [ $# = 0 ] || return 1
    done 2>/dev/null
}

unlock() { exec 9<&-; }

flat() { printf '%s' "$1" | tr / %; }

# keep PATH: as it is, or that it is absent; what was kept half does not count
keep() {
    name=$(flat "$1")
    [ ! -e "$STATE/kept/$name" ] || return 0
    if [ -e "$1" ] || [ -L "$1" ]; then cp -a -- "$1" "$STATE/before/$name"
    else : >"$STATE/absent/$name"; fi
    sync
    : >"$STATE/kept/$name"
}

after() { cp -a -- "$1" "$STATE/after/$(flat "$1")"; }

# ours PATH: it is as we left it, or already as it was before
ours() {
    name=$(flat "$1")
    ! cmp -s -- "$1" "$STATE/after/$name" || return 0
    if [ -e "$1" ]; then cmp -s -- "$1" "$STATE/before/$name"
    else [ -e "$STATE/absent/$name" ]; fi
}

restore() {
    name=$(flat "$1")
    [ -e "$STATE/kept/$name" ] || return 0
    if [ -e "$STATE/absent/$name" ]; then
        rm -f -- "$1"
    else
        cp -a -- "$STATE/before/$name" "$1.luytre" && mv -fT -- "$1.luytre" "$1" && return 0
        rm -f -- "$1.luytre"
        return 1
    fi
}
