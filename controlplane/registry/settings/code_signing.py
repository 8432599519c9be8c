"""Code signing: the configurations, and which function has which (lambda-behaviour.md 1.10).

Packages come to emberd without signatures that it could check: no signing service stands behind
it. So Warn lets every package pass, and Enforce lets none, as Lambda does with unsigned ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from controlplane.model.code_signing import ENFORCE, WARN, CodeSigningConfig
from controlplane.model.functions import Function
from controlplane.registry.ledger import Ledger
from controlplane.registry.settings import tags as tag_rules
from controlplane.registry.settings.access import Access
from controlplane.registry.views import Page, page_of
from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError

_ID_CHARACTERS = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningChange:
    """What an update sets; None leaves a value as it is."""

    description: str | None = None
    signing_profile_arns: Sequence[str] | None = None
    policy: str | None = None
    """Warn or Enforce."""


class CodeSigning:
    """The code-signing configurations, and the functions that have one."""

    def __init__(self, access: Access, ledger: Ledger) -> None:
        self._access = access
        self._ledger = ledger

    async def create(
        self,
        *,
        description: str,
        signing_profile_arns: Sequence[str],
        policy: str = WARN,
        tags: Mapping[str, str],
    ) -> CodeSigningConfig:
        """Make a configuration."""
        arns, stamps = self._access.arns, self._access.stamps
        config_id = "csc-" + stamps.new_uuid().replace("-", "")[:_ID_CHARACTERS]
        config = CodeSigningConfig(
            config_id=config_id,
            arn=f"arn:aws:lambda:{arns.region}:{arns.account_id}:code-signing-config:{config_id}",
            description=description,
            signing_profile_arns=tuple(signing_profile_arns),
            policy=policy,
            last_modified=stamps.clock(),
            tags=tag_rules.checked(tags),
        )
        return await self._ledger.change_code_signing(config.arn, lambda _: (config, config))

    def get(self, arn: str) -> CodeSigningConfig:
        """One configuration."""
        return _found(self._ledger.code_signing.get(arn)[0], arn)

    def list(self, marker: str, max_items: int) -> Page[CodeSigningConfig]:
        """All configurations in order of their ids."""
        configs = self._ledger.code_signing.all()
        return page_of(configs, [each.config_id for each in configs], marker, max_items)

    async def update(self, arn: str, change: CodeSigningChange) -> CodeSigningConfig:
        """Change what is set in the change, and leave the rest."""

        def decide(before: CodeSigningConfig | None) -> tuple[CodeSigningConfig, CodeSigningConfig]:
            current = _found(before, arn)
            after = _changed(current, change)
            if after != current:
                after = replace(after, last_modified=self._access.stamps.clock())
            return after, after

        return await self._ledger.change_code_signing(arn, decide)

    async def delete(self, arn: str) -> None:
        """Delete a configuration that no function has."""

        def decide(before: CodeSigningConfig | None) -> tuple[None, None]:
            _found(before, arn)
            users = self._ledger.index.settings.signed_by(arn)
            if users:
                raise ConflictError(
                    f"The code signing configuration {arn} is in use by the functions "
                    f"[{', '.join(sorted(users))}]. Remove it from them first.",
                    reason="RESOURCE_CONFLICT",
                    arn=arn,
                )
            return None, None

        await self._ledger.change_code_signing(arn, decide)

    def functions_of(self, arn: str, marker: str, max_items: int) -> Page[str]:
        """The ARNs of the functions that have a configuration, in order of their names."""
        self.get(arn)
        names = sorted(self._ledger.index.settings.signed_by(arn))
        arns = [self._access.arns.function_arn(name) for name in names]
        return page_of(arns, names, marker, max_items)

    async def put_function(self, function_name: str, arn: str) -> str:
        """Give a function a configuration, and answer with the function's name."""
        name = self._access.arns.parse_unqualified(function_name)

        def decide(before: Function | None) -> tuple[Function, str]:
            self.required(arn)
            return _signed(self._access.required(before, name), arn), name

        return await self._access.change(name, decide)

    def of_function(self, function_name: str) -> tuple[str, str]:
        """The ARN of a function's configuration, empty where it has none, and its name."""
        name = self._access.arns.parse_unqualified(function_name)
        function = self._access.required(self._access.find(name), name)
        return function.settings.code_signing_config_arn, name

    async def delete_function(self, function_name: str) -> None:
        """Take a function's configuration from it; where it has none that is no error."""
        name = self._access.arns.parse_unqualified(function_name)

        def decide(before: Function | None) -> tuple[Function, None]:
            return _signed(self._access.required(before, name), ""), None

        await self._access.change(name, decide)

    def required(self, arn: str) -> CodeSigningConfig:
        """The configuration that a function is to have.

        Raises:
            NotFoundError: there is none of that ARN.
        """
        config, _ = self._ledger.code_signing.get(arn)
        if config is None:
            raise NotFoundError(
                "The code signing configuration cannot be found. Check that the provided "
                f"configuration is not deleted: {arn}.",
                reason="CODE_SIGNING_CONFIG_NOT_FOUND",
                arn=arn,
            )
        return config

    def check_deployment(self, arn: str) -> None:
        """Refuse a package that a configuration does not let pass; empty is none.

        Raises:
            NotFoundError: there is none of that ARN.
            InvalidArgumentError: it demands a trusted signature.
        """
        if arn and self.required(arn).policy == ENFORCE:
            raise InvalidArgumentError(
                "The code signature failed one or more of the validation checks for signature "
                "mismatch or expiry, and the code signing policy is set to ENFORCE. Lambda blocks "
                "the deployment.",
                reason="CODE_VERIFICATION_FAILED",
                arn=arn,
            )

    def tags(self, arn: str) -> Mapping[str, str]:
        """The tags of a configuration."""
        return self.get(arn).tags

    async def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags of a configuration."""

        def decide(before: CodeSigningConfig | None) -> tuple[CodeSigningConfig, None]:
            config = _found(before, arn)
            return replace(config, tags=tag_rules.added(config.tags, tags)), None

        await self._ledger.change_code_signing(arn, decide)

    async def remove_tags(self, arn: str, keys: Collection[str]) -> None:
        """Remove tags of a configuration."""

        def decide(before: CodeSigningConfig | None) -> tuple[CodeSigningConfig, None]:
            config = _found(before, arn)
            return replace(config, tags=tag_rules.removed(config.tags, keys)), None

        await self._ledger.change_code_signing(arn, decide)


def _found(config: CodeSigningConfig | None, arn: str) -> CodeSigningConfig:
    if config is None:
        raise NotFoundError(
            f"The Lambda code signing configuration {arn} can not be found.",
            reason="RESOURCE_NOT_FOUND",
            arn=arn,
        )
    return config


def _changed(config: CodeSigningConfig, change: CodeSigningChange) -> CodeSigningConfig:
    profiles = change.signing_profile_arns
    return replace(
        config,
        description=config.description if change.description is None else change.description,
        signing_profile_arns=config.signing_profile_arns if profiles is None else tuple(profiles),
        policy=change.policy or config.policy,
    )


def _signed(function: Function, arn: str) -> Function:
    if function.settings.code_signing_config_arn == arn:
        return function
    return function.with_settings(replace(function.settings, code_signing_config_arn=arn))
