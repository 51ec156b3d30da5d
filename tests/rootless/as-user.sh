#!/bin/sh
# as-user.sh FOLDER COMMAND...: runs a command as `learner`, a plain user who exists in a mount namespace of its own only.
# FOLDER/home becomes the user's home. Nothing of this machine is changed: its accounts are covered, for that user alone.
# In the environment, SUBIDS=no: a user without subordinate ids (subuid(5)).
set -eu
if [ "${1:-}" != --inside ]; then exec unshare --mount --propagation private /bin/sh "$0" --inside "$@"; fi
folder=$2
shift 2
id=54321
mkdir -p "$folder/etc" "$folder/home"
chmod 755 "$folder" "$folder/etc"
chown "$id:$id" "$folder/home"
cover() {
  [ ! -e "/etc/$1" ] || grep -v '^learner:' "/etc/$1" >"$folder/etc/$1" || :
  [ -z "${2:-}" ] || echo "$2" >>"$folder/etc/$1"
  mount --bind "$folder/etc/$1" "/etc/$1"
}
cover passwd "learner:x:$id:$id::$folder/home:/bin/sh"
cover group "learner:x:$id:"
subids=learner:1000000:65536
[ "${SUBIDS:-}" != no ] || subids=
for file in subuid subgid; do cover "$file" "$subids"; done
# As udev sets it on a machine that has one: anybody may open it (tun.txt in the kernel's documentation).
[ -e "$folder/tun" ] || { mknod "$folder/tun" c 10 200 && chmod 666 "$folder/tun"; }
[ ! -e /dev/net/tun ] || mount --bind "$folder/tun" /dev/net/tun
cd /
exec setpriv --reuid "$id" --regid "$id" --clear-groups env -i HOME="$folder/home" USER=learner LOGNAME=learner \
  PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 ${TERM:+"TERM=$TERM"} "$@"
