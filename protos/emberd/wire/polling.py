"""Which of gRPC's own threads waits for sockets; to be chosen before gRPC is imported.

By default a pool of threads waits for them (the event engine) and wakes the one thread that wakes
asyncio: two wake-ups for everything that happens. Told to do without, that one waits for the
sockets itself, as it did in earlier versions. A warm invocation took an eighth less time by it, and
a quarter less CPU at sixteen at once.

The switches are experiments of gRPC's core. It complains on stderr about names that it does not
know, so they are set for versions only that were tried.
"""

from __future__ import annotations

import importlib.util
from collections.abc import MutableMapping
from pathlib import Path

VARIABLE = "GRPC_EXPERIMENTS"
SWITCHES = ",".join(
    f"-event_engine_{what}" for what in ("listener", "client", "for_all_other_endpoints")
)
TRIED = ("1.85.",)
"""Beginnings of grpcio's versions."""


def wait_without_event_engine(environment: MutableMapping[str, str]) -> None:
    """Tell this process and its children so, unless somebody has chosen experiments already."""
    if _version().startswith(TRIED):
        environment.setdefault(VARIABLE, SWITCHES)


def _version() -> str:
    """Of the grpcio that will be imported; empty when that cannot be told.

    Read from its file: package metadata takes a tenth of a second, grpc itself must not be loaded.
    """
    spec = importlib.util.find_spec("grpc")
    places = spec.submodule_search_locations if spec is not None else None
    for place in places or ():
        try:
            text = (Path(place) / "_grpcio_metadata.py").read_text()
        except OSError:
            continue
        return text.partition("=")[2].strip().strip("\"'")
    return ""
