#!/bin/sh
# runc(8) where this machine itself lacks a capability: Docker can't give that one to a container, not even to one with
# --privileged. It is taken out of what Docker wants to give (config.json of a container, process.json of an exec).
set -eu
if ! setpriv --dump | grep -q '^Capability bounding set:.*\bsys_resource\b'; then
  for word; do
    case $word in /*) ;; *) continue ;; esac
    for file in "$word" "$word/config.json"; do
      if [ -f "$file" ] && head -c 1 "$file" | grep -q '{'; then sed -i 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g' "$file"; fi
    done
  done
fi
exec runc "$@"
