#!/usr/bin/env bash
# Boots Debian's own kernel with nothing but cgroup v2 in an emulated machine and runs the tests of
# real sandboxes there. The machine's disk is made once, in .v2/, from Debian packages and wheels;
# the code under test is copied anew for every run, on a disk of its own. Arguments go to pytest
# instead of the usual tests. Needs root, because the disk's files belong to root.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'test-v2: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

PACKAGES="linux-image-cloud-amd64,python3,python3-venv,e2fsprogs,mount,util-linux,iproute2,nftables"
PACKAGES="$PACKAGES,curl,kmod,procps,iputils-ping,ca-certificates"
TEST_TOOLS="pytest>=8.4 pytest-asyncio>=1.1 hypothesis>=6.130 hatchling>=1.26 awslambdaric>=4.2 pillow>=11"
LIMIT_S=${EMBERD_V2_LIMIT_S:-7200}
USUAL="tests/host tests/conformance/test_backend.py"
folder=.v2

need() {
  local missing="" pair
  for pair in qemu-system-x86_64:qemu-system-x86 mmdebstrap:mmdebstrap mke2fs:e2fsprogs \
    debugfs:e2fsprogs unshare:util-linux; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
  done
  [ -z "$missing" ] || die "missing tools; try: sudo apt-get install --no-install-recommends$missing"
  [ "$(id -u)" = 0 ] || die "needs root; try: sudo make test-v2"
}

# What the machine's disk is made from: when that changes, it is made again.
key_of_disk() {
  { echo "$PACKAGES $TEST_TOOLS"; cat pyproject.toml; } | sha256sum | cut -c1-16
}

# Nothing of our environment (proxies, pip's settings) holds there.
in_root() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot "$folder/root" "$@"; }

make_disk() {
  local root=$folder/root wheels=$folder/root/wheels
  say "making the machine's disk, once: Debian packages, then wheels"
  rm -rf "$folder"; mkdir -p "$folder"
  mmdebstrap --quiet --variant=minbase --include="$PACKAGES" bookworm "$root"
  in_root python3 -m venv /opt/emberd
  mkdir -p "$wheels" "$root/emberd/protos/emberd"
  # The machine has no network: what it installs comes along, for its own Python.
  .venv/bin/python - > "$folder/requirements" <<'PY'
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")
PY
  tr ' ' '\n' <<< "$TEST_TOOLS" >> "$folder/requirements"
  local version
  version=$(in_root python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  .venv/bin/python -m pip download --quiet --disable-pip-version-check --only-binary=:all: \
    --python-version "$version" --dest "$wheels" -r "$folder/requirements"
  cp "$folder/requirements" "$wheels/"
  in_root /opt/emberd/bin/pip install --quiet --no-index --find-links /wheels -r /wheels/requirements
  copy_tree "$root/emberd"
  in_root /opt/emberd/bin/pip install --quiet --no-index --no-deps --no-build-isolation --editable /emberd
  find "$root/emberd" -mindepth 1 -delete
  rm -rf "$wheels"
  # What to do once it has booted comes with the code.
  printf '#!/bin/sh\nmount -o noatime /dev/vdb /emberd && exec /emberd/scripts/v2/init.sh\n' \
    > "$root/sbin/emberd-init"
  chmod 755 "$root/sbin/emberd-init"
  cp "$root"/boot/vmlinuz-* "$folder/vmlinuz"
  cp "$root"/boot/initrd.img-* "$folder/initrd"
  mke2fs -q -t ext4 -d "$root" "$folder/disk" 8G >/dev/null
  key_of_disk > "$folder/key"
}

# Everything that git knows or would take, as it is now.
copy_tree() {
  mkdir -p "$1"
  git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -cf - -T - \
    2>/dev/null | tar -xf - -C "$1"
}

make_code_disk() {
  local tree=$folder/tree
  rm -rf "$tree" "$folder/code"
  copy_tree "$tree"
  printf '%s ' "$@" > "$tree/.v2-tests"
  # Compiled here, in a moment: there it would take minutes.
  unshare --mount sh -c "mount --bind $tree $folder/root/emberd &&
    chroot $folder/root /opt/emberd/bin/python -m compileall -q /emberd" >/dev/null || true
  mke2fs -q -t ext4 -d "$tree" "$folder/code" 3G >/dev/null
}

boot() {
  say "booting; at most $LIMIT_S s"
  # The first disk is never written: what the machine changes on it goes with it.
  timeout --foreground "$LIMIT_S" nice -n 10 qemu-system-x86_64 -accel tcg,thread=multi \
    -machine q35 -cpu max -smp 2 -m 4096 -nodefaults -no-reboot -display none -serial stdio \
    -kernel "$folder/vmlinuz" -initrd "$folder/initrd" \
    -append "root=/dev/vda ro console=ttyS0 quiet panic=-1 init=/sbin/emberd-init" \
    -drive "file=$folder/disk,format=raw,if=virtio,snapshot=on" \
    -drive "file=$folder/code,format=raw,if=virtio,cache=unsafe" \
    -device virtio-rng-pci < /dev/null 2> "$folder/qemu.log" || say "the machine did not end by itself"
}

brought_back() { debugfs -R "dump $1 $2" "$folder/code" >/dev/null 2>&1; [ -s "$2" ]; }

need
[ "$(cat $folder/key 2>/dev/null)" = "$(key_of_disk)" ] || make_disk
# shellcheck disable=SC2086  # one word per argument
if [ $# -gt 0 ]; then make_code_disk "$@"; else make_code_disk $USUAL; fi
began=$SECONDS
rm -f $folder/junit.xml $folder/exit
boot
brought_back /.v2-junit.xml $folder/junit.xml || say "no results came back"
brought_back /.v2-exit $folder/exit || die "the tests did not end; see above and $folder/qemu.log"
say "done in $((SECONDS - began)) s, exit code $(cat $folder/exit); results in $folder/junit.xml"
exit "$(cat $folder/exit)"
