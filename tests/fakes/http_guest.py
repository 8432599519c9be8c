"""A WebAssembly guest that asks over wasi:http, as text: tools make such imports of `fetch`."""

from __future__ import annotations

import wasmtime

from tests.fakes.guests import OUR_TYPES

FAILED = 900
"""What it answers with when nothing answers: this, and the number of wasi:http's error-code."""
CONNECTION_REFUSED = FAILED + 6

_TYPES = """
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:http/types@0.2.0" (instance $http
    (alias outer 1 $pollable (type $wait'))
    (export "pollable" (type $wait (eq $wait')))
    (export "fields" (type $fields (sub resource)))
    (export "outgoing-request" (type $request (sub resource)))
    (export "request-options" (type (sub resource)))
    (export "incoming-response" (type $response (sub resource)))
    (export "future-incoming-response" (type $future (sub resource)))
    (type $scheme' (variant (case "HTTP") (case "HTTPS") (case "other" string)))
    (export "scheme" (type $scheme (eq $scheme')))
    (type $dns' (record (field "rcode" (option string)) (field "info-code" (option u16))))
    (export "DNS-error-payload" (type $dns (eq $dns')))
    (type $alert' (record (field "alert-id" (option u8)) (field "alert-message" (option string))))
    (export "TLS-alert-received-payload" (type $alert (eq $alert')))
    (type $size' (record (field "field-name" (option string)) (field "field-size" (option u32))))
    (export "field-size-payload" (type $size (eq $size')))
    (type $error' (variant
      (case "DNS-timeout") (case "DNS-error" $dns) (case "destination-not-found")
      (case "destination-unavailable") (case "destination-IP-prohibited")
      (case "destination-IP-unroutable") (case "connection-refused")
      (case "connection-terminated") (case "connection-timeout")
      (case "connection-read-timeout") (case "connection-write-timeout")
      (case "connection-limit-reached") (case "TLS-protocol-error")
      (case "TLS-certificate-error") (case "TLS-alert-received" $alert)
      (case "HTTP-request-denied") (case "HTTP-request-length-required")
      (case "HTTP-request-body-size" (option u64)) (case "HTTP-request-method-invalid")
      (case "HTTP-request-URI-invalid") (case "HTTP-request-URI-too-long")
      (case "HTTP-request-header-section-size" (option u32))
      (case "HTTP-request-header-size" (option $size))
      (case "HTTP-request-trailer-section-size" (option u32))
      (case "HTTP-request-trailer-size" $size) (case "HTTP-response-incomplete")
      (case "HTTP-response-header-section-size" (option u32))
      (case "HTTP-response-header-size" $size) (case "HTTP-response-body-size" (option u64))
      (case "HTTP-response-trailer-section-size" (option u32))
      (case "HTTP-response-trailer-size" $size)
      (case "HTTP-response-transfer-coding" (option string))
      (case "HTTP-response-content-coding" (option string)) (case "HTTP-response-timeout")
      (case "HTTP-upgrade-failed") (case "HTTP-protocol-error") (case "loop-detected")
      (case "configuration-error") (case "internal-error" (option string))))
    (export "error-code" (type $error (eq $error')))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[constructor]outgoing-request"
      (func (param "headers" (own $fields)) (result (own $request))))
    (export "[method]outgoing-request.set-scheme"
      (func (param "self" (borrow $request)) (param "scheme" (option $scheme)) (result (result))))
    (export "[method]outgoing-request.set-path-with-query"
      (func (param "self" (borrow $request)) (param "path-with-query" (option string))
        (result (result))))
    (export "[method]outgoing-request.set-authority"
      (func (param "self" (borrow $request)) (param "authority" (option string))
        (result (result))))
    (export "[method]future-incoming-response.subscribe"
      (func (param "self" (borrow $future)) (result (own $wait))))
    (export "[method]future-incoming-response.get"
      (func (param "self" (borrow $future))
        (result (option (result (result (own $response) (error $error)))))))
    (export "[method]incoming-response.status"
      (func (param "self" (borrow $response)) (result u16)))))
  (alias export $http "outgoing-request" (type $request))
  (alias export $http "request-options" (type $options))
  (alias export $http "future-incoming-response" (type $future))
  (alias export $http "error-code" (type $error))
  (import "wasi:http/outgoing-handler@0.2.0" (instance $handler
    (alias outer 1 $request (type $request'))
    (export "outgoing-request" (type $request (eq $request')))
    (alias outer 1 $options (type $options'))
    (export "request-options" (type $options (eq $options')))
    (alias outer 1 $future (type $future'))
    (export "future-incoming-response" (type $future (eq $future')))
    (alias outer 1 $error (type $error'))
    (export "error-code" (type $error (eq $error')))
    (export "handle" (func
      (param "request" (own $request)) (param "options" (option (own $options)))
      (result (result (own $future) (error $error)))))))
"""

