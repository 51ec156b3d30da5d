#!/bin/sh
# A Docker daemon that leaves nothing: dockerd.sh FOLDER, in network, mount and pid namespaces of its own, as root.
# FOLDER gets its data and docker.sock. Its cgroups are below handwired-dockerd; whoever ends it removes them.
set -eu
folder=$1
mount -t tmpfs handwired /run
ip link set lo up
runc=$(dirname "$(readlink -f "$0")")/runc.sh
echo "{\"default-runtime\": \"ours\", \"runtimes\": {\"ours\": {\"path\": \"$runc\"}}}" >"$folder/daemon.json"
exec dockerd --config-file "$folder/daemon.json" --data-root "$folder/data" --exec-root /run/docker \
  --pidfile /run/docker.pid --host "unix://$folder/docker.sock" --cgroup-parent handwired-dockerd \
  --exec-opt native.cgroupdriver=cgroupfs
