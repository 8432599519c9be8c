"""One pipe, and the lines of many events in it.

What a guest writes reaches the pipe through its worker, which says before every line whose it is:

    RS REQUEST-ID SPACE text        a line
    RS REQUEST-ID + SPACE text      the beginning of one that goes on in its next

A line without a mark is the worker's own, and the first seat's. Guests cannot forge one: the worker
puts its mark before everything they write. All of them are the same function's anyway.
"""

from __future__ import annotations

from sandbox.logs import LineSplitter, SandboxLog
from sandbox.output import OutputReader

MARK = b"\x1e"
_GOES_ON = b"+"


class SharedOutput:
    """A worker's pipe."""

    def __init__(self, fd: int) -> None:
        self._shares: list[Share] = []
        self.reader = OutputReader(fd, LineSplitter(self._line).feed)

    def attach(self, log: SandboxLog) -> Share:
        """Lines of the log's invocations go to it from now on."""
        share = Share(self, log)
        self._shares.append(share)
        return share

    def detach(self, share: Share) -> None:
        """What still comes for it is nobody's. Idempotent."""
        if share in self._shares:
            self._shares.remove(share)

    def close(self) -> None:
        """Read no more. Idempotent."""
        self.reader.close()

    def _line(self, line: bytes) -> None:
        if not line.startswith(MARK):
            if self._shares:
                self._shares[0].log.write(line)
            return
        head, _, text = line[len(MARK) :].partition(b" ")
        invocation_id = head.removesuffix(_GOES_ON).decode("utf-8", "replace")
        for share in self._shares:
            if share.log.invocation_id == invocation_id:
                share.splitter.feed(text if head.endswith(_GOES_ON) else text + b"\n")
                return


class Share:
    """One seat's part of it."""

    def __init__(self, output: SharedOutput, log: SandboxLog) -> None:
        self._output = output
        self.log = log
        self.splitter = LineSplitter(log.write)

    def drain(self) -> None:
        """Take what was written before now."""
        self._output.reader.take()
        if self.splitter.pending:
            self.splitter.flush()

    def close(self) -> None:
        """Take no more. Idempotent."""
        self._output.detach(self)
