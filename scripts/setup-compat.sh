#!/usr/bin/env bash
# Installs the clients that tests/compat drives: the AWS CLI and chalice into .venv-compat (their
# botocore is not ours), the AWS SDK for JavaScript beside the scripts that use it.
# Does nothing, quickly, when what is wanted has not changed since the last time.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup-compat: %s\n' "$*" >&2; }

PYTHON_CLIENTS=("awscli>=1.44,<2" "chalice>=1.31")
javascript=tests/compat/javascript

stamp=.venv-compat/.emberd-setup
wanted=$(cat "$0" $javascript/package.json | sha256sum | cut -d' ' -f1)
[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0

say "installing the AWS CLI and chalice into .venv-compat"
.venv/bin/python -m venv .venv-compat
.venv-compat/bin/python -m pip install --quiet --disable-pip-version-check "${PYTHON_CLIENTS[@]}" >&2

if command -v npm >/dev/null; then
  say "installing the AWS SDK for JavaScript into $javascript/node_modules"
  npm install --prefix $javascript --no-package-lock --no-audit --no-fund --loglevel=error >&2
else
  say "npm is missing, and with it the JavaScript client: sudo apt-get install npm"
  exit 0
fi
echo "$wanted" > "$stamp"
say "done"
