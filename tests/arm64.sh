#!/bin/sh
# Runs a command on an amd64 machine, as root, where programs for ARM64 run too, emulated: tests/arm64.sh COMMAND...
# The kernel is told of the emulator in a user namespace of its own (Linux 6.7 or newer): the rest of the machine keeps
# what it has, and nothing is left. The namespace has the machine's own user ids.
set -eu
if [ "${1:-}" != --inside ]; then
  # From inside, nobody may map more than one id: this process does it, when it is asked to.
  talk=$(mktemp -d)
  mkfifo "$talk/pid" "$talk/mapped"
  (
    read -r pid <"$talk/pid"
    for map in uid_map gid_map; do echo '0 0 65536' >"/proc/$pid/$map"; done
    : >"$talk/mapped"
    rm -r "$talk"
  ) &
  # shellcheck disable=SC2016 # for the inner shell
  exec unshare --user --mount --propagation private \
    sh -c 'echo $$ >"$1/pid"; read -r _ <"$1/mapped" || :; shift; exec "$@"' sh "$talk" sh "$0" --inside "$@"
fi
shift
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64)
binfmt=/proc/sys/fs/binfmt_misc
mount -t binfmt_misc handwired "$binfmt"
# An ELF file of 64 bits, little endian, machine 183, by the kernel's admin-guide/binfmt-misc.rst. F: the emulator is
# opened now, so that a chroot need not have it.
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
printf '%s' ":arm64:M::$magic:$mask:$emulator:F" >"$binfmt/register"
exec "$@"
