#!/bin/sh
# Kernel settings that every lab host begins with. A new netns takes most of these from the machine's first one
# (devconf_inherit_init_net in the kernel's admin-guide/sysctl/net.rst), and machines differ. Before any device is made:
# it copies `default`.
set -eu
for conf in all default; do
  for setting in accept_local=0 arp_announce=0 arp_filter=0 arp_ignore=0 proxy_arp=0 route_localnet=0 rp_filter=2; do
    echo "net.ipv4.conf.$conf.$setting"
  done
done | sysctl -q -p -
