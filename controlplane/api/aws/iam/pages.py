"""Lists in pages, and documents and tags as IAM writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from controlplane.api.aws.operation import Output
from emberd.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import TagTypeDef

Item = TypeVar("Item")
PAGE = 100


def page(name: str, items: Sequence[Item], request: Mapping[str, object]) -> dict[str, object]:
    """The page that a request asks for: its items under a name, and where the next one begins.

    Raises:
        InvalidArgumentError: the marker is none that was given out.
    """
    marker = str(request.get("Marker", ""))
    if marker and not (marker.isascii() and marker.isdigit() and int(marker) <= len(items)):
        raise InvalidArgumentError("Invalid Marker.", reason="INVALID_PARAMETER_VALUE")
    begin = int(marker or 0)
    wanted = request.get("MaxItems", PAGE)
    end = begin + (wanted if isinstance(wanted, int) else PAGE)
    more = end < len(items)
    return {name: items[begin:end], "IsTruncated": more, "Marker": str(end) if more else None}


def document_text(document: str) -> str:
    """A policy as IAM's answers have it: percent-encoded (RFC 3986)."""
    return quote(document, safe="")


def tags_output(tags: Mapping[str, str]) -> Sequence[Output]:
    """Tags in order of keys."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def tags_input(tags: Iterable[TagTypeDef]) -> Mapping[str, str]:
    """Tags by key."""
    return {each["Key"]: each["Value"] for each in tags}
