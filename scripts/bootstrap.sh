#!/bin/sh
# `make deps`: the workspace's packages, by the very pnpm that package.json names. Nothing global is installed: pnpm and
# all that npm and pnpm keep go to our cache, and the Node that we run on comes as a package of the workspace. When
# nothing has changed since the last time, this asks no network and takes some milliseconds.
set -eu
cd "$(dirname "$0")/.."
. scripts/folders.sh

stop() {
  printf 'bootstrap: %s\n  next: %s\n' "$1" "$2" >&2
  exit 3
}

# The stamp is the hash of all that decides what is in node_modules. It is written last, so a killed run has none.
stamp=node_modules/.handwired
hash_inputs() { sha256sum package.json ./*/package.json pnpm-lock.yaml pnpm-workspace.yaml | sha256sum; }
is_done() {
  [ "$(cat "$stamp" 2>/dev/null)" = "$(hash_inputs)" ] && [ -x node_modules/.bin/node ] && [ -x node_modules/.bin/lab ] || return 1
  for manifest in ./*/package.json; do [ -d "${manifest%/*}/node_modules" ] || return 1; done
}
if is_done; then exit 0; fi

need_npm() {
  command -v npm >/dev/null && command -v node >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ] && return
  sudo=$([ "$(id -u)" = 0 ] || echo 'sudo ')
  next='install Node 18 or newer with npm: https://nodejs.org/en/download'
  if command -v apt-get >/dev/null; then next="${sudo}apt-get update && ${sudo}apt-get install -y nodejs npm"; fi
  stop "Node 18 or newer with npm is needed once, to get pnpm; found: $(node --version 2>/dev/null || echo 'no Node'), npm $(npm --version 2>/dev/null || echo 'none')" "$next"
}

# Made beside its place and then moved, so that an interrupted run leaves nothing that looks complete. npm's cache makes
# the next try short, and goes when it is no longer needed.
get_pnpm() {
  need_npm
  echo "getting pnpm $version with npm, into $place"
  rm -rf "$place" "$place.new"
  npm_config_cache=$cache/npm npm_config_update_notifier=false \
    npm install --loglevel=error --no-audit --no-fund --no-save --prefix "$place.new" "pnpm@$version" ||
    stop "npm could not get pnpm $version" 'npm ping && make deps'
  mv "$place.new" "$place"
  rm -rf "$cache/npm"
}

version=$(sed -n 's/.*"packageManager": *"pnpm@\([0-9.]*\).*/\1/p' package.json)
place=$cache/pnpm-$version
pnpm=$place/node_modules/.bin/pnpm
own=$cache/pnpm

# npm and pnpm trust what the machine trusts, also where only OpenSSL's variable names its certificates.
certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
if [ -z "${NODE_EXTRA_CA_CERTS-}" ] && [ -r "$certificates" ]; then export NODE_EXTRA_CA_CERTS="$certificates"; fi

# The folders above ours that are missing, the innermost first. They are made here, so that no lab has to make one and
# leave it: `make clean` takes them away again.
list_missing() {
  for folder in "$cache" "$state"; do
    folder=${folder%/*}
    while [ ! -d "$folder" ]; do
      echo "$folder"
      folder=${folder%/*}
    done
  done
}
missing=$(list_missing)
if ! mkdir -p "$own/run" || ! [ -w "$cache" ]; then
  stop "cannot write $cache" 'export XDG_CACHE_HOME=A_FOLDER_YOU_CAN_WRITE'
fi
mkdir -p "${state%/*}" || : # Labs say it when they can't be kept there.
[ -e "$cache/made-folders" ] || printf '%s\n' "$missing" >"$cache/made-folders"
# Of two runs at once, the second one waits and then finds everything done. The kernel frees the lock with the process.
exec 9>"$cache/bootstrap.lock"
flock 9
if is_done; then exit 0; fi
if [ ! -x "$pnpm" ]; then get_pnpm; fi
rm -f "$stamp"
# pnpm writes to the four folders of XDG that hold no settings, and locks its store below XDG_RUNTIME_DIR, or /tmp.
XDG_CACHE_HOME=$own/cache XDG_DATA_HOME=$own/data XDG_STATE_HOME=$own/state XDG_RUNTIME_DIR=$own/run CI=true \
  "$pnpm" install --frozen-lockfile --prefer-offline --store-dir "$own/store" ||
  stop 'pnpm could not install the packages' 'rm -rf node_modules && make deps'
hash_inputs >"$stamp"
