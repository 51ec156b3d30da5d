#!/bin/sh
# `make deps`: the workspace's packages, by the very pnpm that package.json names. Nothing global is installed: a pnpm
# that the machine lacks goes to the cache, and the Node that we run on comes as a package of the workspace.
set -eu
cd "$(dirname "$0")/.."

stop() {
  printf 'bootstrap: %s\n  next: %s\n' "$1" "$2" >&2
  exit 3
}

command -v node >/dev/null || stop 'there is no Node on PATH' 'apt-get install nodejs npm   (Node 20 or newer; Debian 12 has only 18)'
node -e 'process.exitCode = process.versions.node.split(".")[0] < 20 ? 1 : 0' ||
  stop "Node $(node --version) is too old: 20 or newer is needed" 'install a newer Node, from Debian 13, Ubuntu 25.04 or your Node distributor'

version=$(node -p 'require("./package.json").packageManager.split("@")[1].split("+")[0]')
cache=${XDG_CACHE_HOME:-$HOME/.cache}/handwired
home=$cache/pnpm-$version
pnpm=$home/node_modules/.bin/pnpm

# Made beside its place and then moved, so that an interrupted run leaves nothing that looks complete.
get_pnpm() {
  command -v npm >/dev/null || stop 'there is no npm on PATH, and no pnpm in the cache' 'apt-get install npm'
  echo "getting pnpm $version with npm, into $home"
  npm install --loglevel=error --no-audit --no-fund --no-save --prefix "$home.new" "pnpm@$version" ||
    stop "npm could not get pnpm $version" "npm install pnpm@$version"
  mv "$home.new" "$home"
}

# Of two runs at once, the second one waits and then finds everything done. The kernel frees the lock with the process.
if ! mkdir -p "$cache" || ! [ -w "$cache" ]; then
  stop "cannot write $cache" 'export XDG_CACHE_HOME=A_FOLDER_YOU_CAN_WRITE'
fi
exec 9>"$cache/bootstrap.lock"
flock 9
if [ ! -x "$pnpm" ]; then
  rm -rf "$home" "$home.new"
  if [ "$(cd / && pnpm --version 2>/dev/null)" = "$version" ]; then pnpm=$(command -v pnpm); else get_pnpm; fi
fi
CI=true "$pnpm" install --frozen-lockfile --prefer-offline ||
  stop 'pnpm could not install the packages' "rm -rf node_modules; $pnpm install --frozen-lockfile"
