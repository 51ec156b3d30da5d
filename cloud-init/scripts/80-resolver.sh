#!/bin/sh
# The host's resolver: a stub behind a symlink, as on cloud images (RESOLVER=stub), or a plain file (RESOLVER=file).
set -eu
lib=${HANDWIRED_LIB:-/usr/local/lib/handwired}
# shellcheck source=/dev/null # written by the driver
. /etc/handwired/lab.env
if [ "${RESOLVER:-stub}" = file ]; then
  [ -L /etc/resolv.conf ] && rm /etc/resolv.conf
  echo 'nameserver 8.8.8.8' >/etc/resolv.conf
  exit 0
fi
mkdir -p /run/systemd/resolve
printf '%s\n' '# Written at start; changes here are lost.' 'nameserver 127.0.0.53' 'options edns0 trust-ad' 'search .' \
  >/run/systemd/resolve/stub-resolv.conf
ln -sfn ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
# Its own name, so that a learner's `pkill dnsmasq` takes only the learner's.
ln -sfn "$(command -v dnsmasq)" "$lib/stub-resolver"
pid=/run/handwired/stub.pid
if [ -s "$pid" ] && [ -e "/proc/$(cat "$pid")" ]; then exit 0; fi
"$lib/stub-resolver" --conf-file="$lib/files/stub.conf" --pid-file="$pid"
