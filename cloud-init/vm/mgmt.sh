#!/bin/sh
# Hides the management network from the learner: the one virtio NIC goes into a network namespace of its own, bound
# outside /run/netns, with the address from the kernel command line (handwired.mgmt=ADDRESS/PREFIX).
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
ns=/run/handwired/mgmt.ns

address=
read -r cmdline </proc/cmdline
for word in $cmdline; do
  case $word in handwired.mgmt=*) address=${word#*=} ;; esac
done
[ -n "$address" ] || { echo "the kernel command line has no handwired.mgmt=ADDRESS/PREFIX" >&2; exit 1; }

mkdir -p /run/handwired
chmod 0700 /run/handwired
if ! mountpoint -q "$ns"; then
  : >"$ns"
  unshare --net="$ns" true
fi

modprobe virtio_net
for nic in /sys/class/net/*; do
  # shellcheck disable=SC3013 # dash has it
  [ "$nic/device/driver" -ef /sys/bus/virtio/drivers/virtio_net ] || continue
  ip link set dev "${nic##*/}" netns "$ns" name mgmt0
  break
done
nsenter --net="$ns" ip -batch - <<END
address replace $address dev mgmt0
link set mgmt0 up
END
