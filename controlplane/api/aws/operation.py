"""What an operation is: a plain function of typed input over the registry or dispatch.

The codec has authenticated, parsed, validated and authorised before it calls one, and turns what it
returns or raises into an HTTP answer afterwards. Fronts that are not HTTP call the same functions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from controlplane.api.aws.services import Services
from controlplane.model.principal import Principal
from controlplane.model.trace import NO_HEADERS, TraceHeaders

Output: TypeAlias = Mapping[str, object]
"""Members of the operation's output shape by their names in the model; None is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The circumstances of one call."""

    request_id: str
    """A UUID; of an invocation also its own id."""
    principal: Principal
    endpoint: str
    """How the caller reached us: http://HOST:PORT, no slash. URLs in answers begin with it."""
    arrival_ns: int
    """When the request had been read, in nanoseconds since the epoch."""
    trace_headers: TraceHeaders = NO_HEADERS
    """What the caller says of its trace."""
    answer_headers: dict[str, str] = field(default_factory=dict)
    """What the operation wants in the answer's head beside the model, in that of an error too."""


# One table holds operations of many request types; the model says which belongs to which.
Handler: TypeAlias = Callable[[Services, Call, Any], Awaitable[Output]]
