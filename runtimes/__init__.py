"""What goes inside sandboxes. Imports nothing of ours.

* catalog   which runtimes there are: how a host has them and how they are started
* python    Lambda's Python runtime: placed at /var/runtime and run by the host's own interpreters
* wasm      functions in WebAssembly, for a wasmtime in such an interpreter (not one of Lambda's)
"""
