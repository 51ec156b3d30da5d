#!/bin/sh
# reset.sh save | reset.sh reset POLICY BRIDGE_NF RESOLVER IP_FORWARD: takes everything away that a build or a fault put
# on a lab host, under the conditions given. Plain and blunt; whether it was enough is for facts to say.
kept=/run/handwired/corpus
lib=/usr/local/lib/handwired
world=$(cat /run/handwired/world.pid)

if [ "$1" = save ]; then
  mkdir -p "$kept/etc"
  iptables-save >"$kept/iptables"
  nft list table inet keep >"$kept/keep.nft"
  cat /sys/class/net/br-keep/address >"$kept/mac"
  cp -a /etc/hosts /etc/nsswitch.conf "$kept/etc/"
  # All that can be written and whose value is one word or line; ip_forward first, for it sets the others.
  (cd /proc/sys && find net/ipv4/ip_forward net/ipv4/conf net/ipv4/neigh net/ipv6/conf net/bridge -type f -perm -200 \
    ! -name flush ! -name 'stable_secret' -exec grep -H . {} + 2>/dev/null | sed 's/:/ = /') >"$kept/sysctls"
  (cd /proc && ls -d [0-9]*) >"$kept/pids"
  exit 0
fi

own=' '
pid=$$
while [ "$pid" -gt 1 ]; do
  own="$own$pid "
  pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
done
for folder in /proc/[0-9]*; do
  pid=${folder#/proc/}
  if grep -qxF "$pid" "$kept/pids"; then continue; fi
  case $own in *" $pid "*) continue ;; esac
  # Threads of the kernel and of services have no business here; a transport of ours is no learner's.
  case $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in '' | sshd* | *sshd* | */systemd*) ;; *) kill -9 "$pid" ;; esac
done 2>/dev/null

for file in /run/netns/*; do
  name=${file##*/}
  [ "$name" = keep ] && continue
  ip netns del "$name" 2>/dev/null || { umount -l "/run/netns/$name"; rm -f "/run/netns/$name"; } 2>/dev/null
done
for folder in /sys/class/net/*; do
  link=${folder##*/}
  case $link in lo | enp1s0 | br-keep | bonding_masters) ;; *) ip link del "$link" 2>/dev/null ;; esac
done
ip rule flush
ip rule add lookup main priority 32766
ip rule add lookup default priority 32767
ip route flush table 100

for table in raw mangle nat filter; do
  grep -qs "$table" /proc/net/ip_tables_names || continue
  iptables-legacy -t "$table" -F
  iptables-legacy -t "$table" -X
  for chain in $(iptables-legacy -t "$table" -S | awk '$1 == "-P" && $3 != "ACCEPT" { print $2 }'); do
    iptables-legacy -t "$table" -P "$chain" ACCEPT
  done
done
nft flush ruleset
iptables-restore <"$kept/iptables"
nft -f "$kept/keep.nft"
conntrack -F 2>/dev/null
ip neigh flush all 2>/dev/null
ip link set enp1s0 nomaster 2>/dev/null
# A bridge loses its address with its last port.
ip link set br-keep address "$(cat "$kept/mac")"

rm -rf /etc/netns /etc/sysctl.d/90-lab.conf /srv/ct1 /srv/proxy.py /etc/resolv.conf /run/handwired-build /run/ct1-web.log
cp -a "$kept/etc/." /etc/
sysctl -q -e -p "$kept/sysctls" >/dev/null 2>&1
cat >/etc/handwired/lab.env.new <<END
$(grep -vE '^(FORWARD_POLICY|BRIDGE_NF|RESOLVER|IP_FORWARD)=' /etc/handwired/lab.env)
FORWARD_POLICY=$2
BRIDGE_NF=$3
RESOLVER=$4
IP_FORWARD=$5
END
mv /etc/handwired/lab.env.new /etc/handwired/lab.env
sh "$lib/scripts/70-conditions.sh"
sh "$lib/scripts/80-resolver.sh"
# Links of namespaces that are no more go a moment later.
end=$(($(date +%s) + 3))
while ip -o link show type veth | grep -qv enp1s0 && [ "$(date +%s)" -lt "$end" ]; do :; done
[ -e "/proc/$world" ]
