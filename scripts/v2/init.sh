#!/bin/sh
# The first and only service of the machine that scripts/test-v2.sh boots: mounts what a system has,
# with nothing but cgroup v2, runs the tests named in /emberd/.v2-tests, and switches off.
export PATH=/opt/emberd/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb
# Emulated, everything takes about ten times as long: waits last longer, and where a test repeats
# itself by the hundred it does so less often. What must hold of one of them is the same as anywhere.
export EMBERD_TEST_PATIENCE=10 EMBERD_SOAK_LIVES=60 EMBERD_TEST_COPIES=200
mount -o remount,rw /
mountpoint -q /proc || mount -t proc proc /proc
mountpoint -q /sys || mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
# Not loaded by itself on a machine without udev; `emberd doctor` says so.
modprobe loop
ip link set lo up
hostname emberd-v2
cd /emberd || exit 1
echo "v2: kernel $(uname -r), controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"
# In a session, as everything is that a system starts: the kernel starts us in none, whose process
# group is 0 and can be joined by nobody.
# shellcheck disable=SC2046  # one word per argument of pytest
setsid /opt/emberd/bin/python -m pytest -v --color=no -p no:cacheprovider \
  --junitxml=/emberd/.v2-junit.xml $(cat .v2-tests) &
wait $!
echo $? > .v2-exit
dmesg --level=emerg,alert,crit,err | tail -20
cd / && mount -o remount,ro /emberd
sync
echo o > /proc/sysrq-trigger
sleep 60
