#!/usr/bin/env bash
# Installs the tools that tests/runtimes builds WebAssembly with: Debian's for C, componentize-py into
# .venv-runtimes, tools from npm beside the tests, Rust's target by rustup. Go must be there.
# Does nothing, quickly, when what is wanted has not changed since the last time.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup-runtimes: %s\n' "$*" >&2; }

PYTHON_TOOLS=("componentize-py>=0.25")
PACKAGES=(clang lld wasi-libc libclang-rt-dev-wasm32)
tests=tests/runtimes
rust=examples/wasm/rust

stamp=.venv-runtimes/.emberd-setup
wanted=$(cat "$0" $tests/package.json $rust/Cargo.toml | sha256sum | cut -d' ' -f1)
[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0

say "installing Debian packages: ${PACKAGES[*]}"
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
  --no-install-recommends "${PACKAGES[@]}"; } >&2
say "installing ${PYTHON_TOOLS[*]} into .venv-runtimes"
.venv/bin/python -m venv .venv-runtimes
.venv-runtimes/bin/python -m pip install --quiet --disable-pip-version-check "${PYTHON_TOOLS[@]}" >&2
say "installing tools from npm into $tests/node_modules"
npm install --prefix $tests --no-package-lock --no-audit --no-fund --loglevel=error >&2
say "installing Rust's wasm32-wasip2, and fetching what the example in Rust is made of"
rustup target add wasm32-wasip2 >&2
cargo fetch --quiet --manifest-path $rust/Cargo.toml --target wasm32-wasip2 >&2
echo "$wanted" > "$stamp"
say "done"
