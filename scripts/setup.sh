#!/usr/bin/env bash
# Makes .venv with emberd and its tools, and installs the Debian packages that sandboxes need.
# Installs nothing, quickly, when pyproject.toml has not changed since the last time.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Tool and the Debian package it comes from. Sandboxes get /tmp from mkfs.ext4, their
# router has its rules from nft; tests look with ip.
TOOLS="mkfs.ext4:e2fsprogs losetup:mount nsenter:util-linux ip:iproute2 nft:nftables curl:curl"

missing_packages() {
  local pair missing=""
  for pair in $TOOLS; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
  done
  echo "$missing"
}

install_packages() {
  [ -n "$*" ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing Debian packages: $*"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
      --no-install-recommends "$@"; } >&2 || die "that failed; try: sudo apt-get install $*"
  else
    say "missing: $*; install with: sudo apt-get install $*"
    return 1
  fi
}

# A Python new enough, with venv and pip in it.
find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

python=$(find_python) || {
  install_packages python3 python3-venv python3-pip || true
  python=$(find_python) || die "emberd needs Python 3.11 or newer: sudo apt-get install python3"
}

# shellcheck disable=SC2046  # one word per package
install_packages $(missing_packages) || say "sandboxes and host tests will not work without them"

stamp=.venv/.emberd-setup
wanted=$(cat pyproject.toml scripts/setup.sh | sha256sum | cut -d' ' -f1)
# Agent and control plane run as users who may not write here: what nobody has compiled for them,
# they compile anew at every start.
compile_ours() { .venv/bin/python -m compileall -q controlplane sandbox protos runtimes; }

if [ -x .venv/bin/emberd ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
  compile_ours
  exit 0
fi

if [ ! -x .venv/bin/python ]; then
  "$python" -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv python3-pip \
    || die "$python has no venv: sudo apt-get install python3-venv python3-pip"
  say "making .venv with $("$python" --version)"
  "$python" -m venv .venv
fi
say "installing emberd and its tools into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' >&2
compile_ours
echo "$wanted" > "$stamp"
say "done: .venv/bin/emberd"
