"""Runs a real supervisor over stand-in programs: python supervise.py DATA."""

from __future__ import annotations

import sys
from pathlib import Path

from controlplane.config import ServeConfig
from controlplane.programs import Programs, SetupError
from controlplane.supervisor import Supervisor

HERE = Path(__file__).parent


def main() -> int:
    """Supervise until told to stop."""
    config = ServeConfig(
        data=Path(sys.argv[1]),
        http_address="127.0.0.1:0",
        grpc_address="127.0.0.1:0",
        region="us-east-1",
        with_host="--no-host" not in sys.argv,
        memory_mb=None,
        template_memory_mb=None,
        sandboxes_max=None,
        log_level="INFO",
        auth="--no-auth" not in sys.argv,
    )
    programs = Programs(
        control=(sys.executable, str(HERE / "control_plane_program.py")),
        host=(sys.executable, str(HERE / "host_program.py")),
        confined=False,
    )

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    try:
        return Supervisor(config, programs, say).run()
    except SetupError as error:
        say(str(error))
        return 253


if __name__ == "__main__":
    sys.exit(main())
