"""Keeps an agent running: another follows one that has ended, until the launcher stops."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable

from emberd.wire.backoff import Backoff
from sandbox.process.agent_process import AgentProcess, AgentProgram, TokenSource
from sandbox.process.loop import Loop

logger = logging.getLogger(__name__)

AGENT_DRAIN_S = 15.0
"""The agent drains for less than this; then it is killed."""
_COMING_UP_S = 1.5
"""How long after an agent's start nothing that can wait takes processor time from it."""


class AgentKeeper:
    """One agent at a time, each of them met by the launcher before it is heard."""

    def __init__(
        self,
        loop: Loop,
        token: TokenSource,
        program: Callable[[], AgentProgram],
        ended: Callable[[], None],
    ) -> None:
        """program says what is to be started; ended is called after each life."""
        self._loop = loop
        self._token = token
        self._program = program
        self._ended = ended
        self._meet: Callable[[AgentProcess], None] | None = None
        self._backoff = Backoff()
        self._agent: AgentProcess | None = None
        self._stopping = False
        self.is_up = False
        """The first one has had its time to come up."""

    @property
    def agent(self) -> AgentProcess | None:
        """The one that runs."""
        return self._agent

    def start(self) -> None:
        """Start one. It may say something before it is served; that waits."""
        self._agent = AgentProcess.start(self._program(), self._token)
        self._agent.watch(self._loop, self._died)
        logger.info("the agent is started")
        self._loop.after(_COMING_UP_S, self._came_up)

    def serve(self, meet: Callable[[AgentProcess], None]) -> None:
        """Introduce the agent, and all that will follow it, to who listens to it."""
        self._meet = meet
        assert self._agent is not None, "an agent is started before it is served"
        meet(self._agent)

    def stop(self) -> bool:
        """Let it drain and end, in time; whether there is one that will."""
        self._stopping = True
        if self._agent is None:
            return False
        self._agent.signal(signal.SIGTERM)
        self._loop.after(AGENT_DRAIN_S, self._kill_slow)
        return True

    def kill(self) -> None:
        """End it now."""
        if self._agent is not None:
            self._agent.signal(signal.SIGKILL)

    def _kill_slow(self) -> None:
        if self._agent is not None:
            logger.warning("the agent did not end in time")
            self.kill()

    def _came_up(self) -> None:
        self.is_up = True

    def _died(self, status: int) -> None:
        age_s = self._agent.age_s if self._agent is not None else 0.0
        self._agent = None
        self._ended()
        if not self._stopping:
            pause_s = self._backoff.after(age_s)
            logger.warning("the agent ended", extra={"status": status, "restart_in_s": pause_s})
            self._loop.after(pause_s, self._restart)

    def _restart(self) -> None:
        if not self._stopping:
            self.start()
            if self._meet is not None:
                self.serve(self._meet)
