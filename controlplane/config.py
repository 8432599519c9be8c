"""What `emberd serve` is told, and where things lie in a data folder.

Standard library only: the supervisor keeps root and is meant to stay small.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from controlplane.model.limits import ACCOUNT_CONCURRENCY

HTTP_ADDRESS = "127.0.0.1:4600"
GRPC_ADDRESS = "127.0.0.1:4601"
REGION = "us-east-1"
STREAM_MB_PER_S = 2
"""Lambda's."""

SOCKET_PATH_BYTES_MAX = 107
"""sun_path of a Unix socket holds 108 bytes with its closing NUL (unix(7))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a running emberd can be reached; what endpoint.json holds."""

    grpc: str
    http: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootKey:
    """The account's own access key; what root.key holds."""

    access_key_id: str
    secret_access_key: str = field(repr=False)

    def written(self) -> str:
        """As the file has it."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeConfig:
    """The settings of one `emberd serve`."""

    data: Path
    """The data folder, absolute."""
    http_address: str
    """HOST:PORT; port 0 picks a free one."""
    grpc_address: str
    """HOST:PORT; port 0 picks a free one."""
    region: str
    with_host: bool
    """Whether this machine runs functions too."""
    memory_mb: int | None
    """Budget of all sandboxes together; None leaves the choice to the host."""
    template_memory_mb: int | None
    """Of that, what function templates may hold together, 0 for none; None as above."""
    sandboxes_max: int | None
    """Most sandboxes at once; None leaves the choice to the host."""
    log_level: str
    networks: tuple[str, ...] = ()
    """Named networks of this machine's host, as NAME=CIDR,..."""
    allow_missing: tuple[str, ...] = ()
    """Walls that this machine's sandboxes may lack, as doctor calls them."""
    auth: bool = True
    """Whether callers over HTTP must sign."""
    account_concurrency: int = ACCOUNT_CONCURRENCY
    """How many invocations may run at once."""
    stream_mb_per_s: int = STREAM_MB_PER_S
    """How fast a streamed answer goes on after its first 6 MB; 0 for as fast as it comes."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The places in a data folder. Whoever may read `token` or `root.key` may use this emberd."""

    root: Path

    @property
    def token(self) -> Path:
        """The clients' bearer token."""
        return self.root / "token"

    @property
    def host_token(self) -> Path:
        """The hosts' bearer token."""
        return self.root / "host.token"

    @property
    def metrics_token(self) -> Path:
        """The bearer token of those who scrape /metrics."""
        return self.root / "metrics.token"

    @property
    def data_key(self) -> Path:
        """What the control plane seals secrets with."""
        return self.root / "data.key"

    @property
    def root_key(self) -> Path:
        """The account's own access key, for AWS's tools."""
        return self.root / "root.key"

    @property
    def endpoint_file(self) -> Path:
        """Addresses of the running emberd; there only while it runs."""
        return self.root / "endpoint.json"

    @property
    def control(self) -> Path:
        """What the control plane keeps; owned by its uid."""
        return self.root / "control"

    @property
    def run(self) -> Path:
        """Sockets."""
        return self.root / "run"

    @property
    def host(self) -> Path:
        """What the host keeps."""
        return self.root / "host"

    @property
    def fleet_socket(self) -> Path:
        """Where hosts on this machine attach: a link to the socket of the running emberd."""
        return self.run / "fleet.sock"

    def fleet_socket_of(self, life: str) -> Path:
        """The socket of one life of emberd, which hosts of an earlier life cannot know."""
        return self.run / f"fleet-{life}.sock"

    def read_endpoint(self) -> Endpoint:
        """Return the running emberd's addresses.

        Raises:
            FileNotFoundError: none runs on this folder.
            ValueError: the file is damaged.
        """
        try:
            read = json.loads(self.endpoint_file.read_text())
            return Endpoint(grpc=read["grpc"], http=read["http"], region=read["region"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self.endpoint_file} is damaged ({error!r}): restart emberd on this folder"
            ) from error

    def read_root_key(self) -> RootKey:
        """Return the account's own access key.

        Raises:
            OSError: it is not there, or not for this user.
            ValueError: the file is damaged.
        """
        try:
            read = json.loads(self.root_key.read_text())
            return RootKey(
                access_key_id=str(read["access_key_id"]),
                secret_access_key=str(read["secret_access_key"]),
            )
        except (KeyError, TypeError, ValueError):
            # Without the cause: it would show what the file holds.
            raise ValueError(
                f"{self.root_key} is damaged: remove it and restart emberd, which makes a new key"
            ) from None

    def write_endpoint(self, endpoint: Endpoint) -> None:
        """Replace the file in one step, so that no reader sees half of it."""
        draft = self.endpoint_file.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(endpoint)) + "\n")
        draft.replace(self.endpoint_file)


def default_data_folder() -> Path:
    """The data folder when none is named: the system's for root, else the user's own."""
    if os.geteuid() == 0:
        return Path("/var/lib/emberd")
    return Path.home() / ".local" / "share" / "emberd"
