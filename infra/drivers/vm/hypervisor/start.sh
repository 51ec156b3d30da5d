#!/bin/sh
# Becomes a private libvirtd. Run it as: unshare --net --mount --propagation private start.sh RUN STATE CACHE KVM
#   RUN    sockets and pid files; bound over /run/libvirt. Short: unix(7) allows 107 bytes for a socket's path
#   STATE  definitions, logs, domains' files; bound over /etc/libvirt, /var/lib/libvirt, /var/log/libvirt
#   CACHE  QEMU's capabilities; bound over /var/cache/libvirt, so that a second start need not probe QEMU again
#   KVM    `kvm` shows /dev/kvm to libvirt, anything else hides it
# With `nsenter` in place of `unshare` and a fifth word, it joins what is there and starts what is missing:
# `again` libvirtd, `logger` virtlogd.
set -eu
run=$1 state=$2 cache=$3 kvm=$4 again=${5:-}
# shellcheck source=/dev/null # mount-point.sh, checked by itself
. "$(dirname "$0")/mount-point.sh"

# The pid file holds pid and start time (proc(5), stat field 22): together they name one process until the next boot.
note() { echo "$1 $(cut -d' ' -f22 "/proc/$1/stat")" >"$2.new" && mv "$2.new" "$2"; }
# Named before anything else is made, so that nothing is started without a name to end it by.
[ "$again" = logger ] || note $$ "$run/libvirtd.pid"

alive() {
  pid='' start=''
  [ -r "$1" ] && read -r pid start <"$1" || return 1
  [ -r "/proc/$pid/stat" ] && [ "$(cut -d' ' -f22 "/proc/$pid/stat")" = "$start" ]
}

if [ -z "$again" ]; then
  ip link set lo up
  # /sys/class/net must show this namespace's devices: libvirt sets bridges up through it.
  mount -t sysfs sysfs /sys

  # A /dev of our own: libvirt makes nodes in it, and a broken /dev/kvm costs 7 s at each call that probes QEMU.
  mkdir -p "$run/dev"
  mount -t tmpfs -o mode=755,size=1m handwired "$run/dev"
  mkdir "$run/dev/pts" "$run/dev/net" "$run/dev/shm"
  [ "$kvm" = kvm ] || kvm=null
  for node in null zero full random urandom tty net/tun "$kvm"; do
    : >"$run/dev/$node"
    mount --bind "/dev/$node" "$run/dev/$node"
  done
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$run/dev/pts"
  mount -t tmpfs -o mode=1777,size=16m shm "$run/dev/shm"
  ln -s pts/ptmx "$run/dev/ptmx"
  ln -s /proc/self/fd "$run/dev/fd"
  mount --rbind "$run/dev" /dev

  # Debian's packages make lib/dnsmasq; libvirt writes there for each network, with or without a dnsmasq.
  mkdir -p "$state/etc" "$state/lib/dnsmasq" "$state/log/qemu" "$cache"
  bind_over() {
    mount_point "$2"
    mount --bind "$1" "$2"
  }
  bind_over "$state/etc" /etc/libvirt
  bind_over "$state/lib" /var/lib/libvirt
  bind_over "$state/log" /var/log/libvirt
  bind_over "$cache" /var/cache/libvirt
  bind_over "$run" /run/libvirt

  # libvirtd looks its built-in user and group up before it reads qemu.conf, and only Debian's libvirt-daemon-system, which
  # also sets a daemon up for the whole machine, makes them (src/qemu/qemu_conf.c, virQEMUDriverConfigNew).
  account() {
    grep -q "^$2:" "/etc/$1" && return
    [ -e "$run/$1" ] || cp "/etc/$1" "$run/$1"
    echo "$3" >>"$run/$1"
  }
  account passwd libvirt-qemu libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin
  account group libvirt-qemu libvirt-qemu:x:64055:
  account group kvm kvm:x:64056:
  for file in passwd group; do [ ! -e "$run/$file" ] || mount --bind "$run/$file" "/etc/$file"; done
fi

# virtlogd writes the consoles, bounded: a guest that prints without end can't fill the disk.
if ! alive "$run/virtlogd.pid"; then
  virtlogd --config /etc/libvirt/virtlogd.conf --pid-file /run/libvirt/virtlogd.lock &
  note $! "$run/virtlogd.pid"
fi
[ "$again" != logger ] || exit 0
exec libvirtd --config /etc/libvirt/libvirtd.conf --pid-file /run/libvirt/libvirtd.lock
