"""Copies that are made before anybody asks for them: one ahead of each function template.

All that a copy costs is known once its template is there: only the variables are not. So its next
copy is forked and verified in spare moments, and whoever asks for it only sends what it misses.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from emberd.wire.errors import EmberdError
from sandbox.process.code_folder import Directories
from sandbox.process.copies import Copy
from sandbox.process.images import Images
from sandbox.process.lives import Lives
from sandbox.process.nursery import Embryo
from sandbox.process.protocol import Create
from sandbox.process.sandbox import Sandbox

logger = logging.getLogger(__name__)


class CopiesAhead:
    """The next copy of every template that serves."""

    def __init__(
        self,
        images: Images,
        lives: Lives,
        make: Callable[[Create], tuple[Embryo, Copy | None]],
        dismantle: Callable[[Sandbox], None],
    ) -> None:
        """make bears what a request for a copy asks for; dismantle gives back a dead one's rest."""
        self._images = images
        self._lives = lives
        self._make = make
        self._dismantle = dismantle
        self._next: dict[Sandbox, Sandbox] = {}
        """By its template."""
        self._failed: set[Sandbox] = set()
        """Templates for which that went wrong: not tried again before a copy is asked for."""
        self._made: set[Sandbox] = set()
        """All that nobody has asked for, the dying ones too."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of them."""
        return not self._made

    def refill(self, sandboxes: Iterable[Sandbox]) -> bool:
        """Make the next copy of a template that has none; whether another should follow."""
        lacking = [each for each in sandboxes if self._lacks(each)]
        if lacking:
            self._copy(lacking[0])
        return len(lacking) > 1

    def take(self, owner: Sandbox, request: Create) -> Sandbox | None:
        """The template's next copy as what was asked for, if one waits with these limits.

        Its directories are still nobody's, and who waits for its start is the caller's to say.
        """
        made = self._next.get(owner)
        self._failed.discard(owner)
        if made is None or made.tree is None or made.copy is None or not made.copy.waits:
            return None
        if request.limits != owner.request.limits:
            return None
        del self._next[owner]
        self._made.discard(made)
        made.when_dead.clear()
        made.request = request
        return made

    def end(self, owner: Sandbox) -> None:
        """The template serves no more: neither does what was copied ahead."""
        self._failed.discard(owner)
        made = self._next.pop(owner, None)
        if made is not None and made.tree is not None:
            made.environment.group.kill()

    def _lacks(self, sandbox: Sandbox) -> bool:
        template, request = sandbox.template, sandbox.request
        if template is None or not sandbox.started or sandbox.destroyed or template.obstacle:
            return False
        if sandbox in self._next or sandbox in self._failed:
            return False
        # Last, for it asks the file system, in every spare moment.
        return self._images.is_ready(request.runtime_id, request.limits.ephemeral_bytes)

    def _copy(self, owner: Sandbox) -> None:
        template_id = owner.request.sandbox_id
        request = replace(owner.request, sandbox_id="", clone_of=template_id, is_template=False)
        try:
            embryo, copy = self._make(request)
        except (OSError, EmberdError) as error:
            self._failed.add(owner)
            logger.warning("a copy could not be prepared", extra={"error": str(error)})
            return
        made = Sandbox(request, Directories(folders={}), embryo.environment)
        made.copy = copy
        self._next[owner] = made
        self._made.add(made)
        made.when_dead.append(lambda: self._ended(owner, made))
        self._lives.start(made, embryo, [], owner.directories)

    def _ended(self, owner: Sandbox, made: Sandbox) -> None:
        if self._next.get(owner) is made:
            del self._next[owner]
            self._failed.add(owner)
        self._made.discard(made)
        self._dismantle(made)