_LOWERED = {
    "fields": ("http", "[constructor]fields"),
    "request": ("http", "[constructor]outgoing-request"),
    "scheme": ("http", "[method]outgoing-request.set-scheme"),
    "path": ("http", "[method]outgoing-request.set-path-with-query"),
    "authority": ("http", "[method]outgoing-request.set-authority"),
    "handle": ("handler", "handle"),
    "subscribe": ("http", "[method]future-incoming-response.subscribe"),
    "block": ("poll", "[method]pollable.block"),
    "get": ("http", "[method]future-incoming-response.get"),
    "status": ("http", "[method]incoming-response.status"),
}
"""Functions of the guest's imports, by the names that its code has for them."""

_LOWER = "\n".join(
    f'  (alias export ${instance} "{function}" (func ${name}))\n'
    f"  (core func ${name} (canon lower (func ${name}) (memory $memory) (realloc $realloc)))"
    for name, (instance, function) in _LOWERED.items()
)
_GIVEN = " ".join(f'(export "{name}" (func ${name}))' for name in _LOWERED)

_CODE = """
  (core module $store
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $stored (instantiate $store))
  (alias core export $stored "memory" (core memory $memory))
  (alias core export $stored "realloc" (core func $realloc))
{lower}
  (core module $code
    (import "store" "memory" (memory 1))
    (data (i32.const 72) "/")
    (import "http" "fields" (func $fields (result i32)))
    (import "http" "request" (func $request (param i32) (result i32)))
    (import "http" "scheme" (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
    (import "http" "authority" (func $authority (param i32 i32 i32 i32) (result i32)))
    (import "http" "path" (func $path (param i32 i32 i32 i32) (result i32)))
    (import "http" "handle" (func $send (param i32 i32 i32 i32)))
    (import "http" "subscribe" (func $subscribe (param i32) (result i32)))
    (import "http" "block" (func $block (param i32)))
    (import "http" "get" (func $get (param i32 i32)))
    (import "http" "status" (func $status (param i32) (result i32)))
    (func $say (param $number i32) (result i32)
      (i32.store8 (i32.const 64)
        (i32.add (i32.const 48) (i32.div_u (local.get $number) (i32.const 100))))
      (i32.store8 (i32.const 65) (i32.add (i32.const 48)
        (i32.rem_u (i32.div_u (local.get $number) (i32.const 10)) (i32.const 10))))
      (i32.store8 (i32.const 66)
        (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (i32.store (i32.const 16) (i32.const 0))
      (i32.store (i32.const 20) (i32.const 64))
      (i32.store (i32.const 24) (i32.const 3))
      (i32.const 16))
    (func $failed (param $at i32) (result i32)
      (call $say (i32.add (i32.const {failed}) (i32.load8_u (local.get $at)))))
    (func (export "handle") (param $at i32) (result i32)
      (local $request i32) (local $future i32)
      (local.set $request (call $request (call $fields)))
      (drop (call $scheme (local.get $request)
        (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
      (drop (call $path (local.get $request) (i32.const 1) (i32.const 72) (i32.const 1)))
      ;; The event without its quotes.
      (drop (call $authority (local.get $request) (i32.const 1)
        (i32.add (i32.load (local.get $at)) (i32.const 1))
        (i32.sub (i32.load offset=4 (local.get $at)) (i32.const 2))))
      (call $send (local.get $request) (i32.const 0) (i32.const 0) (i32.const 128))
      (if (i32.load8_u (i32.const 128)) (then (return (call $failed (i32.const 136)))))
      (local.set $future (i32.load (i32.const 136)))
      (call $block (call $subscribe (local.get $future)))
      (call $get (local.get $future) (i32.const 256))
      (if (i32.load8_u (i32.const 272)) (then (return (call $failed (i32.const 280)))))
      (call $say (call $status (i32.load (i32.const 280))))))
  (core instance $given {given})
  (core instance $made (instantiate $code
    (with "store" (instance $stored)) (with "http" (instance $given))))
  (alias core export $made "handle" (core func $core))
  (func $answers (param "event" string) (param "context" $context)
    (result (result string (error $failure)))
    (canon lift (core func $core) (memory $memory) (realloc $realloc)))
  (export "handle" (func $answers))
"""

ASKS = bytes(
    wasmtime.wat2wasm(
        f"(component {OUR_TYPES} {_TYPES} "
        + _CODE.format(lower=_LOWER, given=_GIVEN, failed=FAILED)
        + ")"
    )
)
"""Asks for / at HOST:PORT, which is its event, and answers with the status, or FAILED and why."""
