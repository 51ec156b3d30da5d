#!/bin/sh
# enter.sh PID START BOOT_ID MARK CGROUP...: one ssh server on stdin and stdout, inside the sandbox whose init has that pid.
# MARK stands in nsenter's command line: it is outside of the sandbox's pid namespace, and is found by it to be ended.
set -eu
# shellcheck source=/dev/null # capabilities.sh and stand.sh, checked by themselves
. "${0%/*}/capabilities.sh"
# shellcheck source=/dev/null
. "${0%/*}/stand.sh"
stand "$1" "$2" "$3"
mark=$4
shift 4
require_room() {
  if [ "$1" -lt "$2" ]; then return; fi
  echo "the sandbox runs as many processes as it may ($3), none is left for an ssh server. Next: lab reset" >&2
  exit 75
}
for cgroup; do
  echo $$ >"$cgroup/cgroup.procs"
  [ -e "$cgroup/pids.max" ] || continue
  read -r used <"$cgroup/pids.current"
  read -r limit <"$cgroup/pids.max"
  require_room "$used" "$((limit - 4))" "$limit"
done
if [ ! -x root/usr/sbin/sshd ]; then
  echo "somebody removed the lab host's ssh server, /usr/sbin/sshd. Next: lab reset" >&2
  exit 75
fi
limited=''
if [ -n "$user" ]; then
  # init.sh has limited its own user in there to so many, and every session is limited the same way.
  limit=$(sed -n 's/^Max processes *\([0-9]*\) .*/\1/p' limits)
  require_room "$(find root/proc -maxdepth 1 -name '[1-9]*' | wc -l)" "$((limit - 8))" "$limit"
  limited="prlimit --nproc=$limit:$limit"
fi
# When memory is used up, the kernel ends a learner's process, not the init or the world (proc(5), oom_score_adj).
echo 500 >/proc/self/oom_score_adj
# shellcheck disable=SC2154,SC2086 # from capabilities.sh and stand.sh; one word or none
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  nsenter $user --net=ns/net --mount=ns/mnt --pid=ns/pid --uts=ns/uts --ipc=ns/ipc --cgroup=ns/cgroup --root=root --wd=root \
  /usr/bin/env "$mark" $limited setpriv --bounding-set "$without" /usr/sbin/sshd -i -f /etc/handwired/sshd_config
