#!/bin/sh
# root and lab may log in by key only; lab has sudo without a password. Only files are written, no tool is needed.
set -eu
# `*` and not `!`: without PAM sshd takes `!` for a locked account (sshd(8), AUTHENTICATION).
sed -i 's/^root:[^:]*:/root:*:/' /etc/shadow
sed -i 's#^\(root:.*\):[^:]*$#\1:/bin/bash#' /etc/passwd
if ! grep -q '^lab:' /etc/passwd; then
  echo 'lab:x:1000:1000:lab:/home/lab:/bin/bash' >>/etc/passwd
  echo 'lab:x:1000:' >>/etc/group
fi
grep -q '^lab:' /etc/shadow || echo 'lab:*:19000:0:99999:7:::' >>/etc/shadow
mkdir -p /etc/sudoers.d /home/lab
printf 'lab ALL=(ALL) NOPASSWD: ALL\n' >/etc/sudoers.d/handwired
chmod 0440 /etc/sudoers.d/handwired
