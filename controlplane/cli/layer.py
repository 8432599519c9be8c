"""emberd layer: packages that several functions share."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from controlplane.cli import package
from controlplane.cli.client import Client, with_client
from controlplane.cli.output import Output, with_output
from controlplane.cli.shapes import LAYER_COLUMNS, LAYER_VERSION_COLUMNS, layer_shape
from controlplane.cli.terminal import Steps, complain
from controlplane.cli.upload import pack, upload
from emberd.functions.v1 import layers_pb2 as pb


@click.group(name="layer")
def command() -> None:
    """Publish packages that functions share below /opt.

    \b
    Examples:
      emberd layer publish tools ./tools-layer --runtime python3.12
      emberd deploy ./hello --layer arn:aws:lambda:us-east-1:000000000000:layer:tools:1
      emberd layer list tools
    """


@command.command(name="publish")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--description", default="")
@click.option("--runtime", multiple=True, help="A runtime it is for; may be given several times.")
@click.option("--architecture", multiple=True, help="x86_64 or arm64; may be given twice.")
@click.option("--license", "license_info", default="", help="Its licence: text, SPDX or a URL.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
@with_client
@with_output
def publish(
    output: Output,
    client: Client,
    *,
    name: str,
    path: Path,
    description: str,
    runtime: tuple[str, ...],
    architecture: tuple[str, ...],
    license_info: str,
    quiet: bool,
) -> None:
    """Make the next version of a layer from a folder or a zip.

    What lies in it appears below /opt: Python finds modules in python/, programs are found in bin/
    and libraries in lib/.
    """
    steps = Steps(quiet=quiet)
    with tempfile.TemporaryDirectory(prefix="emberd-layer-") as scratch:
        archive = path
        if path.is_dir():
            archive = pack(package.members_of(path), Path(scratch) / "layer.zip", steps)
        else:
            package.check_zipped(path.stat().st_size)
        content = upload(client, archive, steps)
    request = pb.PublishLayerVersionRequest(
        layer_name=name,
        content=content,
        description=description,
        license_info=license_info,
        compatible_runtimes=runtime,
        compatible_architectures=architecture,
    )
    response: pb.PublishLayerVersionResponse = client.call(
        client.layers.PublishLayerVersion, request
    )
    output.show(layer_shape(response.version))


@command.command(name="list")
@click.argument("name", required=False, default="")
@with_client
@with_output
def list_(output: Output, client: Client, name: str) -> None:
    """List all layers with their newest version, or all versions of one."""
    found: list[pb.LayerVersion] = []
    marker: str | None = ""
    while marker is not None:
        more, marker = _page(client, name, marker)
        found.extend(more)
    rows, columns = ("LayerVersions", LAYER_VERSION_COLUMNS) if name else ("Layers", LAYER_COLUMNS)
    output.show({rows: [layer_shape(each) for each in found]}, rows=rows, columns=columns)


@command.command(name="delete")
@click.argument("name")
@click.argument("version", type=int)
@with_client
def delete(client: Client, name: str, version: int) -> None:
    """Delete a version. Functions that have it keep it; its number is not given again."""
    request = pb.DeleteLayerVersionRequest(layer_name=name, version=version)
    client.call(client.layers.DeleteLayerVersion, request)
    complain(f"deleted version {version} of layer {name}")


def _page(client: Client, name: str, marker: str) -> tuple[list[pb.LayerVersion], str | None]:
    """One page, and where the next one begins or None."""
    if name:
        versions: pb.ListLayerVersionsResponse = client.call(
            client.layers.ListLayerVersions,
            pb.ListLayerVersionsRequest(layer_name=name, marker=marker),
        )
        return list(versions.versions), versions.next_marker or None
    layers: pb.ListLayersResponse = client.call(
        client.layers.ListLayers, pb.ListLayersRequest(marker=marker)
    )
    return list(layers.layers), layers.next_marker or None
