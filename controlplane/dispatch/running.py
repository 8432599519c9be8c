"""An invocation between arrival and end, and the answer that its caller may read meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from controlplane.model.invocation import (
    AttemptResult,
    InvocationRequest,
    InvocationResult,
    RefusedAttempt,
)
from controlplane.model.revision import Resolution
from controlplane.scheduler import InvocationArrived
from emberd.wire import CHUNK_BYTES_MAX
from emberd.wire.errors import EmberdError
from emberd.wire.pipe import BytePipe


class AnswerStream:
    """The bytes of a streamed answer on their way from host to caller."""

    def __init__(self) -> None:
        self.pipe = BytePipe()
        self.content_type: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done when the runtime has begun to stream, with what it says that it streams."""

    @property
    def has_begun(self) -> bool:
        """Whether the caller may have seen some of it."""
        return self.content_type.done()


@dataclass(eq=False, slots=True)
class Running:
    """An invocation between its arrival and its end."""

    request: InvocationRequest
    resolution: Resolution
    start_ns: int
    future: asyncio.Future[AttemptResult]
    stream: AnswerStream | None = None
    """Set when the caller takes a streamed answer as it comes."""
    host_id: str = ""
    placed_ns: int = 0
    """When the newest attempt was given to its host."""
    refused: list[RefusedAttempt] = field(default_factory=list)
    provisioned: bool = False
    """Whether it took a slot that is kept ready for its version or alias."""
    pushed: bytearray = field(default_factory=bytearray)

    def arrival(self, now_s: float) -> InvocationArrived:
        """What the scheduler is told of it; now_s is its monotonic clock."""
        revision = self.resolution.revision
        return InvocationArrived(
            now_s=now_s,
            invocation_id=self.request.request_id,
            function_name=revision.function_name,
            revision_id=revision.revision_id,
            runtime_id=revision.runtime_id,
            architecture=revision.architecture,
            artifact_id=revision.artifact_id,
            reserved_concurrency=self.resolution.reserved_concurrency,
            provisioned=self.resolution.provisioned,
            network=revision.network,
        )

    def end(self, attempt: AttemptResult) -> None:
        """It has run. Only the first end counts."""
        if not self.future.done():
            self.future.set_result(attempt)
        self._close()

    def fail(self, error: EmberdError) -> None:
        """It will not run to an end. Only the first end counts."""
        if not self.future.done():
            self.future.set_exception(error)
        self._close()

    def _close(self) -> None:
        if self.stream is not None:
            self.stream.pipe.close()


class StreamedAnswer:
    """What the caller of a streaming invocation reads: chunks as they come, then the result."""

    def __init__(self, running: Running, ending: asyncio.Task[InvocationResult]) -> None:
        assert running.stream is not None
        self.request_id = running.request.request_id
        self.executed_version = running.resolution.revision.version
        self._stream = running.stream
        self._ending = ending

    @property
    def is_streamed(self) -> bool:
        """Whether the function streams; otherwise all has ended by now."""
        return self._stream.has_begun

    @property
    def content_type(self) -> str:
        """What the runtime says that its answer is; empty when it does not, or failed at once."""
        if self._stream.has_begun:
            return self._stream.content_type.result()
        return self._ending.result().attempt.content_type

    async def begun(self) -> None:
        """Wait for the first of: the answer begins, or all has ended.

        Raises:
            EmberdError: nothing ran.
        """
        waits: set[asyncio.Future[Any]] = {self._stream.content_type, self._ending}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if not self._stream.has_begun:
            self._ending.result()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The answer as it comes, in pieces of at most 1 MiB; never an error's JSON.

        The answer of a function that does not stream comes at its end.

        Raises:
            UnavailableError: the host was lost in the middle.
        """
        while chunk := await self._stream.pipe.read(CHUNK_BYTES_MAX):
            yield chunk
        attempt = (await self.result()).attempt
        if not self._stream.has_begun and not attempt.function_error:
            for start in range(0, len(attempt.payload), CHUNK_BYTES_MAX):
                yield attempt.payload[start : start + CHUNK_BYTES_MAX]

    async def result(self) -> InvocationResult:
        """How it ended, once it has. Its payload is the error's JSON when the function failed."""
        return await asyncio.shield(self._ending)
