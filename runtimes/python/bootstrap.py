"""Entry of the Python runtime: python3.X /var/runtime/bootstrap.py.

Kept to the import, because a script is compiled at every start and a package is not.
"""

from __future__ import annotations

from emberd_runtime.loop import main  # type: ignore[import-not-found]

if __name__ == "__main__":
    main()
