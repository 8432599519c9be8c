"""Hypothesis plays any history of changes; what must hold after each of them holds."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.configuration import ConfigurationChange
from controlplane.registry import AliasChange
from emberd.wire.errors import EmberdError
from tests.unit.registry.conftest import CODE_1, CODE_2, Bench

NAMES = ("thumb", "other")
VERSIONS = st.sampled_from(["$LATEST", "1", "2", "3"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["create", "code", "configure", "publish", "alias", "move", "unalias", "delete"]
        ),
        st.sampled_from(NAMES),
        VERSIONS,
        st.booleans(),
    ),
    max_size=25,
)


async def play(bench, kind, name, version, flag):
    registry = bench.registry
    code = CODE_1 if flag else CODE_2
    match kind:
        case "create":
            await bench.create(name, code=code, publish=flag)
        case "code":
            await registry.update_code(name, code, publish=flag, dry_run=False, revision_id="")
        case "configure":
            change = ConfigurationChange(timeout_s=int(flag) + 1)
            await registry.update_configuration(name, change, revision_id="")
        case "publish":
            await bench.publish(name)
        case "alias":
            weights = {"1": 0.5} if flag else {}
            await bench.alias("live", version, weights=weights, function=name)
        case "move":
            change = AliasChange(function_version=version, weights={})
            await registry.aliases.update(name, "live", change, revision_id="")
        case "unalias":
            await registry.aliases.delete(name, "live")
        case "delete":
            await registry.delete(name, version if flag else "")


def snapshot(registry):
    """Everything that a reader can see."""
    seen = [registry.list("", 0)]
    for view in seen[0].items:
        name = view.version.function_name
        seen.append(registry.versions.list(name, "", 0))
        seen.append(registry.aliases.list(name, function_version="", marker="", max_items=0))
    return seen


def resolvable(registry):
    """The revisions that some reference leads to."""
    found = {}
    for function in registry.list("", 0).items:
        name = function.version.function_name
        for view in registry.versions.list(name, "", 0).items:
            resolution = registry.resolve(name, view.version.version, 0.5)
            found[resolution.revision.revision_id] = resolution.revision.artifact_id
        for view in registry.aliases.list(name, function_version="", marker="", max_items=0).items:
            for draw in (0.0, 0.99):
                resolution = registry.resolve(name, view.alias.name, draw)
                assert resolution.revision.revision_id in found, "an alias leads to a version"
    return found


async def check_history(steps):
    bench = Bench()
    await bench.open()
    for step in steps:
        before = resolvable(bench.registry)
        bench.retired.clear()
        with contextlib.suppress(EmberdError):
            await play(bench, *step)
        after = resolvable(bench.registry)
        assert set(bench.retired) == set(before) - set(after), "exactly what is gone is retired"
        assert set(after.values()) <= set(await bench.blobs.digests()), "code stays while used"
    shown = snapshot(bench.registry)
    await bench.registry.close()
    await bench.open()
    assert snapshot(bench.registry) == shown, "a restart changes nothing"
    await bench.registry.close()


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_happened_code_stays_while_used_and_a_restart_changes_nothing(steps):
    asyncio.run(check_history(steps))
