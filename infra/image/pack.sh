#!/bin/sh
# Turns a root folder into what a lab host boots from: an ext4 disk, a kernel and a small initrd. usage: pack.sh ROOT OUT
# Runs without mounting anything. The image's own mke2fs is used, by its own loader: it honours SOURCE_DATE_EPOCH
# whatever release this machine runs. UUID and hash seed are fixed, so that equal roots give equal bits.
set -eu
root=$1
out=$2
size=${DISK_SIZE:?}
uuid=68616e64-7769-4265-8442-000000000001
# For releases whose mke2fs does not read SOURCE_DATE_EPOCH yet (e2fsprogs before 1.47.1).
export E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH"
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

set -- "$root"/lib/*-linux-gnu*/ld-linux-*.so.*
loader=$1
libraries=$root/usr/lib/$(basename "$(dirname "$loader")")
truncate -s "$size" "$out/disk.raw"
"$loader" --library-path "$libraries" "$root/usr/sbin/mke2fs" -q -F -t ext4 -m 0 -L handwired -U "$uuid" \
  -E "hash_seed=$uuid,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0" -J size=16 \
  -d "$root" "$out/disk.raw"
# Compressed: a third of the size to copy to a hypervisor. One thread, as the order of clusters is part of the bits.
qemu-img convert -q -c -o compression_type=zstd -O qcow2 "$out/disk.raw" "$out/disk.qcow2"
rm "$out/disk.raw"
