#!/bin/sh
# `make clean`: takes away what this checkout made on the machine, labs first. Packages of the system stay, as others may
# need them by now; the command that removes those that were installed for us is printed.
set -eu
cd "$(dirname "$0")/.."
. scripts/folders.sh

if [ -x node_modules/.bin/lab ]; then node_modules/.bin/lab destroy --all; fi

read_note() { cat "$cache/$1" 2>/dev/null || :; }
packages=$(read_note installed-packages | while read -r name; do
  case $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) in installed | config-files) echo "$name" ;; esac
done)
folders=$(read_note made-folders)

rm -rf "$cache" node_modules ./*/node_modules infra/sdks/*/node_modules agent/__pycache__
# Each of these goes only when it is empty: the innermost first, as the note has them.
printf '%s\n' "$state" "$folders" | while read -r folder; do
  if [ -d "$folder" ]; then rmdir "$folder" 2>/dev/null || :; fi
done

if [ -d "$state" ]; then
  printf 'kept: %s, with what learners did. To remove it, before make clean: lab progress --forget --all\n' "$state"
fi
if [ -n "$packages" ]; then
  sudo=$([ "$(id -u)" = 0 ] || echo 'sudo ')
  # sudo refuses to go from a machine whose root has no password, though it was not there before us.
  case " $packages" in *[[:space:]]sudo[[:space:]]* | *[[:space:]]sudo) sudo="${sudo}env SUDO_FORCE_REMOVE=yes " ;; esac
  printf 'these packages of the system were installed for handwired. To remove them, and their settings:\n  %sapt-get purge %s\n' \
    "$sudo" "$(echo "$packages" | tr '\n' ' ')"
fi
