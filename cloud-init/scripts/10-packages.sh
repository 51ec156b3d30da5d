#!/bin/sh
# Installs what packages.list names and this system lacks; nothing to do on an image that was built with it.
set -eu
lib=${HANDWIRED_LIB:-/usr/local/lib/handwired}
missing=''
while read -r package _; do
  case $package in '' | '#'*) continue ;; esac
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done <"$lib/packages.list"
[ -n "$missing" ] || exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
# shellcheck disable=SC2086 # one word a package
apt-get -q -y --no-install-recommends install $missing
