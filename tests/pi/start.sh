#!/bin/bash
# start.sh ROOT PORT PUBLIC_KEY AS_A_PI: run sshd of the system in ROOT, in the fresh namespaces
# this script is started in. Whatever is written goes to memory, over ROOT.
set -eu
PATH=$PATH:/usr/sbin:/sbin  # chroot, where cron and env -i leave them out
root=$1 port=$2 key=$3 as_a_pi=$4
memory=$(dirname "$root")/memory
mkdir -p "$memory"
mount -t tmpfs tmpfs "$memory"
mkdir "$memory"/{written,work,system}
mount -t overlay overlay -o "lowerdir=$root,upperdir=$memory/written,workdir=$memory/work" "$memory/system"
cd "$memory/system"
hostname raspberrypi
mount -t proc proc proc
if [ "$as_a_pi" = 1 ]; then mount --bind etc/cpuinfo.pi proc/cpuinfo; else mount --rbind /sys sys; fi
mount --rbind /dev dev
mkdir -p home/pi/.ssh
echo "$key" > home/pi/.ssh/authorized_keys
chmod 700 home/pi home/pi/.ssh
chown -R 1000:1000 home/pi
exec chroot . /usr/sbin/sshd -D -e -p "$port"
