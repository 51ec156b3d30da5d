#!/bin/sh
# What was here before the learner: a right cleanup leaves all of it alone. Harmless to every right build.
set -eu
rule() { table=$1; shift; iptables -t "$table" -C "$@" 2>/dev/null || iptables -t "$table" -A "$@"; }
rule filter INPUT -i enp1s0 -p udp --dport 137 -m comment --comment keep -j DROP
rule nat POSTROUTING -s 10.99.0.0/24 -o enp1s0 -m comment --comment keep -j MASQUERADE
nft -f - <<'END'
table inet keep
delete table inet keep
table inet keep {
  chain input {
    type filter hook input priority 10; policy accept;
    udp dport 1900 drop
  }
}
END
ip netns list | grep -q '^keep\b' || ip netns add keep
ip -n keep link set lo up
if ! [ -e /sys/class/net/br-keep ]; then
  ip link add br-keep type bridge
  ip addr add 10.99.0.1/24 dev br-keep
  ip link set br-keep up
fi
