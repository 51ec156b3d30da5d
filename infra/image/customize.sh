#!/bin/sh
# mmdebstrap's customize hook: turns a plain root into a lab host's. usage: customize.sh ROOT
# CLOUD_INIT: our cloud-init folder. BOOT_OUT: the folder that gets kernel and initrd.
set -eu
root=$1
lib=$root/usr/local/lib/handwired
mkdir -p "$lib"
cp -R --no-preserve=ownership,timestamps "${CLOUD_INIT:?}/scripts" "$CLOUD_INIT/files" "$CLOUD_INIT/vm" "$lib/"
find "$lib" -type d -exec chmod 0755 {} + -o -type f -exec chmod 0644 {} +
find "$lib" -name '*.sh' -exec chmod 0755 {} +
chmod 0755 "$lib"/files/*[!.]*
chroot "$root" /bin/sh /usr/local/lib/handwired/files/run-phase image

# unchecked-hash: a .pyc that is bound to its source's time stamp would be compiled again at every start.
chroot "$root" env PYTHONHASHSEED=0 python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3 \
  "/usr/lib/$(readlink "$root/usr/bin/python3")" || :
# A cloud-init that seed.py can't start is found now, not by a lab host that never answers.
chroot "$root" python3 -I -S /usr/local/lib/handwired/vm/seed.py --version >/dev/null

kernel=$(ls "$root/usr/lib/modules")
# Unpacked once here and not at each modprobe; the disk image is compressed as a whole.
chroot "$root" find /usr/lib/modules -name '*.ko.xz' -exec busybox unxz {} +
chroot "$root" depmod "$kernel"
cp "$root/boot/vmlinuz-$kernel" "${BOOT_OUT:?}/vmlinuz"
echo "$kernel" >"$BOOT_OUT/kernel-version"
cp "$(dirname "$0")/initrd.sh" "$root/tmp/initrd.sh"
chroot "$root" /bin/sh /tmp/initrd.sh "$kernel" >"$BOOT_OUT/initrd"

# Nothing of this machine, of this moment, or of no use to a lab host stays.
cd "$root"
rm -rf boot/* vmlinuz* initrd.img* tmp/initrd.sh etc/ssh/ssh_host_* etc/resolv.conf etc/hostname etc/.pwd.lock \
  etc/passwd- etc/group- etc/shadow- etc/gshadow- etc/subuid- etc/subgid- \
  etc/apt/sources.list etc/apt/sources.list.d/* etc/apt/apt.conf.d/99mmdebstrap etc/dpkg/dpkg.cfg.d/99mmdebstrap \
  var/cache/apt/* var/cache/man/* var/cache/debconf/*-old var/cache/ldconfig/* var/lib/apt/lists/* var/lib/dpkg/*-old \
  var/lib/systemd/random-seed var/lib/cloud/* var/log/* var/tmp/* run/* usr/share/lintian usr/share/info/*
: >etc/machine-id
: >etc/fstab
echo handwired >etc/hostname
printf '%s\n' '127.0.0.1 localhost' '::1 localhost ip6-localhost ip6-loopback' >etc/hosts
