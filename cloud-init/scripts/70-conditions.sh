#!/bin/sh
# The conditions that this lab host was asked to have, set before its baseline is taken.
set -eu
# shellcheck source=/dev/null # written by the driver
. /etc/handwired/lab.env
policy=ACCEPT
[ "${FORWARD_POLICY:-accept}" = drop ] && policy=DROP
iptables -P FORWARD "$policy"
# A new netns takes these from the machine (devconf_inherit_init_net, sysctl/net.rst): the same on every lab host.
sysctl -q -w net.ipv4.ip_forward="${IP_FORWARD:-0}"
sysctl -q -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.default.rp_filter=2 net.ipv4.conf.all.route_localnet=0
[ -e /proc/sys/net/bridge ] || modprobe -q br_netfilter 2>/dev/null || :
if [ -e /proc/sys/net/bridge ]; then
  sysctl -q -w net.bridge.bridge-nf-call-iptables="${BRIDGE_NF:-0}" net.bridge.bridge-nf-call-ip6tables="${BRIDGE_NF:-0}" \
    net.bridge.bridge-nf-call-arptables=0
elif [ "${BRIDGE_NF:-0}" = 1 ]; then
  echo "bridge-nf=1 needs the kernel module br_netfilter, which is not loaded. Next: modprobe br_netfilter" >&2
  exit 1
fi
