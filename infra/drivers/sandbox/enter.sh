#!/bin/sh
# enter.sh PID START BOOT_ID CGROUP...: one ssh server on stdin and stdout, inside the sandbox whose init has that pid.
set -eu
# shellcheck source=/dev/null # capabilities.sh and stand.sh, checked by themselves
. "${0%/*}/capabilities.sh"
# shellcheck source=/dev/null
. "${0%/*}/stand.sh"
stand "$1" "$2" "$3"
shift 3
for cgroup; do
  echo $$ >"$cgroup/cgroup.procs"
  [ -e "$cgroup/pids.max" ] || continue
  read -r used <"$cgroup/pids.current"
  read -r limit <"$cgroup/pids.max"
  if [ "$used" -lt "$((limit - 4))" ]; then continue; fi
  echo "the sandbox runs as many processes as it may ($limit), none is left for an ssh server. Next: lab reset" >&2
  exit 75
done
if [ ! -x root/usr/sbin/sshd ]; then
  echo "somebody removed the lab host's ssh server, /usr/sbin/sshd. Next: lab reset" >&2
  exit 75
fi
# When memory is used up, the kernel ends a learner's process, not the init or the world (proc(5), oom_score_adj).
echo 500 >/proc/self/oom_score_adj
# shellcheck disable=SC2154 # from capabilities.sh
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  nsenter --net=ns/net --mount=ns/mnt --pid=ns/pid --uts=ns/uts --ipc=ns/ipc --cgroup=ns/cgroup --root=root --wd=root \
  setpriv --bounding-set "$without" /usr/sbin/sshd -i -f /etc/handwired/sshd_config
