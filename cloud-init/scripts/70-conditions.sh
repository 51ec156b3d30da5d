#!/bin/sh
# The conditions that this lab host was asked to have, set before its baseline is taken.
set -eu
# shellcheck source=/dev/null # written by the driver
. /etc/handwired/lab.env
policy=ACCEPT
[ "${FORWARD_POLICY:-accept}" != drop ] || policy=DROP
iptables -P FORWARD "$policy"
sysctl -q -w net.ipv4.ip_forward="${IP_FORWARD:-0}"

bridge=/proc/sys/net/bridge
# A sandbox shares the machine's kernel, and nobody asked us to change that one.
if [ ! -e "$bridge" ] && [ "$LAB_DRIVER" = vm ]; then modprobe br_netfilter; fi
if [ -e "$bridge" ]; then
  for family in ip ip6 arp; do
    [ "$family" = arp ] && value=0 || value=${BRIDGE_NF:-0}
    echo "$value" >"$bridge/bridge-nf-call-${family}tables"
  done
elif [ "${BRIDGE_NF:-0}" = 1 ]; then
  echo "bridge-nf=1 needs the kernel module br_netfilter, which is not loaded. Next: modprobe br_netfilter" >&2
  exit 1
fi
