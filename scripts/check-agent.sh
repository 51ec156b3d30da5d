#!/bin/sh
# `make verify-agent`: the Python package agent/ formatted and linted by ruff, typed by mypy, and its unit tests. ruff
# and mypy are in an environment of their own in the cache, by the versions in agent/requirements.txt.
set -eu
cd "$(dirname "$0")/.."

stop() {
  printf 'check-agent: %s\n  next: %s\n' "$1" "$2" >&2
  exit 3
}

python3 -c 'import ensurepip, venv' 2>/dev/null || node_modules/.bin/node --import ./cli/loader.mjs scripts/packages.ts verify
. scripts/folders.sh
key=$({ cat agent/requirements.txt; python3 -c 'import sys; print(sys.version, sys.prefix)'; } | sha256sum | cut -c 1-16)
tools=$cache/python-$key

# Made beside its place and then moved, so that an interrupted run leaves nothing that looks complete.
if [ ! -d "$tools" ]; then
  mkdir -p "$cache"
  new=$(mktemp -d "$cache/python-new-XXXXXX")
  trap 'rm -rf "$new"' EXIT
  python3 -m venv "$new" || stop 'python3 can not make an environment' 'apt-get update && apt-get install -y python3-venv'
  "$new/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check --only-binary :all: -r agent/requirements.txt ||
    stop 'pip could not get ruff and mypy' 'make verify-agent   (with a network; PIP_INDEX_URL names another index)'
  mv -T "$new" "$tools" 2>/dev/null || [ -d "$tools" ]
fi

python=$tools/bin/python
if [ "${1-}" = --format ]; then exec "$python" -m ruff --quiet format --no-cache agent; fi
status=0
"$python" -m ruff --quiet format --no-cache --diff agent || { echo '  next: sh scripts/check-agent.sh --format' >&2; status=1; }
"$python" -m ruff --quiet check --no-cache agent || status=1
"$python" -m mypy --config-file agent/pyproject.toml --cache-dir "$cache/mypy" --no-error-summary agent || status=1
said=$(python3 -B -m unittest discover -t . -s agent 2>&1) || status=1
printf '%s\n' "$said"
exit "$status"
