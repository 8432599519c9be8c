#!/usr/bin/env bash
# Starts emberd on free ports with a data folder of its own, deploys an example, invokes it, shows
# the answer, its log and its trace, and stops. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."
started=$(date +%s.%N)
emberd=$PWD/.venv/bin/emberd
export PATH="$PWD/.venv/bin:$PATH"

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "sandboxes need root: sudo make demo"

data=$(mktemp -d "${TMPDIR:-/tmp}/emberd-demo.XXXXXX")
serve=""
finish() {
  status=$?
  trap - EXIT INT TERM
  if [ -n "$serve" ] && kill -0 "$serve" 2>/dev/null; then
    kill -TERM "$serve"
    wait "$serve" || status=$?
  fi
  if [ "$status" != 0 ] && [ -s "$data/serve.log" ]; then
    printf 'demo: failed; the end of the log of emberd serve:\n' >&2
    tail -40 "$data/serve.log" >&2
  fi
  rm -rf "$data"
  exit "$status"
}
trap finish EXIT INT TERM

say "emberd serve on free ports"
"$emberd" serve --data "$data" --http 127.0.0.1:0 --grpc 127.0.0.1:0 2> "$data/serve.log" &
serve=$!
until grep -qx 'emberd ready' "$data/serve.log"; do
  kill -0 "$serve" 2>/dev/null || die "emberd serve ended before it was ready"
  sleep 0.05
done
grep '^emberd' "$data/serve.log"
eval "$(emberd env --data "$data" 2>/dev/null)"

say "a function from a folder"
show emberd deploy examples/hello --query '{Name: FunctionName, Runtime: Runtime, Handler: Handler}'

say "its answer"
show emberd invoke hello --payload '{"name": "Ada"}' --info 2> "$data/info" | tee "$data/answer"
echo
printf '(%.1f s after the demo began)\n' "$(date +%s.%N | awk -v started="$started" '{print $1 - started}')"
request=$(python -c 'import json, sys; print(json.load(open(sys.argv[1]))["RequestId"])' "$data/info")

say "once more, now warm"
show emberd invoke hello --payload '{"name": "Grace"}' --log
echo

say "its log"
show emberd logs hello --request-id "$request"

say "its trace: where the first invocation spent its time"
show emberd trace "$request"

say "stopping"
kill -TERM "$serve"
wait "$serve" || die "emberd serve ended with status $?"
serve=""
echo "stopped cleanly"
