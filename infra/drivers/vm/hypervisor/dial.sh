#!/bin/sh
# Connects stdio to a TCP port inside the private hypervisor's network namespace: dial.sh RUN ADDRESS PORT [SECONDS]
# The namespace is that of its libvirtd, or of its virtlogd while libvirtd is down; each is named by pid and start time.
set -eu
run=$1 address=$2 port=$3 seconds=${4:-10}

alive() {
  pid='' start=''
  if [ -r "$1" ]; then read -r pid start <"$1"; fi
  [ -n "$pid" ] && [ -r "/proc/$pid/stat" ] && [ "$(cut -d' ' -f22 "/proc/$pid/stat")" = "$start" ]
}

if alive "$run/libvirtd.pid" || alive "$run/virtlogd.pid"; then
  # A plain user's hypervisor is in a user namespace, which its owner enters as root.
  user=-U
  # shellcheck disable=SC3013 # dash and busybox have -ef
  if [ "/proc/$pid/ns/user" -ef /proc/self/ns/user ]; then user=; fi
  # shellcheck disable=SC2086 # one word or none
  exec nsenter -t "$pid" $user -n socat - "TCP:$address:$port,connect-timeout=$seconds"
fi
echo "the private hypervisor in $run does not run" >&2
exit 1
