#!/bin/sh
# Turns a Debian with systemd into a VM lab host: our units in, what a throw-away machine need not do at boot out.
# A sandbox has no vm folder, and nothing to do here.
set -eu
lib=${HANDWIRED_LIB:-/usr/local/lib/handwired}
[ -d "$lib/vm/rootfs" ] || exit 0
cp -R --no-preserve=ownership "$lib/vm/rootfs/." /
systemctl -q enable handwired-seed.service handwired-mgmt.service handwired-world.service \
  handwired-lab.service lab-ssh.socket lab-seat.socket
systemctl -q set-default multi-user.target
while read -r unit _; do
  case $unit in '' | '#'*) continue ;; esac
  ln -sfn /dev/null "/etc/systemd/system/$unit"
done <"$lib/vm/masked-units.list"
# OpenSSH before 9.8 punishes no address, and refuses the word (sshd_config(5), PerSourcePenalties).
seat=$lib/vm/seat_sshd_config
sshd -G -f "$seat" >/dev/null 2>&1 || sed -i '/^PerSourcePenalties /d' "$seat"
sshd -G -f "$seat" >/dev/null
mkdir -p /etc/systemd/system-generators
for generator in cloud-init-generator systemd-ssh-generator systemd-gpt-auto-generator; do
  ln -sfn /dev/null "/etc/systemd/system-generators/$generator"
done
