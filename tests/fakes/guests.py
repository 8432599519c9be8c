"""WebAssembly guests for tests, as text: small ones that work, and those that attack."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import wasmtime

_PIPE = """
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink"
    (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file"
    (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $count (mut i32) (i32.const 48))
  %s
  (func $say (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $digit (param $number i32)
    (i32.store8 (i32.const 16)
      (i32.add (i32.const 48) (i32.div_u (local.get $number) (i32.const 10))))
    (i32.store8 (i32.const 17)
      (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
    (call $say (i32.const 1) (i32.const 16) (i32.const 2)))
  (func (export "_start") %s))
"""


def command(body: str, fields: str = "") -> bytes:
    """A core module whose `_start` is this, in WebAssembly's text.

    It may call $read, $write, $exit, $open, $symlink, $unlink, $environ, $poll; $say FD AT LENGTH;
    $digit N, which answers with a number of two digits; and has one page of memory and a global
    $count.
    """
    return bytes(wasmtime.wat2wasm(_PIPE % (fields, body)))


ECHO = command(
    """
    (local $got i32)
    (loop $more
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 32768))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $got (i32.load (i32.const 8)))
      (if (local.get $got) (then
        (call $say (i32.const 1) (i32.const 1024) (local.get $got))
        (br $more))))
    """
)
"""Answers with its event."""

COUNT = command(
    """
    (i32.store8 (i32.const 16) (global.get $count))
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store8 (i32.const 2048) (i32.add (i32.load8_u (i32.const 2048)) (i32.const 49)))
    (call $say (i32.const 1) (i32.const 16) (i32.const 1))
    (call $say (i32.const 1) (i32.const 2048) (i32.const 1))
    """
)
"""Counts in a global and in memory: 01 in a new instance, whatever came before."""

VARIABLES = command(
    """
    (drop (call $environ_sizes (i32.const 16) (i32.const 20)))
    (drop (call $environ (i32.const 1024) (i32.const 4096)))
    (call $say (i32.const 1) (i32.const 4096) (i32.load (i32.const 20)))
    """
)
"""Answers with its variables, each ended by a zero."""

SAYS = command(
    "(call $say (i32.const 2) (i32.const 512) (i32.const 6))"
    "(call $say (i32.const 1) (i32.const 520) (i32.const 2))",
    '(data (i32.const 512) "to log\\n\\00{}")',
)
"""Writes to its log and answers {}."""

EXITS = command("(call $exit (i32.const 3))")
UNREACHABLE = command("unreachable")
LOOPS = command("(loop $on (br $on))")
RECURSES = command("(call $deep)", "(func $deep (call $deep) (call $deep))")
WRITES = command(
    "(i32.store (i32.const 4) (i32.const 65536))"
    "(loop $on (br_if $on (i32.eqz"
    " (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"
)
"""Its answer has no end but that it is refused more."""
WRITES_ON = command("(loop $on (call $say (i32.const 1) (i32.const 0) (i32.const 65536)) (br $on))")
"""Goes on even then."""
CALLS = command("(loop $on (drop (call $environ_sizes (i32.const 16) (i32.const 20))) (br $on))")
"""A flood of host calls."""
SHOUTS = command(
    "(loop $on (call $say (i32.const 2) (i32.const 512) (i32.const 7)) (br $on))",
    '(data (i32.const 512) "to log\\n")',
)
"""Logs without end."""

HOARDS = command(
    """
    (local $count i32)
    (loop $on
      (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 2048) (i32.const 1)
        (i32.const 2) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16))) (then
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br $on))))
    (call $digit (i32.div_u (local.get $count) (i32.const 100)))
    """,
    '(data (i32.const 2048) ".")',
)
"""Opens folders until it is refused more, then tells how many hundreds it had."""


FILLS = command(
    """
    (local $bytes i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 64))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (if (i32.eq (i32.load8_u (i32.const 1025)) (i32.const 114)) (then
      (call $digit (call $unlink (i32.const 3) (i32.const 2048) (i32.const 3)))
      (return)))
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 2048) (i32.const 3) (i32.const 1)
      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 20)))
    (i32.store (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (i32.const 65536))
    (loop $on
      (if (i32.eqz (call $write (i32.load (i32.const 20)) (i32.const 0) (i32.const 1)
        (i32.const 8))) (then
        (local.set $bytes (i32.add (local.get $bytes) (i32.load (i32.const 8))))
        (br $on))))
    (call $digit (i32.div_u (local.get $bytes) (i32.const 10485760)))
    """,
    '(data (i32.const 2048) "big")',
)
"""Fills its folder until it is refused more, then tells how many times ten MiB it wrote; by the
event "remove" it removes that and tells WASI's error number."""


def of_functions(count: int) -> bytes:
    """A command with so many functions, which answers 01."""
    return command("(call $digit (i32.const 1))", "(func (result i32) i32.const 1)" * count)


BEGINS_WITH_A_LOOP = bytes(
    wasmtime.wat2wasm('(module (func $on (loop (br 0))) (start $on) (func (export "_start")))')
)
"""Does not come to its `_start`."""

_SLEEP = """
  (func $sleep (param $ns i64)
    (i64.store (i32.const 64) (i64.const 0))
    (i32.store8 (i32.const 72) (i32.const 0))
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (local.get $ns))
    (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 16))))
"""
SLEEPS = command("(call $sleep (i64.const 3600000000000))", _SLEEP)
"""An hour, in a host call."""

DOES = command(
    """
    (local $first i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 32768))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 12) (i32.load (i32.const 8)))
    (local.set $first (i32.load8_u (i32.const 1025)))
    (if (i32.eq (local.get $first) (i32.const 110)) (then (call $sleep (i64.const 2000000000))))
    (if (i32.eq (local.get $first) (i32.const 115)) (then (call $sleep (i64.const 3600000000000))))
    (if (i32.eq (local.get $first) (i32.const 108)) (then (loop $on (br $on))))
    (if (i32.eq (local.get $first) (i32.const 116)) (then unreachable))
    (call $say (i32.const 2) (i32.const 1024) (i32.load (i32.const 12)))
    (call $say (i32.const 1) (i32.const 1024) (i32.load (i32.const 12)))
    """,
    _SLEEP,
)
"""What its event says: "nap" for two seconds, "sleep" for an hour, "loop" for ever, "trap"; by the
first letter alone, n, s, l or t. Then it logs and answers its event, whatever that is."""

GROWS = command(
    """
    (local $pages i32)
    (loop $more
      (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then
        (memory.fill
          (i32.mul (i32.sub (memory.size) (i32.const 16)) (i32.const 65536))
          (i32.const 1)
          (i32.const 1048576))
        (br $more))))
    (local.set $pages (i32.div_u (memory.size) (i32.const 16)))
    (call $digit (i32.div_u (local.get $pages) (i32.const 10)))
    """
)
"""Takes and writes all the memory that it gets, then tells how many times ten MiB that was."""

HUGE_TABLE = command(
    "(drop (table.grow $huge (ref.null func) (i32.const 100000000)))"
    "(if (i32.gt_u (table.size $huge) (i32.const 1000000)) (then unreachable))"
    "(call $digit (i32.const 1))",
    "(table $huge 1 funcref)",
)
"""Asks for a table of a hundred million; answers 01 when it has not got it."""

MUCH_AT_ONCE = bytes(wasmtime.wat2wasm('(module (memory 60000) (func (export "_start")))'))
"""Wants almost four GiB before it starts."""

FOREIGN = bytes(wasmtime.wat2wasm('(module (import "env" "foo" (func)) (func (export "_start")))'))
"""Imports what we do not have."""

MEMORIES = bytes(wasmtime.wat2wasm('(module (memory 1) (memory 1) (func (export "_start")))'))
"""Two memories."""

TABLES = bytes(wasmtime.wat2wasm(f'(module {"(table 1 funcref)" * 201} (func (export "_start")))'))
"""More tables than there may be."""

LIBRARY = bytes(wasmtime.wat2wasm('(module (func (export "add")))'))


def opens(path: str, link_to: str = "") -> bytes:
    """Opens a path below its folder, after making a link of that name if link_to says where to.

    Answers with WASI's error number in two digits, 00 when it could.
    """
    link = ""
    if link_to:
        link = (
            f"(drop (call $symlink (i32.const 3072) (i32.const {len(link_to)}) (i32.const 3) "
            f"(i32.const 2048) (i32.const {len(path)})))"
        )
    body = (
        f"{link} (call $digit (call $open (i32.const 3) (i32.const 1) (i32.const 2048) "
        f"(i32.const {len(path)}) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) "
        "(i32.const 16)))"
    )
    data = f'(data (i32.const 2048) "{path}") (data (i32.const 3072) "{link_to}")'
    return command(body, data)


OUR_TYPES = """
  (import "emberd:function/types@0.1.0" (instance $types
  (type $context' (record
    (field "request-id" string) (field "function-arn" string)
    (field "function-name" string) (field "function-version" string)
    (field "memory-limit-mb" u32) (field "deadline-ms" u64)
    (field "trace-id" (option string)) (field "traceparent" (option string))
    (field "client-context" (option string)) (field "tenant-id" (option string))))
  (type $failure' (record (field "error-type" string) (field "error-message" string)))
  (export "context" (type (eq $context')))
  (export "failure" (type (eq $failure')))))
  (alias export $types "context" (type $context))
  (alias export $types "failure" (type $failure))
"""
"""What tools make of the interface `types` of our WIT."""

_COMPONENT = """
(component
  {types}
  (core module $code
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 4096))
    (data (i32.const 512) "Shop.Closedcome back tomorrow")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (if (i32.gt_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))) (then
        (drop (memory.grow
          (i32.add (i32.const 1) (i32.div_u (local.get 3) (i32.const 65536)))))))
      (local.get $at))
    (func (export "handle") (param $at i32) (result i32) {body}))
  (core instance $made (instantiate $code))
  (alias core export $made "memory" (core memory $memory))
  (alias core export $made "realloc" (core func $realloc))
  (alias core export $made "handle" (core func $core))
  (func $handle (param "event" string) (param "context" $context)
    (result (result string (error $failure)))
    (canon lift (core func $core) (memory $memory) (realloc $realloc)))
  (export "handle" (func $handle)))
"""


def component(body: str) -> bytes:
    """A component of our world; its handle has the event at $at, then the context."""
    return bytes(wasmtime.wat2wasm(_COMPONENT.format(types=OUR_TYPES, body=body)))


_ANSWERS_THE_STRING_AT = """
    (i32.store (i32.const 16) (i32.const 0))
    (i32.store (i32.const 20) (i32.load offset={0} (local.get $at)))
    (i32.store (i32.const 24) (i32.load offset={1} (local.get $at)))
    (i32.const 16)
"""
COMPONENT_ECHO = component(_ANSWERS_THE_STRING_AT.format(0, 4))
COMPONENT_REQUEST_ID = component(_ANSWERS_THE_STRING_AT.format(8, 12))
COMPONENT_FAILS = component(
    """
    (i32.store (i32.const 16) (i32.const 1))
    (i32.store (i32.const 20) (i32.const 512))
    (i32.store (i32.const 24) (i32.const 11))
    (i32.store (i32.const 28) (i32.const 523))
    (i32.store (i32.const 32) (i32.const 18))
    (i32.const 16)
    """
)
COMPONENT_TRAPS = component("unreachable")
COMPONENT_LOOPS = component("(loop $on (br $on)) unreachable")
COMPONENT_OF_ANOTHER_WORLD = bytes(wasmtime.wat2wasm("(component)"))


def build_go(source: Path, target: Path) -> None:
    """Compile a Go program to a WASI preview 1 command."""
    subprocess.run(
        ["go", "build", "-ldflags=-s -w", "-o", str(target), str(source)],
        env={**os.environ, "GOOS": "wasip1", "GOARCH": "wasm"},
        check=True,
        timeout=300,
    )
