"""Entry of the WebAssembly runtime: python3 /var/runtime/bootstrap.py."""

from __future__ import annotations

from emberd_wasm.loop import main  # type: ignore[import-not-found]

if __name__ == "__main__":
    main()
