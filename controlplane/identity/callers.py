"""Whom an access key stands for: the account, a user with a policy, or a session of a role."""

from __future__ import annotations

from controlplane.identity.access_keys import AccessKeys
from controlplane.identity.authentication import Caller
from controlplane.identity.roles import Roles
from controlplane.identity.sessions import Session, Sessions
from controlplane.model.credentials import Credentials
from controlplane.model.principal import Principal, PrincipalKind
from emberd.wire.errors import DeniedError

SESSIONS_KEPT_MAX = 4_096
"""Opened tokens that are remembered; the oldest goes first."""


class Callers:
    """Recognises every credential of this emberd. Policies are as they are now, not as issued."""

    def __init__(
        self,
        account_id: str,
        root_key: Credentials,
        keys: AccessKeys,
        sessions: Sessions,
        roles: Roles,
    ) -> None:
        self._root = Caller(
            principal=root(account_id, root_key.access_key_id),
            secret_access_key=root_key.secret_access_key,
            expires_s=None,
        )
        self._account_id = account_id
        self._keys = keys
        self._sessions = sessions
        self._roles = roles
        self._opened: dict[tuple[str, str], Caller] = {}
        self._as_of = roles.changes

    def recognise(self, access_key_id: str, session_token: str) -> Caller:
        """Whom these credentials stand for; nothing is proved by them alone.

        Raises:
            DeniedError: UNRECOGNIZED_CLIENT, they are none of ours.
        """
        if session_token:
            return self._session(access_key_id, session_token)
        if access_key_id == self._root.principal.access_key_id:
            return self._root
        key = self._keys.find(access_key_id)
        if key is None:
            raise DeniedError(
                "The security token included in the request is invalid.",
                reason="UNRECOGNIZED_CLIENT",
            )
        principal = (
            user(self._account_id, key.user_name, key.access_key_id, key.policy)
            if key.user_name
            else root(self._account_id, key.access_key_id)
        )
        return Caller(principal=principal, secret_access_key=key.secret_access_key, expires_s=None)

    def _session(self, access_key_id: str, session_token: str) -> Caller:
        presented = (access_key_id, session_token)
        if self._roles.changes != self._as_of:
            # Whatever a session might do before, its role is another one now.
            self._opened.clear()
            self._as_of = self._roles.changes
        caller = self._opened.get(presented)
        if caller is None:
            session = self._sessions.open(access_key_id, session_token)
            caller = Caller(
                principal=session_principal(session, access_key_id, self._roles),
                secret_access_key=self._sessions.secret(access_key_id, session_token),
                expires_s=session.expires_s,
            )
            if len(self._opened) >= SESSIONS_KEPT_MAX:
                del self._opened[next(iter(self._opened))]
            self._opened[presented] = caller
        return caller


def root(account_id: str, access_key_id: str = "") -> Principal:
    """The account itself."""
    return Principal(
        kind=PrincipalKind.ROOT,
        account_id=account_id,
        arn=f"arn:aws:iam::{account_id}:root",
        user_id=account_id,
        access_key_id=access_key_id,
    )


def user(account_id: str, name: str, access_key_id: str, policy: str) -> Principal:
    """A user: whoever holds a key that was made for that name."""
    return Principal(
        kind=PrincipalKind.USER,
        account_id=account_id,
        arn=f"arn:aws:iam::{account_id}:user/{name}",
        user_id="AIDA" + access_key_id[4:],
        access_key_id=access_key_id,
        policies=(policy,),
    )


def session_principal(session: Session, access_key_id: str, roles: Roles) -> Principal:
    """A session of a role. Its ARN leaves out the role's path, as AWS's do."""
    account_id = account_of(session.role_arn)
    role_name = session.role_arn.rpartition("/")[2]
    role = roles.find(session.role_arn)
    role_id = "AROA" + "0" * 17 if role is None else role.role_id
    return Principal(
        kind=PrincipalKind.ROLE,
        account_id=account_id,
        arn=f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session.session_name}",
        user_id=f"{role_id}:{session.session_name}",
        access_key_id=access_key_id,
        role_arn=session.role_arn,
        policies=roles.documents_of(session.role_arn),
    )


def account_of(arn: str) -> str:
    """The account in an ARN; empty where it has none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 4 else ""
