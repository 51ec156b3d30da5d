#!/bin/sh
# root and lab may log in by key only; lab has sudo without a password. Only files are written, no tool is needed.
set -eu
add() { grep -q "^$2:" "$1" || printf '%s\n' "$3" >>"$1"; }
# `*` and not `!`: without PAM sshd takes `!` for a locked account (sshd(8), AUTHENTICATION).
sed -i 's/^root:[^:]*:/root:*:/' /etc/shadow
sed -i 's#^\(root:.*\):[^:]*$#\1:/bin/bash#' /etc/passwd
add /etc/passwd lab 'lab:x:1000:1000:lab:/home/lab:/bin/bash'
add /etc/group lab 'lab:x:1000:'
add /etc/shadow lab 'lab:*:19000:0:99999:7:::'
mkdir -p /etc/sudoers.d /home/lab
printf 'lab ALL=(ALL) NOPASSWD: ALL\n' >/etc/sudoers.d/handwired
chmod 0440 /etc/sudoers.d/handwired
