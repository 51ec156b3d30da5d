# shellcheck shell=sh
# Sourced: stands in the /proc folder of the sandbox's init, given as PID START BOOT_ID, or ends with 69
# (EX_UNAVAILABLE, sysexits(3)) and what to do about it, in the form that parseScriptError in host/errors.ts reads.
# A folder under /proc stays bound to its process: after the `cd`, another process with the same pid can't be meant.
gone() { echo "the sandbox's init process $1 is gone. Next: lab up" >&2; exit 69; }
stand() {
  cd "/proc/$1" 2>/dev/null || gone "$1"
  read -r line <stat || gone "$1"
  read -r now </proc/sys/kernel/random/boot_id
  [ "$now" = "$3" ] || gone "$1"
  init=$1 start=$2
  # shellcheck disable=SC2086 # split into fields
  set -- ${line##*) }
  # A zombie has left its namespaces already.
  if [ "$1" = Z ] || [ "${20}" != "$start" ]; then gone "$init"; fi
  # A plain user's sandbox has a user namespace of its own: whoever owns it becomes root by entering it.
  # shellcheck disable=SC2034 # for who sources this
  user=''
  # shellcheck disable=SC2034,SC3013 # dash and busybox have -ef
  [ ns/user -ef /proc/self/ns/user ] || user=--user=ns/user
}
