"""Exit codes, and the one place where an error becomes one line on stderr and a code.

The codes are the AWS CLI's (version 2), with one of our own for a function that failed.
"""

from __future__ import annotations

import os
import sys
import traceback

import click

from controlplane.cli.terminal import complain
from emberd.wire.errors import EmberdError

FUNCTION_FAILED = 1
"""The function ran and failed; its error is on stdout."""
INTERRUPTED = 130
BAD_PARAMETER = 252
NOT_CONFIGURED = 253
SERVICE_ERROR = 254
OTHER = 255

DEBUG_VARIABLE = "EMBERD_DEBUG"
"""Set it to see where an unexpected error came from."""


class BadParameterError(click.ClickException):
    """What the caller gave can never work."""

    exit_code = BAD_PARAMETER


class NotConfiguredError(click.ClickException):
    """Nothing says which emberd is meant, or this machine lacks a part of it."""

    exit_code = NOT_CONFIGURED


class FailedError(click.ClickException):
    """It did not work, and neither the caller's parameters nor the service is to blame."""

    exit_code = OTHER


def run(command: click.Command, arguments: list[str] | None = None) -> None:
    """Run a command line and leave the process with its code."""
    sys.exit(code_of(command, arguments))


def code_of(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run a command line; return its exit code once every error has been told."""
    try:
        result = command.main(arguments, prog_name="emberd", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        _show_usage(error)
        return BAD_PARAMETER
    except click.ClickException as error:
        complain(error.format_message())
        return error.exit_code if error.exit_code >= BAD_PARAMETER else BAD_PARAMETER
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except EmberdError as error:
        complain(f"{error.message} ({error.reason})")
        return SERVICE_ERROR
    except BrokenPipeError:
        # The reader has left. Nothing may be flushed into the pipe at exit, or Python complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OTHER
    except Exception as error:
        # The supervision point of the command line: a user gets one line, not a traceback.
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def _show_usage(error: click.UsageError) -> None:
    if error.ctx is not None:
        complain(error.ctx.get_usage(), prefix="")
    complain(error.format_message())


def _unexpected(error: Exception) -> int:
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exc()
    complain(f"{type(error).__name__}: {error} (set {DEBUG_VARIABLE}=1 to see where it came from)")
    return OTHER
