# ask confirm|expire RUN USER KEY PACKAGES...: of a run of "luytre inventory bootstrap" that began.
# Where it is over it answers gone, and which of what it may have made is there.
script=/var/lib/luytre-bootstrap/script
verb=$1 run=$2 user=$3 key=$4
shift 4
if [ -e "$script" ]; then
    sh "$script" "$verb" "$run"
    status=$?
    [ "$status" -eq 75 ] || exit "$status"
fi
echo gone
! id -u "$user" >/dev/null 2>&1 || echo there user
[ ! -e "/etc/sudoers.d/zz-luytre-$user" ] || echo there sudo
file=$(getent passwd "$user" | cut -d: -f6)/.ssh/authorized_keys
! timeout 10 runuser -u "$user" -- grep -qxF -e "$key" "$file" 2>/dev/null || echo there key
for name; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" != installed ] ||
        echo "there package $name"
done
exit 0
