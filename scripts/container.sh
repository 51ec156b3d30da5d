#!/bin/sh
# Turns a Debian root with this checkout at /opt/handwired into the image of our container. Run in that root, as root: by
# Containerfile, and by scripts/container.ts.
set -eu
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive

apt-get -q update
apt-get -q -y --no-install-recommends install ca-certificates make nodejs npm python3
make deps
node_modules/.bin/lab setup sandbox
ln -sf "$PWD/node_modules/.bin/lab" /usr/local/bin/lab
printf '%s\n' "echo 'A course in container networking. Next: lab up, then lab next'" >/etc/profile.d/handwired.sh

# The workspace has its own Node, and everything that was fetched is in node_modules.
apt-get -q -y purge --auto-remove nodejs npm
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /root/.npm "${XDG_CACHE_HOME:-/root/.cache}/handwired"
