"""Roles, and the policies that say what they may do. Words of errors: IAM's own.

A function's role need not be one of these: any well-formed ARN is taken. One that nobody created
has no policies, so that its sessions may do nothing but what a resource's policy allows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypedDict, cast

from controlplane.identity.document import check_identity_policy, check_trust_policy
from controlplane.identity.names import check_name, new_id, no_such, too_many
from controlplane.identity.policies import Policies
from controlplane.identity.records import Shelf
from controlplane.storage.ports import RecordStore
from emberd.wire.errors import ConflictError

PREFIX = "identity/roles/"
ROLES_MAX = 5_000
INLINE_MAX = 50
ATTACHED_MAX = 20
SESSION_S = 3_600
"""How long a role's sessions last at most when its maker said nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role."""

    name: str
    path: str
    role_id: str
    arn: str
    trust_policy: str = field(repr=False)
    description: str
    max_session_s: int
    created: datetime
    tags: Mapping[str, str]
    inline: Mapping[str, str] = field(repr=False)
    """Policies of its own by name, each a JSON document."""
    attached: tuple[str, ...]
    """ARNs of managed policies, in the order in which they were attached."""


class _RoleDocument(TypedDict):
    path: str
    role_id: str
    arn: str
    trust_policy: str
    description: str
    max_session_s: int
    created: str
    tags: dict[str, str]
    inline: dict[str, str]
    attached: list[str]


