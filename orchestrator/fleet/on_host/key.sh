# The operator's public key. What lies in a home is its user's: all of it is read and written by
# that user alone, in place, so that owner, mode and everybody else's lines stay.

# With a limit, because the user can make anything wait; not with our lock.
as_user() { timeout -k 5 30 runuser -u "$(setting user)" -- "$@" 9<&-; }

home_of() { getent passwd "$1" | cut -d: -f6; }

# KEY_NOW DIRECTORY FILE KEY: what it is: link | there | SIZE of the file, then whether its last
# line is open | none, no file | bare, not even the directory
KEY_NOW='
    if [ -L "$1" ] || [ -L "$2" ]; then echo link
    elif [ ! -d "$1" ]; then echo bare
    elif [ ! -e "$2" ]; then echo none
    elif grep -qxF -e "$3" "$2"; then echo there
    else stat -c %s "$2" && tail -c 1 "$2" | wc -l
    fi'

# KEY_IN DIRECTORY FILE TEXT
KEY_IN='umask 077; { [ -d "$1" ] || mkdir "$1"; } && printf "%s\n" "$3" >>"$2"'

# KEY_OUT FILE SIZE TEXT KEY: cut off what was put at the end, or take the line from between others
KEY_OUT='
    [ -f "$1" ] || exit 0
    more=$(tail -c "+$(($2 + 1))" "$1"; echo .)
    if [ "$(stat -c %s "$1")" -ge "$2" ] && case "$3
" in "${more%.}"*) ;; *) false ;; esac
    then truncate -s "$2" "$1"
    elif grep -qxF -e "$4" "$1"
    then
        { grep -vxF -e "$4" "$1" || [ $? = 1 ]; } >"$1.luytre" && chmod --reference="$1" "$1.luytre" &&
            mv -f "$1.luytre" "$1" || { rm -f "$1.luytre"; exit 1; }
    fi'

stage_key() {
    home=$(home_of "$(setting user)")
    [ -d "$home" ] || die no-home "$home"
    ssh=$home/.ssh file=$home/.ssh/authorized_keys key=$(setting key)
    now=$(as_user sh -c "$KEY_NOW" sh "$ssh" "$file" "$key")
    size=0 text=$key
    case $now in
        there) return 0 ;;
        link) die key-link "$file" ;;
        none) : >"$STATE/key.file" ;;
        bare) : >"$STATE/key.file"; : >"$STATE/key.directory" ;;
        *)
            size=${now%%[!0-9]*}
            # A last line without an end is ended, and gets that end taken away again.
            [ "$size" = 0 ] || [ "${now##*[!0-9]}" != 0 ] || text=$(printf '\n%s' "$key")
            ;;
    esac
    printf '%s' "$size" >"$STATE/key.size"
    printf '%s' "$text" >"$STATE/key.text"
    printf '%s' "$file" >"$STATE/made.key"
    sync
    as_user sh -c "$KEY_IN" sh "$ssh" "$file" "$text"
    say made key
}

undo_key() {
    exists "$(setting user)" || return 0
    file=$(cat "$STATE/made.key")
    as_user sh -c "$KEY_OUT" sh "$file" "$(cat "$STATE/key.size")" "$(cat "$STATE/key.text")" \
        "$(setting key)" || return 1
    [ ! -e "$STATE/key.file" ] || as_user sh -c '[ -s "$1" ] || rm -f "$1"' sh "$file"
    [ ! -e "$STATE/key.directory" ] || as_user rmdir "${file%/*}" 2>/dev/null
    return 0
}
