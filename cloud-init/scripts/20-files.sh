#!/bin/sh
# Shell start files, the ssh server's configuration, kernel modules at boot, and the nft variant as `iptables`.
set -eu
lib=${HANDWIRED_LIB:-/usr/local/lib/handwired}
mkdir -p /etc/handwired /etc/modules-load.d
cp "$lib/files/sshd_config" /etc/handwired/sshd_config
for home in /root /home/lab; do
  cp "$lib/files/bashrc" "$home/.bashrc"
  # shellcheck disable=SC2016 # for the login shell to expand
  printf '%s\n' '[ -r ~/.bashrc ] && . ~/.bashrc' >"$home/.profile"
done
chown -R lab:lab /home/lab
# The bridge-nf sysctls exist only while this module is loaded.
echo br_netfilter >/etc/modules-load.d/handwired.conf
for tool in iptables ip6tables; do
  [ -x "/usr/sbin/$tool-nft" ] || continue
  ln -sfn "/usr/sbin/$tool-nft" "/etc/alternatives/$tool"
  for end in save restore; do ln -sfn "/usr/sbin/$tool-nft-$end" "/etc/alternatives/$tool-$end"; done
done
