#!/bin/sh
# The uplink and everything beyond it: a veth pair into an unnamed netns that one process holds and answers for.
set -eu
lib=${HANDWIRED_LIB:-/usr/local/lib/handwired}
run=/run/handwired
mkdir -p "$run"
chmod 0700 "$run"
if [ -s "$run/world.pid" ] && [ -e "/proc/$(cat "$run/world.pid")" ]; then exit 0; fi
/bin/sh "$lib/files/world-cert"
# Returns when the world's sockets listen; the uplink's near end is then in this netns.
unshare --net /bin/sh "$lib/files/world-start" "$lib"
ip -batch - <<'END'
addr add 203.0.113.2/24 dev enp1s0
link set lo up
link set enp1s0 up
route add default via 203.0.113.1 dev enp1s0
END
