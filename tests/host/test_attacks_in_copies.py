"""The same attacks from a function template during its init, and from a copy of one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.process.backend import ProcessBackend
from sandbox.spec import SandboxSpec
from tests.host.attacks import kit
from tests.host.harness import BECOMES_A_COPY, Host, read_until, spec_of_copy
from tests.host.test_attacks import spec_of_attacks, state_of

pytestmark = pytest.mark.host

IN_A_COPY = {"socket of route netlink": "EAFNOSUPPORT"}
"""How it differs from every other sandbox: it lists no interfaces."""

IN_A_TEMPLATE = {
    **IN_A_COPY,
    # It may narrow its own filter further, which is what its copies need it for.
    "call seccomp": "EFAULT",
    "descriptors of the parent": {"0": "/dev/null", "1": "pipe", "2": "pipe", "3": "socket"},
}
"""The same of a template; no attack here is held by Landlock alone, which it lacks."""


def _template(host: Host, first: str) -> SandboxSpec:
    spec = replace(spec_of_attacks(host), is_template=True)
    main = Path(spec.code_directory, "main.py")
    main.write_text(first + main.read_text())
    return spec


async def _tried(backend: ProcessBackend, spec: SandboxSpec) -> dict[str, object]:
    sandbox = await backend.create(spec)
    told = json.loads(await asyncio.to_thread(read_until, sandbox.log_fd, b"\n", 60))
    await sandbox.destroy()
    assert isinstance(told, dict)
    return told


def _others(told: dict[str, object]) -> dict[str, object]:
    """Outcomes that are not those of every sandbox."""
    assert set(told) == set(kit.PROBES), "every probe was tried"
    return {
        probe: outcome
        for probe, outcome in told.items()
        if outcome not in kit.PROBES[probe].outcomes
    }


async def test_every_attack_from_a_copy_ends_as_it_must(
    copying_host: Host, copying: ProcessBackend
) -> None:
    template = await copying.create(_template(copying_host, BECOMES_A_COPY))
    before = state_of(copying_host)
    assert _others(await _tried(copying, spec_of_copy(template.spec))) == IN_A_COPY
    assert state_of(copying_host) == before
    await template.destroy()


async def test_every_attack_from_a_template_ends_as_it_must(
    copying_host: Host, copying: ProcessBackend
) -> None:
    before = state_of(copying_host)
    assert _others(await _tried(copying, _template(copying_host, ""))) == IN_A_TEMPLATE
    assert state_of(copying_host) == before
