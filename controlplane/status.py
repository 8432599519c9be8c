"""What a control plane tells its supervisor of its life."""

from __future__ import annotations

import json
import logging
import os

logger = logging.getLogger(__name__)


class Status:
    """Tells the supervisor, one JSON line an event, how far this life has come."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._ready = False

    def say(self, event: str, **details: str) -> None:
        """Write one line; a supervisor that is gone is no reason to fail."""
        line = json.dumps({"event": event, **details}) + "\n"
        try:
            os.write(self._fd, line.encode())
        except BrokenPipeError:
            logger.warning("the supervisor is gone")

    def ready(self) -> None:
        """Say once that invocations are accepted."""
        if not self._ready:
            self._ready = True
            self.say("ready")
