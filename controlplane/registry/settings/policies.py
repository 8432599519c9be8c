"""Resource policies: Add- and RemovePermission, GetPolicy, and the whole document at once.

A policy has no RevisionId of its own: it is that of the function, version or alias that it
belongs to, and a change of the policy gives that a new one (recorded).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from controlplane.model.functions import Function
from controlplane.model.ids import LATEST, FunctionReference, function_not_found
from controlplane.model.settings import without
from controlplane.registry.settings.access import (
    Access,
    missing_qualifier,
    no_such_resource,
    refused,
)
from controlplane.registry.settings.permissions import (
    Permission,
    checked_document,
    compact,
    statement_of,
    with_statement,
    without_statement,
)
from emberd.wire.errors import ConflictError, NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """A policy."""

    document: str
    """JSON."""
    lambda_revision_id: str


class Policies:
    """The resource policies of all functions, versions and aliases."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def add_permission(
        self, function_name: str, qualifier: str, permission: Permission, *, revision_id: str
    ) -> str:
        """Allow something; the statement as JSON is the answer."""
        reference = self._access.arns.parse(function_name, qualifier)
        _check_not_latest(reference)
        statement = statement_of(
            permission, self._access.arns.function_arn(reference.name, reference.qualifier)
        )

        def change(document: str | None) -> str:
            return with_statement(document, statement)

        await self._change(reference, change, revision_id=revision_id)
        return compact(statement)

    async def remove_permission(
        self, function_name: str, qualifier: str, statement_id: str, *, revision_id: str
    ) -> None:
        """Take a permission away, which must exist."""
        reference = self._access.arns.parse(function_name, qualifier)
        if self._access.find(reference.name) is None:
            arn = self._access.arns.function_arn(reference.name)
            raise NotFoundError(f"No policy found for: {arn}", reason="RESOURCE_NOT_FOUND", arn=arn)

        def change(document: str | None) -> str | None:
            if document is None:
                raise NotFoundError(
                    "No policy is associated with the given resource.",
                    reason="RESOURCE_NOT_FOUND",
                )
            return without_statement(document, statement_id)

        await self._change(reference, change, revision_id=revision_id)

    def get(self, function_name: str, qualifier: str) -> PolicyView:
        """The policy of a function, version or alias."""
        reference = self._access.arns.parse(function_name, qualifier)
        function = self._access.required(self._access.find(reference.name), reference.name)
        document = function.settings.policies.get(_key(reference))
        if document is None:
            raise no_such_resource()
        return PolicyView(
            document=document, lambda_revision_id=_revision_id(function, _key(reference))
        )

    async def put(self, resource_arn: str, document: str, *, revision_id: str) -> PolicyView:
        """Replace the whole policy."""
        reference = self._access.arns.parse(resource_arn)
        _check_not_latest(reference)
        checked_document(document)
        return await self._change(reference, lambda _: document, revision_id=revision_id)

    async def delete(self, resource_arn: str, *, revision_id: str) -> None:
        """Take the whole policy away, which must exist."""

        def change(document: str | None) -> None:
            if document is None:
                raise no_such_resource()

        reference = self._access.arns.parse(resource_arn)
        await self._change(reference, change, revision_id=revision_id)

    async def _change(
        self,
        reference: FunctionReference,
        change: Callable[[str | None], str | None],
        *,
        revision_id: str,
    ) -> PolicyView:
        key = _key(reference)

        def decide(before: Function | None) -> tuple[Function, PolicyView]:
            function = self._owner(before, reference)
            _check_revision_id(revision_id, _revision_id(function, key))
            document = change(function.settings.policies.get(key))
            after = _restamped(
                _with_policy(function, key, document), key, self._access.stamps.new_uuid()
            )
            return after, PolicyView(
                document=document or "", lambda_revision_id=_revision_id(after, key)
            )

        return await self._access.change(reference.name, decide)

    def _owner(self, function: Function | None, reference: FunctionReference) -> Function:
        """The function, which must have what the reference names."""
        if function is None:
            raise function_not_found(self._access.arns.function_arn(reference.name))
        if not function.has(reference.version_or_alias):
            raise missing_qualifier(self._access.arns, reference.name, reference.qualifier)
        return function


def _key(reference: FunctionReference) -> str:
    """$LATEST has no policy of its own: it is the unqualified function's."""
    return "" if reference.qualifier == LATEST else reference.qualifier


def _check_not_latest(reference: FunctionReference) -> None:
    if reference.qualifier == LATEST:
        raise refused("We currently do not support adding policies for $LATEST.")


def _check_revision_id(expected: str, current: str) -> None:
    if expected and expected != current:
        raise ConflictError(
            "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy "
            "API to retrieve the latest Revision Id",
            reason="PRECONDITION_FAILED",
        )


def _revision_id(function: Function, key: str) -> str:
    alias = function.aliases.get(key)
    if alias is not None:
        return alias.lambda_revision_id
    version = function.version(key or LATEST)
    assert version is not None, key
    return version.lambda_revision_id


def _with_policy(function: Function, key: str, document: str | None) -> Function:
    settings = function.settings
    policies = (
        without(settings.policies, key)
        if document is None
        else {**settings.policies, key: document}
    )
    return function.with_settings(replace(settings, policies=policies))


def _restamped(function: Function, key: str, revision_id: str) -> Function:
    """The function with a new RevisionId where the policy belongs."""
    if key in function.aliases:
        return function.with_alias(replace(function.aliases[key], lambda_revision_id=revision_id))
    if not key:
        return replace(function, latest=replace(function.latest, lambda_revision_id=revision_id))
    version = replace(function.versions[key], lambda_revision_id=revision_id)
    return replace(function, versions={**function.versions, key: version})
