"""The functions that these tests deploy, and how."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.fakes.archives import FILE, archive

ROLE = "arn:aws:iam::000000000000:role/compat"
PYTHON = f"python3.{sys.version_info.minor}"
"""The runtime of the Python that runs the tests, which this host therefore has."""
PATIENCE_S = 30.0

ECHO = """
def handler(event, context):
    return event
"""


def package(source: str = ECHO) -> bytes:
    """A deployment package with one module, app.py."""
    return archive(("app.py", source.encode(), FILE))


@dataclass(slots=True)
class Workshop:
    """Makes functions through a client, and deletes them when the test is over."""

    client: Any
    made: list[str] = field(default_factory=list)

    def create(self, name: str, source: str = ECHO, **options: object) -> dict[str, Any]:
        """Create a function and return at once with the answer."""
        arguments: dict[str, object] = {
            "FunctionName": name,
            "Role": ROLE,
            "Runtime": PYTHON,
            "Handler": "app.handler",
            "Code": {"ZipFile": package(source)},
            **options,
        }
        answer: dict[str, Any] = self.client.create_function(**arguments)
        self.made.append(name)
        return answer

    def active(self, name: str, source: str = ECHO, **options: object) -> dict[str, Any]:
        """Create a function and wait until it is active, as every tool does."""
        answer = self.create(name, source, **options)
        self.settle(name)
        return answer

    def settle(self, name: str) -> dict[str, Any]:
        """Wait until a function is active and no update is in progress; return its configuration.

        As the waiters FunctionActiveV2 and FunctionUpdatedV2 do, though they ask once a second.
        """
        until = time.monotonic() + PATIENCE_S
        while True:
            found: dict[str, Any] = self.client.get_function(FunctionName=name)["Configuration"]
            state, update = found["State"], found.get("LastUpdateStatus")
            if (state, update) == ("Active", "Successful"):
                return found
            assert "Failed" not in (state, update), found
            assert time.monotonic() < until, f"{name} is still {state}, {update}"
            time.sleep(0.02)

    def settled(self, name: str, version: str) -> dict[str, Any]:
        """Wait until a version is not Pending any more; return its configuration."""
        until = time.monotonic() + PATIENCE_S
        while True:
            found: dict[str, Any] = self.client.get_function_configuration(
                FunctionName=name, Qualifier=version
            )
            if found["State"] != "Pending":
                return found
            assert time.monotonic() < until, f"{name}:{version} is still Pending"
            time.sleep(0.02)

    def clear(self) -> None:
        """Delete what was made and is still there."""
        for name in self.made:
            try:
                self.client.delete_function(FunctionName=name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
