#!/bin/bash
# The machine's first process: devices, cameras, sshd. With "systemd" on the kernel's command line,
# systemd takes over then.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
modprobe -a 9pnet_virtio virtio_net
modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0 # one webcam
mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576 share /share
cp -r /share/code /code
/usr/lib/systemd/systemd-udevd --daemon
udevadm trigger
udevadm settle
ln -sf system "/dev/dma_heap/linux,cma"
ip link set lo up
ip link set eth0 up
ip address add 10.0.2.15/24 dev eth0
mkdir -p /run/sshd /root/.ssh
cp /share/authorized_keys /root/.ssh/
chmod -R go= /root/.ssh
/usr/sbin/sshd
touch /share/ready
if grep -qw systemd /proc/cmdline; then
  touch /etc/.updated /var/.updated # nothing to prepare on a first boot
  exec /usr/lib/systemd/systemd
fi
while sleep 3600; do :; done
