"""boto3: refusals in Lambda's recorded words, on a real server.

The integration tests hold most of the recorded texts against a registry alone. Here stands
at least one of every family, so that what a client sees is shown end to end: name, status, text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.functions import Workshop
from tests.compat.refused.aliases import ALIASES
from tests.compat.refused.case import LAYER, NAME, Case
from tests.compat.refused.functions import FUNCTIONS
from tests.compat.refused.layers import LAYERS
from tests.compat.refused.permissions import PERMISSIONS
from tests.compat.refused.settings import SETTINGS
from tests.compat.test_layers import layer
from tests.compat.watching import refusal


@pytest.fixture(scope="module")
def refusing(unchecked_client: Any) -> Iterator[Any]:
    """A client, with a function, its version 1, its alias `live`, and a layer."""
    workshop = Workshop(unchecked_client)
    workshop.active(NAME, Publish=True)
    unchecked_client.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
    unchecked_client.publish_layer_version(LayerName=LAYER, Content={"ZipFile": layer("x")})
    yield unchecked_client
    workshop.clear()


def check(client: Any, case: Case) -> None:
    """Make the call; name, status and text must be the recorded ones."""
    kind, status, message = refusal(getattr(client, case.call), **case.given)
    assert (kind, status) == case.error, message
    if case.said.endswith("…"):
        assert message.startswith(case.said[:-1])
    else:
        assert message == case.said


def titles(case: Case) -> str:
    """A test's name for pytest."""
    return case.title


@pytest.mark.shows("Errors", "functions and versions: recorded names, statuses and texts")
@pytest.mark.parametrize("case", FUNCTIONS, ids=titles)
def test_functions_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)


@pytest.mark.shows("Errors", "aliases: recorded names, statuses and texts")
@pytest.mark.parametrize("case", ALIASES, ids=titles)
def test_aliases_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)


@pytest.mark.shows("Errors", "layers: recorded names, statuses and texts")
@pytest.mark.parametrize("case", LAYERS, ids=titles)
def test_layers_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)


@pytest.mark.shows("Errors", "permissions: recorded names, statuses and texts")
@pytest.mark.parametrize("case", PERMISSIONS, ids=titles)
def test_permissions_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)


@pytest.mark.shows("Errors", "concurrency, URLs, tags and more: recorded names, statuses, texts")
@pytest.mark.parametrize("case", SETTINGS, ids=titles)
def test_settings_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)
