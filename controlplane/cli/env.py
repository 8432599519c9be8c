"""emberd env: the variables that our clients and AWS's tools read."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import click

from controlplane.cli.exits import NotConfiguredError
from controlplane.cli.output import json_text
from controlplane.config import DataFolder, Endpoint, RootKey, default_data_folder

TERRAFORM_SERVICES = ("iam", "lambda", "logs", "sts")


@click.command(name="env")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="EMBERD_DATA",
    default=default_data_folder,
    show_default="/var/lib/emberd for root",
    help="Data folder of a running emberd.",
)
@click.option("--output", type=click.Choice(("shell", "json")), default="shell", show_default=True)
@click.option("--terraform", is_flag=True, help="Print a provider block; it holds no keys.")
def command(*, data: Path, output: str, terraform: bool) -> None:
    """Print the variables that clients and AWS tools read.

    The access key is the account's own. Keys for others: emberd keys.

    \b
    Examples:
      eval "$(emberd env --data ./data)"
      aws lambda list-functions
      emberd env --terraform > provider.tf
    """
    folder = DataFolder(data)
    try:
        endpoint = folder.read_endpoint()
        variables = exports(endpoint, folder.token.read_text().strip(), folder.read_root_key())
    except FileNotFoundError as error:
        raise NotConfiguredError(
            f"no emberd runs on {data}: start it with `emberd serve --data {data}`"
        ) from error
    except PermissionError as error:
        raise NotConfiguredError(
            f"{error.filename} is not readable: its owner started emberd; run this as that user"
        ) from error
    except ValueError as error:
        raise NotConfiguredError(str(error)) from error
    if terraform:
        sys.stdout.write(provider_block(endpoint))
    elif output == "json":
        sys.stdout.write(json_text(variables) + "\n")
    else:
        sys.stdout.write(shell_text(variables))


def exports(endpoint: Endpoint, token: str, root_key: RootKey) -> dict[str, str]:
    """Names and values for one running emberd."""
    url = f"http://{endpoint.http}"
    return {
        "EMBERD_ENDPOINT": endpoint.grpc,
        "EMBERD_TOKEN": token,
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_LAMBDA": url,
        "AWS_REGION": endpoint.region,
        "AWS_DEFAULT_REGION": endpoint.region,
        "AWS_ACCESS_KEY_ID": root_key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root_key.secret_access_key,
        # A token left from another session would go along with our key and spoil it.
        "AWS_SESSION_TOKEN": "",
    }


def shell_text(variables: dict[str, str]) -> str:
    """What a shell evaluates."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def provider_block(endpoint: Endpoint) -> str:
    """Terraform's provider. Without keys, so that it may be committed: those are variables."""
    url = json.dumps(f"http://{endpoint.http}")
    width = max(map(len, TERRAFORM_SERVICES))
    lines = [
        '# The keys come from the environment: eval "$(emberd env)"',
        'provider "aws" {',
        f"  region                  = {json.dumps(endpoint.region)}",
        "  skip_metadata_api_check = true",
        "  endpoints {",
        *(f"    {name:<{width}} = {url}" for name in TERRAFORM_SERVICES),
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"
