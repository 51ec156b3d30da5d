#!/bin/sh
# Writes an initrd to stdout: busybox, the drivers up to the disk and a few lines of init. Run in the image's root.
# Which of them a kernel has built in differs between Debian and Ubuntu, amd64 and arm64.
set -eu
kernel=$1
work=$(mktemp -d)
mkdir "$work/bin" "$work/dev" "$work/proc" "$work/root" "$work/modules"
cp /bin/busybox "$work/bin/busybox"
# `insmod FILE` lines in the order of loading; `builtin NAME` where there is nothing to load.
for driver in virtio_pci virtio_blk ext4; do
  modprobe --set-version "$kernel" --show-depends "$driver"
done >"$work/depends"
load=
while read -r how path _; do
  [ "$how" = insmod ] || continue
  name=$(basename "$path")
  [ ! -e "$work/modules/$name" ] || continue
  # customize.sh has unpacked them.
  cp "$path" "$work/modules/$name"
  load="$load /modules/$name"
done <"$work/depends"
rm "$work/depends"
cat >"$work/init" <<END
#!/bin/busybox sh
bb=/bin/busybox
\$bb mount -t devtmpfs dev /dev
for module in$load; do \$bb insmod "\$module"; done
\$bb mount -t ext4 -o rw,noatime /dev/vda /root || { echo 'no root file system on /dev/vda'; exec \$bb sh; }
\$bb mount --move /dev /root/dev
exec \$bb switch_root /root /usr/lib/systemd/systemd
END
chmod 0755 "$work/init"
cd "$work"
find . -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
find . | LC_ALL=C sort | cpio --quiet --reproducible --owner=0:0 -o -H newc
rm -rf "$work"