class Roles:
    """Where roles are read and changed."""

    def __init__(
        self,
        shelf: Shelf[Role],
        policies: Policies,
        account_id: str,
        random_bytes: Callable[[int], bytes],
        clock: Callable[[], datetime],
    ) -> None:
        self.policies = policies
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
    ) -> Roles:
        """Read every role and every policy.

        Raises:
            ConflictError: a record cannot be understood.
        """
        policies = await Policies.open(records, account_id, random_bytes, clock)
        shelf = await Shelf.open(records, PREFIX, write=_document, read=_read)
        return cls(shelf, policies, account_id, random_bytes, clock)

    @property
    def changes(self) -> int:
        """How many changes of roles and policies there were since the start."""
        return self._shelf.changes + self.policies.changes

    def documents_of(self, role_arn: str) -> tuple[str, ...]:
        """The policies of a role, each a JSON document; none of a role that nobody created."""
        role = self._shelf.get(role_arn.rpartition("/")[2])
        if role is None or role.arn != role_arn:
            return ()
        attached = (self.policies.document_of(arn) for arn in role.attached)
        return (*role.inline.values(), *(each for each in attached if each))

    def get(self, name: str) -> Role:
        """One role.

        Raises:
            NotFoundError: there is none of that name.
        """
        return self._found(name, self._shelf.get(name))

    def named(self, name: str) -> Role | None:
        """The role of a name, or None."""
        return self._shelf.get(name)

    def find(self, role_arn: str) -> Role | None:
        """The role of an ARN, or None."""
        role = self._shelf.get(role_arn.rpartition("/")[2])
        return role if role is not None and role.arn == role_arn else None

    def list(self, path_prefix: str = "/") -> Sequence[Role]:
        """Every role below a path, in order of names."""
        return [role for role in self._shelf.all() if role.path.startswith(path_prefix)]

    async def create(
        self,
        name: str,
        trust_policy: str,
        *,
        path: str = "/",
        description: str = "",
        max_session_s: int = SESSION_S,
        tags: Mapping[str, str],
    ) -> Role:
        """Make a role.

        Raises:
            InvalidArgumentError: the name or the trust policy is none.
            ConflictError: there is one of that name, or there are too many.
        """
        check_name(name, "roleName")
        check_trust_policy(trust_policy)
        if len(self._shelf.all()) >= ROLES_MAX:
            raise too_many("roles", ROLES_MAX)
        role = Role(
            name=name,
            path=path,
            role_id=new_id("AROA", self._random_bytes),
            arn=f"arn:aws:iam::{self._account_id}:role{path}{name}",
            trust_policy=trust_policy,
            description=description,
            max_session_s=max_session_s,
            created=self._clock(),
            tags=dict(tags),
            inline={},
            attached=(),
        )

        def absent(before: Role | None) -> Role:
            if before is not None:
                raise ConflictError(
                    f"Role with name {name} already exists.", reason="ENTITY_ALREADY_EXISTS"
                )
            return role

        await self._shelf.change(name, absent)
        return role

    async def delete(self, name: str) -> None:
        """Delete a role that has no policies any more.

        Raises:
            NotFoundError: there is none of that name.
            ConflictError: it still has policies.
        """

        def bare(before: Role | None) -> None:
            role = self._found(name, before)
            if role.attached:
                raise ConflictError(
                    "Cannot delete entity, must detach all policies first.",
                    reason="DELETE_CONFLICT",
                )
            if role.inline:
                raise ConflictError(
                    "Cannot delete entity, must delete policies first.", reason="DELETE_CONFLICT"
                )

        await self._shelf.change(name, bare)

    async def update(
        self, name: str, *, description: str | None = None, max_session_s: int | None = None
    ) -> None:
        """Change what is given."""
        await self._change(
            name,
            lambda role: replace(
                role,
                description=role.description if description is None else description,
                max_session_s=role.max_session_s if max_session_s is None else max_session_s,
            ),
        )

    async def set_trust(self, name: str, trust_policy: str) -> None:
        """Replace who may assume a role."""
        check_trust_policy(trust_policy)
        await self._change(name, lambda role: replace(role, trust_policy=trust_policy))

    async def put_inline(self, name: str, policy_name: str, document: str) -> None:
        """Give a role a policy of its own, or replace one."""
        check_name(policy_name, "policyName")
        check_identity_policy(document)

        def put(role: Role) -> Role:
            inline = {**role.inline, policy_name: document}
            if len(inline) > INLINE_MAX:
                raise too_many("inline policies of a role", INLINE_MAX)
            return replace(role, inline=inline)

        await self._change(name, put)

    async def delete_inline(self, name: str, policy_name: str) -> None:
        """Take a policy of its own from a role.

        Raises:
            NotFoundError: it has none of that name.
        """

        def take(role: Role) -> Role:
            if policy_name not in role.inline:
                raise no_such(f"The role policy with name {policy_name} cannot be found.")
            inline = {key: value for key, value in role.inline.items() if key != policy_name}
            return replace(role, inline=inline)

        await self._change(name, take)

    async def attach(self, name: str, policy_arn: str) -> None:
        """Attach a managed policy; attached twice is attached once.

        Raises:
            NotFoundError: there is no such role or policy.
        """
        self.policies.get(policy_arn)

        def attach(role: Role) -> Role:
            if policy_arn in role.attached:
                return role
            if len(role.attached) >= ATTACHED_MAX:
                raise too_many("managed policies of a role", ATTACHED_MAX)
            return replace(role, attached=(*role.attached, policy_arn))

        await self._change(name, attach)

    async def detach(self, name: str, policy_arn: str) -> None:
        """Detach a managed policy.

        Raises:
            NotFoundError: it is not attached.
        """

        def detach(role: Role) -> Role:
            if policy_arn not in role.attached:
                raise no_such(f"Policy {policy_arn} was not found.")
            return replace(role, attached=tuple(x for x in role.attached if x != policy_arn))

        await self._change(name, detach)

    async def tag(self, name: str, tags: Mapping[str, str]) -> None:
        """Set tags."""
        await self._change(name, lambda role: replace(role, tags={**role.tags, **tags}))

    async def untag(self, name: str, keys: Sequence[str]) -> None:
        """Remove tags."""
        await self._change(
            name,
            lambda role: replace(
                role, tags={key: value for key, value in role.tags.items() if key not in keys}
            ),
        )

    def attached_to(self, policy_arn: str) -> int:
        """How many roles a policy is attached to."""
        return sum(policy_arn in role.attached for role in self._shelf.all())

    async def _change(self, name: str, make: Callable[[Role], Role]) -> None:
        await self._shelf.change(name, lambda before: make(self._found(name, before)))

    def _found(self, name: str, role: Role | None) -> Role:
        if role is None:
            raise no_such(f"The role with name {name} cannot be found.")
        return role


def _document(role: Role) -> Mapping[str, object]:
    document: _RoleDocument = {
        "path": role.path,
        "role_id": role.role_id,
        "arn": role.arn,
        "trust_policy": role.trust_policy,
        "description": role.description,
        "max_session_s": role.max_session_s,
        "created": role.created.isoformat(),
        "tags": dict(role.tags),
        "inline": dict(role.inline),
        "attached": list(role.attached),
    }
    return cast(Mapping[str, object], document)


def _read(name: str, read: Mapping[str, object]) -> Role:
    document = cast(_RoleDocument, dict(read))
    return Role(
        name=name,
        path=document["path"],
        role_id=document["role_id"],
        arn=document["arn"],
        trust_policy=document["trust_policy"],
        description=document["description"],
        max_session_s=document["max_session_s"],
        created=datetime.fromisoformat(document["created"]).astimezone(UTC),
        tags=document["tags"],
        inline=document["inline"],
        attached=tuple(document["attached"]),
    )
