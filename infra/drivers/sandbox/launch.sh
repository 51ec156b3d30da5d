#!/bin/sh
# launch.sh MARK STATE SOURCE NAME MEMORY_MIB PROCESSES CGROUP...: starts a sandbox's init in new namespaces and ends.
# The init keeps our stdout until its start scripts have ended, so whoever waits for our streams waits for that.
# MARK stands in the command line of every process on the way, so that one left by a kill -9 is found by it.
set -eu
mark=$1 state=$2 source=$3 name=$4 memory=$5 processes=$6
shift 6
for cgroup; do echo $$ >"$cgroup/cgroup.procs"; done
# In the background: the pid namespace's first child is its init, and no parent has to stay for it.
# env -i: nothing of the caller's environment gets in, except whose lab it is.
# shellcheck disable=SC2016 # for the inner shell
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  "HANDWIRED_LAB=$HANDWIRED_LAB" "HANDWIRED_STATE=$HANDWIRED_STATE" "HANDWIRED_VIEW=$HANDWIRED_VIEW" \
  unshare --net --mount --pid --uts --ipc --cgroup --propagation private \
  /bin/sh -c 'setsid /bin/sh "$@" </dev/null &' sh "${0%/*}/init.sh" "$mark" "$state" "$source" "$name" "$memory" "$processes"
