"""One sandbox as the launcher knows it."""

from __future__ import annotations

from collections.abc import Callable

from emberd.wire.errors import EmberdError
from sandbox.process.code_folder import Directories
from sandbox.process.copies import Copy, FunctionTemplate
from sandbox.process.environments import Environment
from sandbox.process.memory_watch import MemoryWatch
from sandbox.process.protocol import Create
from sandbox.process.trees import Tree

_SIGKILL = 9


class Sandbox:
    """What was asked for, where it lives, what runs in it, and who waits for what."""

    def __init__(self, request: Create, directories: Directories, environment: Environment) -> None:
        self.request = request
        self.directories = directories
        self.environment = environment
        self.tree: Tree | None = None
        self.generation = 0
        self.was_parked = False
        self.started = False
        self.memory: MemoryWatch | None = None
        self.end: tuple[int | None, int | None] = (None, _SIGKILL)
        """Status or signal of what ran."""
        self.failure = ""
        self.when_started: Callable[[], None] | None = None
        self.when_failed: Callable[[EmberdError], None] | None = None
        self.when_dead: list[Callable[[], None]] = []
        self.destroyed = False
        self.template: FunctionTemplate | None = None
        """What makes it one."""
        self.copy: Copy | None = None
        """How it is copied from one."""

    def begin(self, tree: Tree, failure: str) -> None:
        """Another tree is about to run; failure is what it has said of itself so far."""
        self.tree, self.started, self.failure = tree, False, failure
        self.was_parked = tree.is_parked
        self.end = (None, _SIGKILL)
        self.generation += 1

    def fail(self, why: str) -> None:
        """End it, for this reason."""
        self.failure = why
        self.environment.group.kill()

    def kill(self, then: Callable[[], None]) -> None:
        """End what runs in it, and go on once nothing does."""
        if self.tree is None:
            then()
        else:
            self.when_dead.append(then)
            self.environment.group.kill()

    def end_tree(self) -> None:
        """End all that runs; of a template all but pid 1, with which its copies would end."""
        if self.tree is not None:
            group = self.environment.group
            group.kill() if self.template is None else group.kill_tree()

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether that alone ended one that is neither template nor copy: these start otherwise."""
        usual = self.template is None and self.copy is None and not self.failure
        return usual and self.memory is not None and self.memory.has_run_out
