# shellcheck shell=sh disable=SC2034
# Sets `cache` and `state` to our folders for what can be made again and for labs, by the rules of `cacheDir` and
# `stateDir` in host/files.ts. They need not exist.
home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
case ${XDG_CACHE_HOME-} in /*) cache=$XDG_CACHE_HOME/handwired ;; *) cache=$home/.cache/handwired ;; esac
case ${XDG_STATE_HOME-} in /*) state=$XDG_STATE_HOME/handwired ;; *) state=$home/.local/state/handwired ;; esac
