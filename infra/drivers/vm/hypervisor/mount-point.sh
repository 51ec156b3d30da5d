# shellcheck shell=sh
# mount_point FOLDER: something can be mounted over FOLDER afterwards, and nothing was made on the machine's disk.
# For a mount namespace of one's own with private propagation. A FOLDER that is missing gets a tmpfs over the nearest
# folder above it, in which all that was there is bound again at its place, as it is; FOLDER is made in that tmpfs.
# What others put later beside FOLDER, on the machine, is not seen in this namespace.
mount_point() {
  [ ! -d "$1" ] || return 0
  above=$(dirname "$1")
  while [ ! -d "$above" ]; do above=$(dirname "$above"); done
  (
    # The working directory stays below the tmpfs: what is there is reached from it, as long as mount(8) does not look
    # its path up (-c).
    cd "$above" || exit
    mount -t tmpfs -o "size=1m,mode=$(stat -c %a .),uid=$(stat -c %u .),gid=$(stat -c %g .)" handwired "$above"
    for entry in ./* ./.[!.]* ./..?*; do
      if [ -L "$entry" ]; then
        cp -P "$entry" "$above/$entry" || :
      elif [ -d "$entry" ]; then
        mkdir -p "$above/$entry" # mount(8) has made its own /run/mount already
        bind_entry --rbind "$entry" "$above/$entry"
      elif [ -e "$entry" ]; then
        : >"$above/$entry"
        bind_entry --bind "$entry" "$above/$entry"
      fi
    done
  )
  mkdir -p "$1"
}

# What went away meanwhile, or can't be mounted, is left out: neither libvirt nor QEMU looks for it.
bind_entry() { mount -c "$1" "$2" "$3" || echo "not seen by libvirt: $3" >&2; }
