#!/bin/sh
# mmdebstrap's customize hook of scripts/container.ts: container-hook.sh ROOT CHECKOUT. Does what Containerfile says, with
# this machine's way to the npm registry, of which nothing stays in the root.
set -eu
root=$1 checkout=$2
mkdir -p "$root/opt/handwired"
tar -C "$checkout" --exclude-from="$checkout/.dockerignore" --owner=0 --group=0 --numeric-owner -c . | tar -x -C "$root/opt/handwired"

certificates=$(npm config get cafile)
[ -r "$certificates" ] || certificates=${NODE_EXTRA_CA_CERTS:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
cp "$certificates" "$root/tmp/certificates.pem"
{
  for kind in globalconfig userconfig; do cat "$(npm config get "$kind")" 2>/dev/null || :; echo; done
  echo "registry=$(npm config get registry)"
  echo 'cafile=/tmp/certificates.pem'
} >"$root/root/.npmrc"
cp -L /etc/hosts "$root/etc/hosts"

chroot "$root" env HOME=/root NODE_EXTRA_CA_CERTS=/tmp/certificates.pem sh /opt/handwired/scripts/container.sh
rm "$root/tmp/certificates.pem" "$root/root/.npmrc"
: >"$root/etc/hosts"
: >"$root/etc/resolv.conf"
