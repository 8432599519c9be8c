"""Every attack from inside a real sandbox: how it must end, and that the host is unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from sandbox.process import syscall_numbers
from sandbox.process.backend import ProcessBackend
from sandbox.spec import SandboxSpec
from tests.host import attacks
from tests.host.attacks import doors, files, kit, leaks, limits, processes, sockets
from tests.host.harness import Host, read_until

pytestmark = pytest.mark.host

MODULES = (doors, files, leaks, limits, processes, sockets)
MAIN = (
    "import signal, sys\n"
    "sys.path.insert(0, '/var/task')\n"
    "from tests.host.attacks import doors, files, kit, leaks, limits, processes, sockets\n"
    "kit.run_all()\n"
    "signal.pause()\n"
)
CANARY = (
    "import os, signal, time\n"
    "open('/tmp/canary', 'w').write('alive')\n"
    "print('ready', flush=True)\n"
    "signal.signal(signal.SIGUSR1, lambda *_: 0)\n"
    "while True:\n"
    "    time.sleep(0.05)\n"
    "    print(open('/tmp/canary').read(), len(os.listdir('/tmp')), flush=True)\n"
)
HOST_SETTINGS = ("core_pattern", "hostname", "panic", "randomize_va_space")

_told: dict[Host, dict[str, object]] = {}
"""What each launcher's sandbox told: there is one for each way in which sandboxes are born."""
_changed: list[str] = []


def spec_of_attacks(host: Host) -> SandboxSpec:
    """A sandbox that tries everything once."""
    sources = {"main.py": MAIN}
    for module in (*MODULES, attacks, kit, syscall_numbers):
        path = Path(str(module.__file__))
        name = module.__name__.replace(".", "/")
        name += "/__init__.py" if path.name == "__init__.py" else ".py"
        sources[name] = path.read_text()
    return host.spec_of(sources)


def state_of(host: Host) -> dict[str, object]:
    """What no attack may change."""
    assert host.process is not None, "the host is running"
    return {
        "launcher": host.process.poll(),
        "mounts": sorted(Path(f"/proc/{host.process.pid}/mountinfo").read_text().splitlines()),
        "settings": [Path(f"/proc/sys/kernel/{name}").read_text() for name in HOST_SETTINGS],
        "swaps": Path("/proc/swaps").read_text(),
    }


@pytest.fixture
async def outcomes(host: Host, backend: ProcessBackend) -> Mapping[str, object]:
    """How each probe ended; one sandbox tells for all tests, beside a neighbour that watches."""
    if host not in _told:
        canary = await backend.create(host.spec(CANARY))
        read_until(canary.log_fd, b"alive 1\n")
        before = state_of(host)
        sandbox = await backend.create(spec_of_attacks(host))
        _told[host] = json.loads(read_until(sandbox.log_fd, b"\n", 60))
        await sandbox.destroy()
        after = state_of(host)
        _changed.extend(name for name in before if before[name] != after[name])
        # What it says from now on, it says after the attacks.
        read_until(canary.log_fd, b"alive 1\n")
        assert b"alive 1\n" in read_until(canary.log_fd, b"alive 1\n")
        await canary.destroy()
    return _told[host]


@pytest.mark.parametrize("probe", kit.PROBES)
async def test_it_ends_as_it_must(outcomes: Mapping[str, object], probe: str) -> None:
    assert outcomes[probe] in kit.PROBES[probe].outcomes


async def test_every_probe_was_tried_and_nothing_of_the_host_changed(
    outcomes: Mapping[str, object],
) -> None:
    assert set(outcomes) == set(kit.PROBES)
    assert _changed == []
