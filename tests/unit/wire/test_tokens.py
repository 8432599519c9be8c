"""Which token opens which service."""

from __future__ import annotations

import pytest

from emberd.wire.errors import DeniedError
from emberd.wire.interceptors import TokenTable, service_of

TABLE = TokenTable({"a.v1.Ours": "secret-one", "a.v1.Theirs": "secret-two"})


def test_the_right_token_opens_its_own_service() -> None:
    assert TABLE.check("/a.v1.Ours/Do", "Bearer secret-one") is None


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "secret-one",
        "Bearer ",
        "Bearer secret-on",
        "Bearer secret-one ",
        "bearer secret-one",
        "Bearer secret-two",
        "Bearer sécret-one",
        "Basic secret-one",
    ],
)
def test_anything_else_is_unauthenticated_and_told_how_to_get_a_token(presented: str) -> None:
    with pytest.raises(DeniedError, match="emberd env") as refusal:
        TABLE.check("/a.v1.Ours/Do", presented)
    assert refusal.value.reason == "UNAUTHENTICATED"
    assert "secret" not in refusal.value.message


def test_a_service_that_is_in_no_table_is_closed_to_every_token() -> None:
    with pytest.raises(DeniedError) as refusal:
        TABLE.check("/a.v1.Forgotten/Do", "Bearer secret-one")
    assert refusal.value.reason == "ACCESS_DENIED"


def test_health_needs_no_token() -> None:
    assert TABLE.check("/grpc.health.v1.Health/Check", "") is None


@pytest.mark.parametrize(
    ("method", "service"),
    [("/a.v1.Ours/Do", "a.v1.Ours"), ("a.v1.Ours/Do", "a.v1.Ours"), ("/", ""), ("", "")],
)
def test_the_service_of_a_method_is_what_stands_before_the_second_slash(
    method: str, service: str
) -> None:
    assert service_of(method) == service
