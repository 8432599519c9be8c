"""emberd deploy: create or update a function from a folder, a zip or a WebAssembly module."""

from __future__ import annotations

import platform
import re
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import click
from google.protobuf.duration_pb2 import Duration

from controlplane.cli import discovery, modules, package, preinit, requirements
from controlplane.cli.client import Client, with_client
from controlplane.cli.exits import BadParameterError, FailedError
from controlplane.cli.hosts import list_hosts
from controlplane.cli.output import Output, with_output
from controlplane.cli.shapes import function_shape
from controlplane.cli.terminal import Steps
from controlplane.cli.upload import pack, upload
from emberd.functions.v1 import functions_pb2 as pb
from emberd.wire.errors import NotFoundError

REQUIREMENTS = "requirements.txt"
READY_S = 330.0
"""A deployed function is ready when the service answers, which it does within five minutes: a host
may have to run its init, or to compile it."""
LAYER_HELP = "A layer version; together they replace all, in this order. An empty one removes them."
NETWORK_HELP = "egress, none, or a network that a host offers. [default: egress]"
SNAP_START_HELP = (
    "Copy environments from a snapshot of one init: of versions, of $LATEST too (all), or none."
)
PREINIT_HELP = "Let Wizer initialise a WebAssembly module first: instances begin where that ended."
SNAP_START = {"none": "None", "versions": "PublishedVersions", "all": "EveryVersion"}
_PYTHON = re.compile(r"python(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says of the function; None where it says nothing."""

    name: str
    runtime: str | None
    handler: str | None
    memory_mb: int | None
    timeout_s: int | None
    ephemeral_storage_mb: int | None
    environment: dict[str, str] | None
    description: str | None
    role: str | None
    layers: tuple[str, ...] | None
    network: str | None
    snap_start: str | None
    """As the registry calls it."""

    def changes_configuration(self) -> bool:
        """Whether anything but the code is named."""
        return any(
            value is not None
            for value in (self.runtime, self.handler, self.memory_mb, self.timeout_s)
        ) or any(
            value is not None
            for value in (
                self.ephemeral_storage_mb,
                self.environment,
                self.description,
                self.role,
                self.layers,
                self.network,
                self.snap_start,
            )
        )


@click.command(name="deploy")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--name", help="The function's name. [default: the folder's]")
@click.option("--runtime", help="For example python3.12, or wasm. [default: the newest Python]")
@click.option("--handler", help="FILE.FUNCTION, or FILE.wasm. [default: found]")
@click.option("--memory", type=int, metavar="MB", help="128 to 10240. [default: 128]")
@click.option("--timeout", type=int, metavar="SECONDS", help="1 to 900. [default: 3]")
@click.option("--ephemeral-storage", type=int, metavar="MB", help="Size of /tmp. [default: 512]")
@click.option("--env", multiple=True, metavar="K=V", help="A variable; together they replace all.")
@click.option("--description")
@click.option("--role", metavar="ARN", help="Any well-formed execution role.")
@click.option("--layer", multiple=True, metavar="ARN", help=LAYER_HELP)
@click.option("--network", metavar="NAME", help=NETWORK_HELP)
@click.option("--snap-start", type=click.Choice(list(SNAP_START)), help=SNAP_START_HELP)
@click.option("--preinit", "initialise", is_flag=True, help=PREINIT_HELP)
@click.option("--publish", is_flag=True, help="Publish a version of it at once.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@with_client
@with_output
def command(
    output: Output,
    client: Client,
    *,
    path: Path,
    name: str | None,
    runtime: str | None,
    handler: str | None,
    memory: int | None,
    timeout: int | None,
    ephemeral_storage: int | None,
    env: tuple[str, ...],
    description: str | None,
    role: str | None,
    layer: tuple[str, ...],
    network: str | None,
    snap_start: str | None,
    initialise: bool,
    publish: bool,
    quiet: bool,
) -> None:
    """Create or update a function from a folder, a zip or a WebAssembly module.

    A folder's requirements.txt is installed into the package. On an update, what is not named stays
    as it is.

    \b
    Examples:
      emberd deploy examples/hello
      emberd deploy ./build.zip --name resize --runtime python3.12 --handler app.handler
      emberd deploy main.wasm --name shop --preinit
      emberd deploy . --memory 512 --timeout 30 --env STAGE=prod --publish
      emberd deploy . --snap-start versions --publish
    """
    _check_kind(path)
    if initialise:
        preinit.check(path)
    wish = Wish(
        name=name or discovery.function_name(path),
        runtime=runtime,
        handler=handler,
        memory_mb=memory,
        timeout_s=timeout,
        ephemeral_storage_mb=ephemeral_storage,
        environment=_variables(env) if env else None,
        description=description,
        role=role,
        layers=tuple(filter(None, layer)) if layer else None,
        network=network,
        snap_start=SNAP_START[snap_start] if snap_start else None,
    )
    wish = _of_module(path, wish)
    steps = Steps(quiet=quiet)
    deployed = _deploy(client, path, wish, steps, initialise=initialise, publish=publish)
    output.show(function_shape(deployed))


def _deploy(
    client: Client, path: Path, wish: Wish, steps: Steps, *, initialise: bool, publish: bool
) -> pb.FunctionConfiguration:
    present = _present(client, wish.name)
    runtime = wish.runtime or (present.runtime if present else newest_python(client))
    # Found before anything is installed or sent, so that what is missing is told at once.
    handler = wish.handler or (present.handler if present else _find_handler(path, runtime))
    with tempfile.TemporaryDirectory(prefix="emberd-deploy-") as scratch:
        if initialise:
            path = _initialised(path, Path(scratch) / "initialised", steps)
        archive = _archive(client, path, runtime, Path(scratch), steps)
        code = upload(client, archive, steps)
    if present is None:
        return _create(client, wish, runtime, handler, code, publish=publish)
    return _update(client, wish, code, publish=publish)


def _initialised(module: Path, folder: Path, steps: Steps) -> Path:
    """What Wizer made of it, under its own name, which is its handler."""
    folder.mkdir()
    target = folder / module.name
    preinit.initialise(module, target, steps)
    return target


def _of_module(path: Path, wish: Wish) -> Wish:
    """A module that is deployed as it is says what runs it, and is its own handler.

    Raises:
        BadParameterError: another runtime was named.
    """
    if not modules.is_module(path):
        return wish
    if wish.runtime not in (None, modules.RUNTIME):
        raise BadParameterError(f"{path} is WebAssembly: {wish.runtime} does not run it")
    return replace(wish, runtime=modules.RUNTIME, handler=wish.handler or path.name)


def _find_handler(path: Path, runtime: str) -> str:
    if runtime == modules.RUNTIME:
        return modules.demand_handler(path)
    return discovery.find_handler(path)


def newest_python(client: Client) -> str:
    """The newest Python that a host offers.

    Raises:
        FailedError: no host is there, or none has one.
    """
    offered = {each.runtime_id for host in list_hosts(client) for each in host.runtimes}
    pythons = [match for each in offered if (match := _PYTHON.fullmatch(each))]
    if not pythons:
        raise FailedError(
            "no attached host has a Python, so none can be chosen: give --runtime, or see "
            "`emberd hosts` and `emberd doctor`"
        )
    return max(pythons, key=lambda match: (int(match[1]), int(match[2])))[0]


def _present(client: Client, name: str) -> pb.FunctionConfiguration | None:
    try:
        request = pb.GetFunctionRequest(function_name=name)
        response: pb.GetFunctionResponse = client.call(client.functions.GetFunction, request)
    except NotFoundError:
        return None
    return response.configuration


def _archive(client: Client, path: Path, runtime: str, scratch: Path, steps: Steps) -> Path:
    """The zip to send: the one given, or one made from the folder."""
    if modules.is_module(path):
        return pack(package.members_of_file(path), scratch / "package.zip", steps)
    if path.is_file():
        package.check_zipped(path.stat().st_size)
        return path
    members = package.members_of(path)
    wanted = path / REQUIREMENTS
    if requirements.names_packages(wanted):
        target = requirements.target_of(runtime, _architecture(client, runtime))
        if target is None:
            steps.say(f"{REQUIREMENTS} is not installed: {runtime} is no Python")
        else:
            installed = scratch / "installed"
            requirements.install(wanted, installed, target, steps)
            # The folder's own files win over those of a package.
            members = {**package.members_of(installed), **members}
    return pack(members, scratch / "package.zip", steps)


def _architecture(client: Client, runtime: str) -> str:
    """The machine of a host that has the runtime."""
    for host in list_hosts(client):
        if any(each.runtime_id == runtime for each in host.runtimes):
            return host.architecture
    return platform.machine()


def _create(
    client: Client, wish: Wish, runtime: str, handler: str, code: pb.Code, *, publish: bool
) -> pb.FunctionConfiguration:
    request = pb.CreateFunctionRequest(
        function_name=wish.name,
        runtime=runtime,
        handler=handler,
        role=wish.role or "",
        code=code,
        description=wish.description or "",
        timeout=_seconds(wish.timeout_s),
        memory_size_mb=wish.memory_mb,
        ephemeral_storage_mb=wish.ephemeral_storage_mb,
        environment=_environment(wish.environment),
        layers=_layers(wish.layers),
        network=wish.network,
        snap_start_apply_on=wish.snap_start,
        publish=publish,
    )
    response: pb.CreateFunctionResponse = client.call(
        client.functions.CreateFunction, request, READY_S
    )
    return response.configuration


def _update(
    client: Client, wish: Wish, code: pb.Code, *, publish: bool
) -> pb.FunctionConfiguration:
    """Change the configuration first: it is the part that may be refused."""
    if wish.changes_configuration():
        client.call(
            client.functions.UpdateFunctionConfiguration,
            pb.UpdateFunctionConfigurationRequest(
                function_name=wish.name,
                runtime=wish.runtime,
                handler=wish.handler,
                role=wish.role,
                description=wish.description,
                timeout=_seconds(wish.timeout_s),
                memory_size_mb=wish.memory_mb,
                ephemeral_storage_mb=wish.ephemeral_storage_mb,
                environment=_environment(wish.environment),
                layers=_layers(wish.layers),
                network=wish.network,
                snap_start_apply_on=wish.snap_start,
            ),
            READY_S,
        )
    response: pb.UpdateFunctionCodeResponse = client.call(
        client.functions.UpdateFunctionCode,
        pb.UpdateFunctionCodeRequest(function_name=wish.name, code=code, publish=publish),
        READY_S,
    )
    return response.configuration


def _seconds(timeout_s: int | None) -> Duration | None:
    return None if timeout_s is None else Duration(seconds=timeout_s)


def _environment(variables: dict[str, str] | None) -> pb.Environment | None:
    return None if variables is None else pb.Environment(variables=variables)


def _layers(arns: tuple[str, ...] | None) -> pb.Layers | None:
    return None if arns is None else pb.Layers(arns=arns)


def _variables(pairs: tuple[str, ...]) -> dict[str, str]:
    variables = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadParameterError(f"--env {pair!r} is no variable: write NAME=VALUE")
        variables[name] = value
    return variables


def _check_kind(path: Path) -> None:
    if path.is_dir() or path.suffix == ".zip" or zipfile.is_zipfile(path):
        return
    if not modules.is_module(path):
        raise BadParameterError(f"{path} is neither a folder nor a zip archive")
