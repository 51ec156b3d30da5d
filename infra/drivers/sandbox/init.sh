#!/bin/sh
# init.sh MARK STATE SOURCE NAME MEMORY_MIB PROCESSES: pid 1 of a new sandbox. Makes its root, runs the boot phase of
# cloud-init/scripts, then becomes tini. All that it writes to disk is STATE/init; the rest is in memory and goes with it.
set -eu
mark=$1 state=$2 source=$3 name=$4 memory=$5 processes=$6
umask 022
# shellcheck source=/dev/null # capabilities.sh, checked by itself
. "${0%/*}/capabilities.sh"

# Our pid and start time on the machine, through its own /proc: proc(5), fields 1 and 22 of stat.
read -r line </proc/self/stat
read -r boot </proc/sys/kernel/random/boot_id
# shellcheck disable=SC2086 # split into fields
set -- ${line##*) }
echo "${line%% *} ${20} $boot" >"$state/init.new"
mv "$state/init.new" "$state/init"

root=$state/root
layers=$state/layers
mount -t tmpfs -o "mode=755,size=${memory}m" handwired "$layers"
mount -t tmpfs -o "mode=755,size=${memory}m" handwired "$root"
cd "$root"
mkdir -p boot dev/pts dev/shm dev/net etc home/lab media mnt opt proc run/lock run/sshd srv sys tmp usr var old
mkdir -m 0700 root
chmod 1777 tmp dev/shm run/lock

# The machine's root can make device files and change files of any owner. Root of a user namespace can not
# (user_namespaces(7)): what it may do less than the other is told apart by the ids that it has.
ids=$(tr -s ' ' </proc/self/uid_map)
[ "$ids" = ' 0 0 4294967295' ] && power=machine || power=user
# A plain user has no cgroup. This limit of getrlimit(2) is one for each user in here; enter.sh hands it to each session.
[ "$power" = machine ] || prlimit --pid $$ --nproc="$processes:$processes"

# The machine's programs and their configuration, with all changes kept in memory. Relative paths, because
# mount's options give `,` and `:` a meaning.
overlay() {
  mkdir -p "$layers/$1/upper" "$layers/$1/work"
  (cd "$layers" && mount -t overlay -o "lowerdir=/$1,upperdir=$1/upper,workdir=$1/work${2:-}" overlay "$root/$1")
}
if [ "$power" = machine ]; then
  for part in etc usr var; do overlay "$part"; done
else
  # A folder of an owner without an id here can't be changed, so those that matter get one of ours above them. Without an
  # overlay (something is mounted below /usr) programs are as they are on the machine.
  (cd /usr && find . -maxdepth 2 -type d -print0) | (mkdir -p "$layers/usr/upper" && cd "$layers/usr/upper" && xargs -0 mkdir -p)
  overlay usr ,userxattr 2>/dev/null || mount --rbind /usr usr
  # What only the machine's root can read is not copied: shadow, host keys and sudoers are made below or not needed.
  cp -a --no-preserve=ownership /etc/. etc 2>/dev/null || :
  mkdir -p var/backups var/cache var/lib/dpkg var/lib/misc var/log var/spool var/tmp
  chmod 1777 var/tmp
  ln -s /run var/run
  ln -s /run/lock var/lock
  [ ! -d /var/lib/dpkg ] || mount --rbind /var/lib/dpkg var/lib/dpkg
fi
for part in /bin /sbin /lib /lib32 /lib64 /libx32; do
  if [ -L "$part" ]; then cp -P "$part" "$root$part"; fi
done
# Programs that someone built on this machine would come before those that every lab host has.
mount -t tmpfs -o "mode=755,size=${memory}m" handwired usr/local

mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
while read -r mode device major minor; do
  if [ "$power" = machine ]; then
    mknod -m "$mode" "dev/$device" c "$major" "$minor"
  elif [ -e "/dev/$device" ]; then
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
  fi
done <<'END'
666 null 1 3
666 zero 1 5
666 full 1 7
666 random 1 8
666 urandom 1 9
666 tty 5 0
600 net/tun 10 200
END
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

# Of /proc/sys and /sys only what belongs to this netns can be written: the rest is the machine's.
mount -t proc -o nosuid,nodev,noexec proc proc
mount -o bind,ro proc/sys proc/sys
mount --bind proc/sys/net proc/sys/net
mount -o remount,bind,rw proc/sys/net
[ ! -e proc/sysrq-trigger ] || mount -o bind,ro proc/sysrq-trigger proc/sysrq-trigger
mount -t sysfs -o nosuid,nodev,noexec sysfs sys
# Its own control groups, as a machine with systemd has them: Docker makes one for each container (cgroups(7)).
mount -t cgroup2 cgroup2 sys/fs/cgroup 2>/dev/null || :
mount --bind sys/devices/virtual/net old
mount -o remount,bind,ro sys
mount -n --move old sys/devices/virtual/net

# What the machine's administrator put there is neither the learner's business nor the same on every machine.
rm -rf etc/netns etc/docker etc/ssh/ssh_host_* etc/sudoers.d etc/cron.* etc/resolv.conf etc/motd
find etc/profile.d -type f ! -name bash_completion.sh -delete 2>/dev/null || :
# Removing what a Docker of the machine keeps there, file by file, could take minutes.
if [ -d var/lib/docker ]; then mount -t tmpfs -o "mode=711,size=${memory}m" handwired var/lib/docker; fi
for file in passwd group; do
  rm -f "etc/$file"
  awk -F: '$3 < 1000 || $3 == 65534' "/etc/$file" >"etc/$file"
done
rm -f etc/shadow
(umask 077 && sed 's/:.*/:*:19000:0:99999:7:::/' etc/passwd >etc/shadow)
rm -f etc/passwd- etc/shadow- etc/group- etc/gshadow etc/gshadow-
sed -i 's/^hosts:.*/hosts: files dns/' etc/nsswitch.conf
hostname "$name"
echo "$name" >etc/hostname
printf '%s\n' '127.0.0.1 localhost' "127.0.1.1 $name" '::1 localhost ip6-localhost ip6-loopback' >etc/hosts
mkdir -p etc/handwired usr/local/lib/handwired
if [ "$power" = user ]; then
  # ip-netns(8) takes /sys away and mounts it anew, which the kernel grants root of a user namespace only as long as
  # another one is seen in full (mount_too_revealing in the kernel's fs/namespace.c).
  mkdir -p run/handwired/sys
  chmod 0700 run/handwired
  mount -t sysfs -o nosuid,nodev,noexec sysfs run/handwired/sys
fi
cp -R "$source/scripts" "$source/files" usr/local/lib/handwired/
cp "$state/lab.env" "$state/authorized_keys" "$state/ssh_host_ed25519_key" "$state/ssh_host_ed25519_key.pub" etc/handwired/
chmod 0644 etc/handwired/authorized_keys

pivot_root . old
umount -l /old
rmdir /old
cd /
export HOME=/root
lib=/usr/local/lib/handwired
for script in 15-users 20-files; do /bin/sh "$lib/scripts/$script.sh"; done
# From here on without power over the machine itself.
# shellcheck disable=SC2154 # from capabilities.sh
bounded() { setpriv --bounding-set "$without" "$@"; }
bounded timeout 60 /bin/sh "$lib/files/run-phase" boot || {
  echo "the start scripts failed, or took more than 60 s" >&2
  exit 1
}
echo ready
# Signals that a learner may send to everything of a name, `pkill sleep` or `kill 1`, end nothing.
exec setpriv --bounding-set "$without" tini -- \
  /bin/sh -c 'trap "" HUP INT QUIT TERM USR1 USR2; exec sleep infinity' "$mark" >/dev/null 2>&1
