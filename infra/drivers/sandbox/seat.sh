#!/bin/sh
# seat.sh PID START BOOT_ID COMMAND...: a program of this machine, among this machine's files and processes, in the network
# of the sandbox whose init has that pid, and in nothing else of it: neither its mounts nor its cgroup reach it.
set -eu
# shellcheck source=/dev/null # stand.sh, checked by itself
. "${0%/*}/stand.sh"
stand "$1" "$2" "$3"
shift 3
# shellcheck disable=SC2086,SC2154 # `user`, from stand.sh, is one word or none
exec /usr/bin/nsenter $user --net=ns/net --wd=/ /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"
