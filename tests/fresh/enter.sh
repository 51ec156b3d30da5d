#!/bin/bash
# Runs a command as on a machine of its own, whose root folder is ROOT: enter.sh ROOT HOME COMMAND...
# It has its own processes, mounts, /dev, /run and cgroups; all of them end with the command. The kernel and the network
# are this machine's. Variables: FRESH_TUN=no hides /dev/net/tun, FRESH_NETWORK=no leaves only lo; what else is in the
# environment the command gets too.
set -eu
root=$1
if [ "${FRESH_INSIDE-}" != yes ]; then
  net=()
  if [ "${FRESH_NETWORK-}" = no ]; then net=(--net); fi
  FRESH_INSIDE=yes exec unshare --mount --pid --uts --ipc "${net[@]}" --fork --kill-child --propagation private "$0" "$@"
fi

show() { # show MODE FILE: a device of this machine in the new /dev, with the mode that udev gives it
  [ -e "/dev/$2" ] || return 0
  mkdir -p "$(dirname "dev/$2")"
  mknod -m "$1" "dev/$2" c "0x$(stat -c %t "/dev/$2")" "0x$(stat -c %T "/dev/$2")"
}

if [ "${FRESH_NETWORK-}" = no ]; then ip link set lo up; fi
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys
# Each hierarchy shows only a group of this machine's own.
if [ -e /sys/fs/cgroup/cgroup.procs ]; then
  mkdir -p "/sys/fs/cgroup/$FRESH_GROUP"
  mount --bind "/sys/fs/cgroup/$FRESH_GROUP" sys/fs/cgroup
else
  mount -t tmpfs cgroups sys/fs/cgroup
  for hierarchy in /sys/fs/cgroup/*/; do
    group=$hierarchy$FRESH_GROUP
    if mkdir -p "$group" "sys/fs/cgroup/$(basename "$hierarchy")" 2>/dev/null; then
      mount --bind "$group" "sys/fs/cgroup/$(basename "$hierarchy")"
    fi
  done
fi
mount -t tmpfs -o mode=755 dev dev
for node in null zero full random urandom tty; do show 666 "$node"; done
show 660 kvm
if [ "${FRESH_TUN-}" != no ]; then show 666 net/tun; fi
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t tmpfs -o mode=755 run run
mkdir run/lock .old-root
pivot_root . .old-root
umount -l /.old-root
rmdir /.old-root
cd "$2/handwired"
shift 2
unset FRESH_INSIDE FRESH_TUN FRESH_NETWORK FRESH_GROUP
exec "$@"
