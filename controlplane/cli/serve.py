"""emberd serve: the whole system on this machine, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path

import click

from controlplane.cli.exits import BadParameterError, NotConfiguredError
from controlplane.cli.terminal import complain
from controlplane.config import (
    GRPC_ADDRESS,
    HTTP_ADDRESS,
    REGION,
    STREAM_MB_PER_S,
    ServeConfig,
    default_data_folder,
)
from controlplane.model.ids import is_region
from controlplane.model.limits import ACCOUNT_CONCURRENCY

PORT_MAX = 65_535
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@click.command(name="serve")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="EMBERD_DATA",
    default=default_data_folder,
    show_default="/var/lib/emberd for root",
    help="Data folder; made when missing.",
)
@click.option("--http", default=HTTP_ADDRESS, show_default=True, metavar="HOST:PORT")
@click.option("--grpc", default=GRPC_ADDRESS, show_default=True, metavar="HOST:PORT")
@click.option("--memory-mb", type=click.IntRange(min=1), help="Memory for all sandboxes together.")
@click.option(
    "--template-memory-mb",
    type=click.IntRange(min=0),
    help="Of it, for function templates, a quarter unless said; 0 for none.",
)
@click.option("--max-sandboxes", type=click.IntRange(min=1), help="Most sandboxes at once.")
@click.option("--region", default=REGION, show_default=True, help="Region in ARNs.")
@click.option(
    "--account-concurrency",
    type=click.IntRange(min=1),
    default=ACCOUNT_CONCURRENCY,
    show_default=True,
    help="Most invocations at once.",
)
@click.option(
    "--stream-mb-per-s",
    type=click.IntRange(min=0),
    default=STREAM_MB_PER_S,
    show_default=True,
    help="Rate of a streamed answer after its first 6 MB; 0 for no limit.",
)
@click.option("--no-auth", is_flag=True, help="Take HTTP calls of this machine unsigned.")
@click.option(
    "--network",
    multiple=True,
    metavar="NAME=CIDR,...",
    help="A network that functions may have: reaches these ranges, with `internet` egress too.",
)
@click.option(
    "--allow-missing",
    multiple=True,
    metavar="WALL",
    help="Run functions without this wall, as `emberd doctor` calls it.",
)
@click.option("--no-host", is_flag=True, help="Run no functions on this machine.")
@click.option("--log-level", type=click.Choice(LEVELS), default="INFO", show_default=True)
def command(
    *,
    data: Path,
    http: str,
    grpc: str,
    memory_mb: int | None,
    template_memory_mb: int | None,
    max_sandboxes: int | None,
    region: str,
    account_concurrency: int,
    stream_mb_per_s: int,
    no_auth: bool,
    network: tuple[str, ...],
    allow_missing: tuple[str, ...],
    no_host: bool,
    log_level: str,
) -> None:
    """Start emberd on this machine.

    Port 0 picks a free port. `emberd ready` on stderr says that invocations are accepted; SIGTERM
    or Ctrl-C lets what runs finish and leaves nothing behind, a second one hurries.

    \b
    Example:
      emberd serve --data ./data
      eval "$(emberd env --data ./data)"
      emberd deploy examples/hello && emberd invoke hello
    """
    config = ServeConfig(
        data=data.resolve(),
        http_address=_address(http, "--http"),
        grpc_address=_address(grpc, "--grpc"),
        region=_region(region),
        with_host=_with_host(data, no_host=no_host),
        memory_mb=memory_mb,
        template_memory_mb=template_memory_mb,
        sandboxes_max=max_sandboxes,
        log_level=log_level,
        networks=network,
        allow_missing=allow_missing,
        auth=_with_auth(http, no_auth=no_auth),
        account_concurrency=account_concurrency,
        stream_mb_per_s=stream_mb_per_s,
    )
    sys.exit(_supervise(config))


def _supervise(config: ServeConfig) -> int:
    from controlplane.programs import SetupError, installed
    from controlplane.supervisor import Supervisor
    from emberd.wire.precedence import coming_first
    from emberd.wire.survival import be_spared

    be_spared()
    try:
        programs = installed(confined=os.geteuid() == 0)
        with coming_first():
            return Supervisor(config, programs, lambda line: complain(line, prefix="")).run()
    except SetupError as error:
        raise NotConfiguredError(str(error)) from error


def _with_auth(http: str, *, no_auth: bool) -> bool:
    if no_auth and not _is_loopback(http.rpartition(":")[0].strip("[]")):
        raise BadParameterError(
            f"--no-auth is for loopback only, and --http {http} may be reached from elsewhere: "
            f"leave one of them out, or use --http {HTTP_ADDRESS}"
        )
    return not no_auth


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _with_host(data: Path, *, no_host: bool) -> bool:
    if no_host or os.geteuid() == 0:
        return not no_host
    complain(
        "not root, so no function runs on this machine yet: sandboxes need root. Run `emberd serve`"
        " as root, or attach a host: sudo emberd-host run --state /var/lib/emberd-host "
        f"--control-plane unix:{data.resolve()}/run/fleet.sock --token-file "
        f"{data.resolve()}/host.token"
    )
    return False


def _region(text: str) -> str:
    """The region as given, once ARNs can name it."""
    if not is_region(text):
        raise BadParameterError(
            f"--region {text!r} is no region: write one as AWS does, for example {REGION}"
        )
    return text


def _address(text: str, option: str) -> str:
    """HOST:PORT as given, once its port is known to be one."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= PORT_MAX):
        raise BadParameterError(f"{option} {text!r} is no address: write HOST:PORT")
    return text
