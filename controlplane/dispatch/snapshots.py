"""Has a host make a version ready before it is Active: SnapStart's snapshot, or compiled code.

Of a runtime that is compiled first, one host compiles the package, once; others do when they first
need it, and where none can, the version is Active all the same: its sandboxes compile it then.

For a snapshot one host runs the version's init, makes the first template of it and says whether
init went well; others make theirs when they first need one. Nothing is remembered here: what was
being made when the control plane ended is asked for again, since the version is Pending still.
"""

from __future__ import annotations

import asyncio
import json
import logging

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.dispatch.ports import (
    AttachedHost,
    HostLink,
    SnapshotOrder,
    SnapshotReport,
    SnapshotResult,
)
from controlplane.dispatch.sharing import candidate_of
from controlplane.model.functions import FunctionVersion, revision_of
from controlplane.model.ids import LATEST, ArnScheme
from controlplane.model.revision import Revision
from controlplane.model.runtimes import COMPILED_FIRST
from controlplane.model.status import Failure, NotReadyError
from emberd.wire.errors import UnavailableError

logger = logging.getLogger(__name__)

INIT_S = 130.0
"""How long an init may take; a longer time-out of the function extends it."""

TRANSFER_S = 120.0
"""What a host may take beyond that, to fetch and unpack a package among other things."""

REASON_CHARACTERS_MAX = 1_000

_CODES = {
    "Sandbox.Timedout": "FunctionError.InitTimeout",
    "Runtime.OutOfMemory": "FunctionError.InitResourceExhausted",
    "Runtime.InvalidEntrypoint": "FunctionError.InvalidEntryPoint",
}
"""The model's StateReasonCodes by the type of an init's error."""
_OTHER_CODE = "FunctionError.RuntimeInitError"


class Snapshots:
    """Asks hosts for templates and waits for them."""

    def __init__(self, dispatcher: Dispatcher, arns: ArnScheme) -> None:
        self._dispatcher = dispatcher
        self._arns = arns
        self._waiting: dict[tuple[HostLink, str], asyncio.Future[SnapshotReport]] = {}
        self._changed = asyncio.Event()
        dispatcher.on_fleet_changed(self._fleet_changed)
        dispatcher.on_snapshot_made(self._made)

    async def prepare(self, version: FunctionVersion) -> str:
        """Make the snapshot of a version that wants one, or have it compiled.

        A $LATEST without a snapshot still runs as any other function, and its next invocation
        tells of an init that fails; a published version fails with it, as on Lambda.

        Returns:
            Why there is none although the version can run; empty when all went well.

        Raises:
            NotReadyError: its init failed.
            UnavailableError: no host could make it for now.
        """
        if not version.snap_starts:
            if version.configuration.runtime_id in COMPILED_FIRST:
                await self._compile(revision_of(version, self._arns))
            return ""
        report = await self._make(revision_of(version, self._arns))
        if report.result is SnapshotResult.READY:
            return ""
        if report.result is SnapshotResult.REFUSED:
            return report.message
        reason = _reason(report)
        if version.version == LATEST:
            return reason
        code = _CODES.get(report.error_type, _OTHER_CODE)
        raise NotReadyError(Failure(code=code, reason=reason))

    async def _compile(self, revision: Revision) -> None:
        """Have it compiled by the first host that can; it may well be that none can."""
        asked: dict[str, str] = {}
        while (host := self._choose(revision, asked)) is not None:
            report = await self._ask(host, revision)
            if report is not None and report.result is SnapshotResult.READY:
                return
            asked[host.hello.host_id] = report.message if report else "it was lost"
        told = {"id": revision.revision_id, "why": _told(asked)}
        logger.warning("a package is not compiled before its first start", extra=told)

    async def _make(self, revision: Revision) -> SnapshotReport:
        """Ask one host after another until one has run the init."""
        asked: dict[str, str] = {}
        while True:
            self._changed.clear()
            host = self._choose(revision, asked)
            if host is not None:
                report = await self._ask(host, revision)
                if report is None:
                    continue  # It was lost; one that attaches anew is asked anew.
                if report.result is not SnapshotResult.NOT_MADE:
                    return report
                asked[host.hello.host_id] = report.message
            elif asked:
                raise UnavailableError(
                    f"no host made a snapshot: {_told(asked)}", reason="START_FAILED"
                )
            else:
                await self._changed.wait()

    def _choose(self, revision: Revision, asked: dict[str, str]) -> AttachedHost | None:
        """The emptiest host that can run it and was not asked yet."""
        able = [
            host
            for host in self._dispatcher.hosts
            if not host.draining
            and host.hello.host_id not in asked
            and candidate_of(host).can_run(revision)
        ]
        return min(able, key=lambda host: host.report.memory_charged_bytes, default=None)

    async def _ask(self, host: AttachedHost, revision: Revision) -> SnapshotReport | None:
        """What a host made of it; None when it was lost meanwhile."""
        key = (host.link, revision.revision_id)
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            host.link.snapshot(
                SnapshotOrder(
                    revision=revision, credentials=self._dispatcher.credentials_of(revision)
                )
            )
        limit_s = max(INIT_S, revision.timeout_s) + TRANSFER_S
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.shield(future)
        except TimeoutError:
            message = f"it did not say within {limit_s:g} s how that went"
            return SnapshotReport(result=SnapshotResult.NOT_MADE, message=message, error_type="")
        except asyncio.CancelledError:
            if future.cancelled():
                return None
            raise
        finally:
            if self._waiting.get(key) is future:
                del self._waiting[key]

    def _made(self, link: HostLink, revision_id: str, report: SnapshotReport) -> None:
        future = self._waiting.get((link, revision_id))
        if future is not None and not future.done():
            future.set_result(report)

    def _fleet_changed(self) -> None:
        self._changed.set()
        attached = {host.link for host in self._dispatcher.hosts}
        for (link, _), future in list(self._waiting.items()):
            if link not in attached:
                future.cancel()


def _told(asked: dict[str, str]) -> str:
    """What hosts said, by their ids."""
    return "; ".join(f"host {host_id}: {why}" for host_id, why in asked.items())


def _reason(report: SnapshotReport) -> str:
    """What went wrong, in the function's own words where it said some."""
    try:
        said = json.loads(report.message)
        message = str(said.get("errorMessage", "")) if isinstance(said, dict) else ""
    except (ValueError, RecursionError):
        message = ""
    text = f"The function's init failed: {report.error_type}" + (f": {message}" if message else "")
    return text[:REASON_CHARACTERS_MAX]
