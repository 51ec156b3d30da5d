# shellcheck shell=sh disable=SC2034
# Sets `cache` to the folder for what can be made again, by the rule of `cacheDir` in host/files.ts. It need not exist.
case ${XDG_CACHE_HOME-} in
  /*) cache=$XDG_CACHE_HOME/handwired ;;
  *) cache=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}/.cache/handwired ;;
esac
