"""Managed policies: AWS's own, which are known by their ARNs, and those that callers made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypedDict, cast

from controlplane.identity.document import check_identity_policy
from controlplane.identity.managed import MANAGED_PREFIX, managed_document
from controlplane.identity.names import check_name, check_path, new_id, no_such, too_many
from controlplane.identity.records import Shelf
from controlplane.storage.ports import RecordStore
from emberd.wire.errors import ConflictError

PREFIX = "identity/policies/"
POLICIES_MAX = 1_500
BEGINNING = datetime(2015, 3, 31, tzinfo=UTC)
"""When AWS's own policies are said to have been made."""

_MANAGED = re.compile(re.escape(MANAGED_PREFIX) + r"[\w+=,.@/-]{1,512}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy:
    """A policy that roles share. Of its versions the newest is kept."""

    name: str
    path: str
    policy_id: str
    arn: str
    document: str = field(repr=False)
    description: str
    created: datetime
    tags: Mapping[str, str]
    version: int
    """How many versions there were, this one included."""
    updated: datetime

    @property
    def version_id(self) -> str:
        """As IAM writes it."""
        return f"v{self.version}"


class _PolicyDocument(TypedDict):
    path: str
    policy_id: str
    arn: str
    document: str
    description: str
    created: str
    tags: dict[str, str]
    version: int
    updated: str


class Policies:
    """Where managed policies are read and changed."""

    def __init__(
        self,
        shelf: Shelf[ManagedPolicy],
        account_id: str,
        random_bytes: Callable[[int], bytes],
        clock: Callable[[], datetime],
    ) -> None:
        self._shelf = shelf
        self._account_id = account_id
        self._random_bytes = random_bytes
        self._clock = clock

    @classmethod
    async def open(
        cls,
        records: RecordStore,
        account_id: str,
        random_bytes: Callable[[int], bytes],
        clock: Callable[[], datetime],
    ) -> Policies:
        """Read every policy.

        Raises:
            ConflictError: a record cannot be understood.
        """
        shelf = await Shelf.open(records, PREFIX, write=_document, read=_read)
        return cls(shelf, account_id, random_bytes, clock)

    @property
    def changes(self) -> int:
        """How many changes there were since the start."""
        return self._shelf.changes

    def document_of(self, arn: str) -> str:
        """A policy's JSON document; empty for one that is gone."""
        if _MANAGED.fullmatch(arn):
            return managed_document(arn)
        policy = self._find(arn)
        return "" if policy is None else policy.document

    def get(self, arn: str) -> ManagedPolicy:
        """One policy.

        Raises:
            NotFoundError: there is none of that ARN.
        """
        if _MANAGED.fullmatch(arn):
            path, _, name = arn.removeprefix(MANAGED_PREFIX).rpartition("/")
            return ManagedPolicy(
                name=name,
                path=f"/{path}/" if path else "/",
                policy_id="ANPA" + name.upper()[:17],
                arn=arn,
                document=managed_document(arn),
                description="",
                created=BEGINNING,
                tags={},
                version=1,
                updated=BEGINNING,
            )
        policy = self._find(arn)
        if policy is None:
            raise no_such(f"Policy {arn} was not found.")
        return policy

    def list(self) -> Sequence[ManagedPolicy]:
        """Every policy that callers made, in order of names."""
        return self._shelf.all()

    async def create(
        self, name: str, document: str, *, path: str, description: str, tags: Mapping[str, str]
    ) -> ManagedPolicy:
        """Make a policy.

        Raises:
            InvalidArgumentError: the name, the path or the document is none.
            ConflictError: there is one of that name, or there are too many.
        """
        check_name(name, "policyName")
        check_path(path)
        check_identity_policy(document)
        if len(self._shelf.all()) >= POLICIES_MAX:
            raise too_many("policies", POLICIES_MAX)
        now = self._clock()
        policy = ManagedPolicy(
            name=name,
            path=path,
            policy_id=new_id("ANPA", self._random_bytes),
            arn=f"arn:aws:iam::{self._account_id}:policy{path}{name}",
            document=document,
            description=description,
            created=now,
            tags=dict(tags),
            version=1,
            updated=now,
        )

        def absent(before: ManagedPolicy | None) -> ManagedPolicy:
            if before is not None:
                raise ConflictError(
                    f"A policy called {name} already exists. Duplicate names are not allowed.",
                    reason="ENTITY_ALREADY_EXISTS",
                )
            return policy

        await self._shelf.change(name, absent)
        return policy

    async def replace_document(self, arn: str, document: str) -> ManagedPolicy:
        """Make a new version of a policy that callers made, in place of the former one.

        Raises:
            NotFoundError: there is none of that ARN.
            InvalidArgumentError: the document is none.
        """
        check_identity_policy(document)

        def next_version(before: ManagedPolicy | None) -> ManagedPolicy:
            if before is None or before.arn != arn:
                raise no_such(f"Policy {arn} was not found.")
            return replace(
                before, document=document, version=before.version + 1, updated=self._clock()
            )

        changed = await self._shelf.change(arn.rpartition("/")[2], next_version)
        assert changed is not None, "a version replaces another one"
        return changed

    async def delete(self, arn: str) -> None:
        """Delete a policy that callers made.

        Raises:
            NotFoundError: there is none of that ARN.
        """
        name = arn.rpartition("/")[2]

        def none(before: ManagedPolicy | None) -> None:
            if before is None or before.arn != arn:
                raise no_such(f"Policy {arn} was not found.")

        await self._shelf.change(name, none)

    def _find(self, arn: str) -> ManagedPolicy | None:
        policy = self._shelf.get(arn.rpartition("/")[2])
        return policy if policy is not None and policy.arn == arn else None


def _document(policy: ManagedPolicy) -> Mapping[str, object]:
    document: _PolicyDocument = {
        "path": policy.path,
        "policy_id": policy.policy_id,
        "arn": policy.arn,
        "document": policy.document,
        "description": policy.description,
        "created": policy.created.isoformat(),
        "tags": dict(policy.tags),
        "version": policy.version,
        "updated": policy.updated.isoformat(),
    }
    return cast(Mapping[str, object], document)


def _read(name: str, read: Mapping[str, object]) -> ManagedPolicy:
    document = cast(_PolicyDocument, dict(read))
    return ManagedPolicy(
        name=name,
        path=document["path"],
        policy_id=document["policy_id"],
        arn=document["arn"],
        document=document["document"],
        description=document["description"],
        created=datetime.fromisoformat(document["created"]).astimezone(UTC),
        tags=document["tags"],
        version=document["version"],
        updated=datetime.fromisoformat(document["updated"]).astimezone(UTC),
    )
