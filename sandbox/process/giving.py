"""Gives a waiting child its function: the mounts and variables that a request asks for."""

from __future__ import annotations

import contextlib
import os

from runtimes.catalog import RUNTIMES
from sandbox.process import mounts, syscalls
from sandbox.process.assignment import Assignment, Handover
from sandbox.process.code_folder import Directories
from sandbox.process.environments import Environment
from sandbox.process.images import Images
from sandbox.process.protocol import Create
from sandbox.process.trees import Tree


def may_park(request: Create) -> bool:
    """Whether a fork of the runtime's template can become this sandbox."""
    runtime = RUNTIMES[request.runtime_id]
    if request.is_template:
        # One that waits has built the very walls that a template must not have yet.
        return False
    return not runtime.must_execute({**runtime.environment, **request.environment})


def variables_of(request: Create) -> dict[str, str]:
    """All that the function's process sees."""
    return {**RUNTIMES[request.runtime_id].environment, **request.environment}


def give(
    tree: Tree,
    request: Create,
    directories: Directories,
    environment: Environment,
    images: Images,
    copying_fd: int | None = None,
) -> None:
    """Send the child what makes it this function's; with copying_fd, or the function's template.

    A copy's child gets neither program nor variables: these go to the template.

    Raises:
        OSError: a directory cannot be copied, or the child is gone.
    """
    is_copy = bool(request.clone_of)
    variables = {} if is_copy else variables_of(request)
    with contextlib.ExitStack() as copies:

        def copy(path: str, directory_fd: int = syscalls.AT_FDCWD) -> int:
            fd = mounts.detached(path, directory_fd=directory_fd)
            copies.callback(os.close, fd)
            return fd

        handover = Handover(
            environment=variables,
            attachments=[(copy("", fd), target) for target, fd in directories.folders.items()],
        )
        if tree.is_parked:
            tree.assign(handover)
            return
        assignment = Assignment(
            runtime_id=request.runtime_id,
            argv=() if is_copy else RUNTIMES[request.runtime_id].command(variables),
            image_fd=copy(str(images.image(request.runtime_id))),
            runtime_fd=copy(str(images.runtime(request.runtime_id))),
            tmp_fd=environment.volume.mount_fd,
            log_fd=environment.log_write_fd,
            handover=handover,
            copying_fd=copying_fd,
        )
        tree.assign(assignment)
