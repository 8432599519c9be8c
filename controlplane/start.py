"""The control plane as a program: python -m controlplane.start. Started by the supervisor.

The data folder's lock is taken before anything heavy is imported, so that the host can come up
while the control plane is still reading its libraries.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from controlplane.datalock import lock_data_folder
from controlplane.settings import parse
from controlplane.status import Status
from emberd.wire.errors import EmberdError
from emberd.wire.logtext import log_to_stderr
from emberd.wire.polling import wait_without_event_engine

EXIT_REFUSED = 3
"""Exit status when the data folder or an address is not to be had: trying again is no use."""


def main(arguments: Sequence[str]) -> int:
    """Serve one data folder until SIGTERM; return the exit status."""
    settings = parse(arguments)
    log_to_stderr("control-plane", settings.log_level)
    status = Status(settings.status_fd)
    try:
        # Held until the process ends, whatever way it ends.
        lock_data_folder(settings.data)
        status.say("locked")
        wait_without_event_engine(os.environ)
        from controlplane.app import run

        run(settings, status)
    except EmberdError as error:
        status.say("refused", message=error.message)
        return EXIT_REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
