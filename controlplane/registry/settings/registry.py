"""Everything that can be set for a function beside code and configuration."""

from __future__ import annotations

from controlplane.model.ids import ArnScheme
from controlplane.model.limits import ACCOUNT_CONCURRENCY
from controlplane.model.settings import FunctionSettings
from controlplane.registry.ledger import Ledger
from controlplane.registry.settings.access import Access
from controlplane.registry.settings.behaviour import Recursion, RuntimeManagements
from controlplane.registry.settings.code_signing import CodeSigning
from controlplane.registry.settings.concurrency import Account
from controlplane.registry.settings.event_invokes import EventInvokes
from controlplane.registry.settings.index import UrlTarget
from controlplane.registry.settings.policies import Policies
from controlplane.registry.settings.provisioned import Provisioned
from controlplane.registry.settings.reservations import Reservations
from controlplane.registry.settings.tags import Tags, checked
from controlplane.registry.settings.urls import Urls
from controlplane.registry.stamps import Stamps


class SettingsRegistry:
    """The settings of all functions. Reads never leave memory."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        arns: ArnScheme,
        stamps: Stamps,
        account_concurrency: int = ACCOUNT_CONCURRENCY,
    ) -> None:
        access = Access(ledger, arns=arns, stamps=stamps)
        self._index = ledger.index.settings
        self._account_concurrency = account_concurrency
        self.reservations = Reservations(access, self.account)
        self.provisioned = Provisioned(access, self.account)
        self.policies = Policies(access)
        self.urls = Urls(access)
        self.event_invokes = EventInvokes(access)
        self.runtime_managements = RuntimeManagements(access)
        self.recursion = Recursion(access)
        self.code_signing = CodeSigning(access, ledger)
        self.tags = Tags(access, self.code_signing)

    @property
    def claimed_concurrency(self) -> int:
        """Concurrency that is kept for single functions now, whether they run or not."""
        return self._index.claimed_concurrency

    def account(self) -> Account:
        """How the account's concurrency is divided now."""
        return Account(limit=self._account_concurrency, claimed=self.claimed_concurrency)

    def check_initial(self, settings: FunctionSettings) -> None:
        """Refuse settings that a new function may not have.

        Raises:
            InvalidArgumentError: too many tags, or code that must be signed.
            NotFoundError: no such code-signing configuration.
        """
        checked(settings.tags)
        self.code_signing.check_deployment(settings.code_signing_config_arn)

    def policy_of(self, function_name: str, qualifier: str) -> str | None:
        """The resource policy (JSON) of a function, or of one version or alias of it.

        Args:
            function_name: A bare name.
            qualifier: A version's number or an alias; empty for the unqualified function.
        """
        return self._index.policy_of(function_name, qualifier)

    def url_target(self, url_id: str) -> UrlTarget | None:
        """Where a function URL leads, or None."""
        return self._index.url_target(url_id)
