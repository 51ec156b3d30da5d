#!/bin/sh
# enter.sh PID START BOOT_ID CGROUP...: one ssh server on stdin and stdout, inside the sandbox whose init has that pid.
# A folder under /proc stays bound to its process: after the `cd`, another process with the same pid can't be meant.
set -eu
# shellcheck source=/dev/null # capabilities.sh, checked by itself
. "${0%/*}/capabilities.sh"
gone() { echo "the sandbox's init process $1 is gone. Next: lab up" >&2; exit 69; }
pid=$1 start=$2 boot=$3
shift 3
cd "/proc/$pid" 2>/dev/null || gone "$pid"
read -r line <stat || gone "$pid"
read -r now </proc/sys/kernel/random/boot_id
cgroups=$*
# shellcheck disable=SC2086 # split into fields
set -- ${line##*) }
if [ "${20}" != "$start" ] || [ "$now" != "$boot" ]; then gone "$pid"; fi
for cgroup in $cgroups; do
  echo $$ >"$cgroup/cgroup.procs"
  [ -e "$cgroup/pids.max" ] || continue
  read -r used <"$cgroup/pids.current"
  read -r limit <"$cgroup/pids.max"
  if [ "$used" -lt "$((limit - 4))" ]; then continue; fi
  echo "the sandbox runs as many processes as it may ($limit), none is left for an ssh server. Next: lab reset" >&2
  exit 75
done
# When memory is used up, the kernel ends a learner's process, not the init or the world (proc(5), oom_score_adj).
echo 500 >/proc/self/oom_score_adj
# shellcheck disable=SC2154 # from capabilities.sh
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  nsenter --net=ns/net --mount=ns/mnt --pid=ns/pid --uts=ns/uts --ipc=ns/ipc --cgroup=ns/cgroup --root=root --wd=root \
  setpriv --bounding-set "$without" /usr/sbin/sshd -i -f /etc/handwired/sshd_config
