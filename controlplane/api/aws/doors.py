"""The two doors that every call passes: who are you, and may you do this.

The application knows only these seams. What stands behind them (signatures, keys, policies) is
`controlplane.identity` and `authorisation`, and app.py puts them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from controlplane.api.aws.operation import Call
from controlplane.identity.request import SignedRequest as SignedRequest
from controlplane.model.principal import Principal


class Authenticator(Protocol):
    """Proves who sends a request."""

    def authenticate(self, request: SignedRequest, service: str) -> Principal:
        """Who it is.

        Args:
            request: What came in.
            service: The name of the service that will answer ("lambda", "sts", "iam", "logs"):
                a signature must be for that one.

        Raises:
            DeniedError: it is not proved. The reason is AWS's code (MISSING_AUTHENTICATION_TOKEN,
                UNRECOGNIZED_CLIENT, INVALID_SIGNATURE, EXPIRED_TOKEN, INCOMPLETE_SIGNATURE, ...).
        """


class Authorise(Protocol):
    """Decides whether a call may be made; called with every parsed and validated request."""

    def __call__(
        self, call: Call, service: str, operation: str, request: Mapping[str, object]
    ) -> None:
        """Return for yes.

        Raises:
            DeniedError: no; ACCESS_DENIED in AWS's words.
            EmberdError: the resource that it names cannot exist here.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Both doors, as app.py hangs them."""

    authenticator: Authenticator
    authorise: Authorise
