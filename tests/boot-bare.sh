#!/bin/sh
# QEMU alone, no libvirt, with a tap in a network namespace of its own: unshare --net boot-bare.sh PIDFILE GUEST HOST MAC QEMU...
# The pid is written when the tap is up; QEMU keeps it.
set -eu
pidfile=$1 guest=$2 host=$3 mac=$4
shift 4
ip link set lo up
ip tuntap add tap0 mode tap
ip addr add "$host" dev tap0
ip link set tap0 up
ip neigh replace "$guest" lladdr "$mac" dev tap0 nud permanent
echo $$ >"$pidfile"
exec "$@"
