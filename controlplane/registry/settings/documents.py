"""Settings as stored documents and back. Fields are only ever added, each with a default.

A document has the fields of the dataclasses by their names; times are ISO 8601 in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, cast

from controlplane.model.settings import (
    Cors,
    EventInvokeConfig,
    FunctionSettings,
    ProvisionedConcurrency,
    RuntimeManagement,
    UrlConfig,
)

_Setting = TypeVar("_Setting")
# The values of a document have as many types as there are fields; the dataclasses name them.
_Document: TypeAlias = dict[str, Any]

_TIMES = ("created", "last_modified")


def settings_document(settings: FunctionSettings) -> Mapping[str, object]:
    """Settings as a document of JSON's types."""
    return cast(_Document, _plain(asdict(settings)))


def read_settings(value: bytes) -> FunctionSettings:
    """Settings as their record has them."""
    document: _Document = json.loads(value)
    return FunctionSettings(
        **{
            **document,
            "provisioned": _each(document, "provisioned", _provisioned),
            "urls": _each(document, "urls", _url),
            "event_invokes": _each(document, "event_invokes", _event_invoke),
            "runtime_management": _each(
                document, "runtime_management", lambda each: RuntimeManagement(**each)
            ),
        }
    )


def _each(
    document: _Document, field: str, read: Callable[[_Document], _Setting]
) -> dict[str, _Setting]:
    return {qualifier: read(each) for qualifier, each in document.get(field, {}).items()}


def _provisioned(document: _Document) -> ProvisionedConcurrency:
    return ProvisionedConcurrency(**_with_times(document))


def _event_invoke(document: _Document) -> EventInvokeConfig:
    return EventInvokeConfig(**_with_times(document))


def _url(document: _Document) -> UrlConfig:
    cors: _Document | None = document.get("cors")
    return UrlConfig(**{**_with_times(document), "cors": None if cors is None else _cors(cors)})


def _cors(document: _Document) -> Cors:
    lists: _Document = {key: tuple(each) for key, each in document.items() if type(each) is list}
    return Cors(**{**document, **lists})


def _with_times(document: _Document) -> _Document:
    times = {each: datetime.fromisoformat(document[each]) for each in _TIMES if each in document}
    return {**document, **times}


def _plain(value: object) -> object:
    """The same value with times as text."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value
