"""May this caller do this? The door between a valid request and its operation.

The account itself passes at once. Everybody else is asked for by the policies: the caller's own,
and those of the function or layer version that the request names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Protocol

from controlplane.api.aws import resources
from controlplane.api.aws.operation import Call
from controlplane.identity.document import Document, read_document
from controlplane.identity.patterns import Context
from controlplane.identity.policy import Decision, Question, decide, may_assume, refusal
from controlplane.identity.roles import Roles
from controlplane.model.ids import ArnScheme, FunctionReference
from controlplane.model.principal import Principal, PrincipalKind
from emberd.wire.errors import InvalidArgumentError

OPEN = frozenset({("sts", "GetCallerIdentity")})
"""What needs no permission: whoever has proved who they are may hear it."""

PASS_ROLE = "iam:PassRole"
LAMBDA = "lambda.amazonaws.com"


class FunctionPolicies(Protocol):
    """Where resource policies of functions are found; `SettingsRegistry` is one."""

    def policy_of(self, function_name: str, qualifier: str) -> str | None:
        """The policy (JSON) of a function, or of one version or alias of it."""


Asked = Callable[[], Mapping[str, tuple[str, ...]]]
"""What a request says, by condition key."""

LayerPolicyOf = Callable[[str], str | None]
"""From the ARN of a layer version to its policy (JSON), or None."""


class Authoriser:
    """Decides every call of every service on the port."""

    def __init__(
        self,
        arns: ArnScheme,
        functions: FunctionPolicies,
        layer_policy: LayerPolicyOf,
        roles: Roles,
    ) -> None:
        self._arns = arns
        self._functions = functions
        self._layer_policy = layer_policy
        self._roles = roles

    def __call__(
        self, call: Call, service: str, operation: str, request: Mapping[str, object]
    ) -> None:
        """Return for yes.

        Raises:
            DeniedError: no, in AWS's words.
            EmberdError: the function that it names cannot exist here.
        """
        principal = call.principal
        if (service, operation) in OPEN:
            return
        if (service, operation) == ("sts", "AssumeRole"):
            self._check_trust(call, request)
        elif principal.kind is PrincipalKind.ROOT and principal.account_id == self._arns.account_id:
            return
        elif service == "lambda":
            self._check_lambda(call, operation, request)
        else:
            resource = (
                self._iam_resource(operation, request)
                if service == "iam"
                else resources.logs_resource(self._arns, request)
            )
            self._check(call, resources.action_of(service, operation), resource)

    def check_url(
        self, principal: Principal, function_name: str, qualifier: str, auth_type: str, now_ns: int
    ) -> None:
        """May this caller, or nobody in particular, use a function's URL?

        Since October 2025 AWS wants lambda:InvokeFunction too; it was recorded not to insist, so
        here a policy may forbid that action and need not allow it.

        Raises:
            DeniedError: no.
        """
        arn = self._arns.function_arn(function_name, qualifier)
        policies = _documents(self._functions.policy_of(function_name, qualifier))
        own = _documents(*principal.policies)
        asked = {
            "lambda:functionurlauthtype": (auth_type,),
            "lambda:invokedviafunctionurl": ("true",),
            "lambda:functionarn": (arn,),
        }
        url, invoke = (
            self._question(principal, action, arn, now_ns, lambda: asked)
            for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
        )
        decision = decide(url, own, policies)
        if decision is not Decision.ALLOWED:
            raise refusal(url, decision)
        forbidden = decide(invoke, own, policies)
        if forbidden in (Decision.DENIED_BY_IDENTITY, Decision.DENIED_BY_RESOURCE):
            raise refusal(invoke, forbidden)

    def _check_lambda(self, call: Call, operation: str, request: Mapping[str, object]) -> None:
        function = resources.function_of(self._arns, request)
        resource = resources.lambda_resource(self._arns, operation, request, function)
        action = resources.action_of("lambda", operation)
        asked = partial(resources.condition_values, self._arns, request, function)
        self._check(call, action, resource, asked, self._policies_of(function, resource))
        role = resources.text_of(request, "Role")
        if role:
            # Whoever gives a function a role can act as it from now on.
            self._check(call, PASS_ROLE, role, lambda: {"iam:passedtoservice": (LAMBDA,)})
        for layer in resources.layers_of(request):
            policies = _documents(self._layer_policy(layer))
            self._check(call, "lambda:GetLayerVersion", layer, asked, policies)

    def _iam_resource(self, operation: str, request: Mapping[str, object]) -> str:
        # Only the store knows the path of a role that exists.
        name = resources.text_of(request, "RoleName")
        role = None if operation == "CreateRole" else self._roles.named(name)
        return resources.iam_resource(self._arns.account_id, request) if role is None else role.arn

    def _policies_of(
        self, function: FunctionReference | None, resource: str
    ) -> tuple[Document, ...]:
        if function is not None:
            return _documents(self._functions.policy_of(function.name, function.qualifier))
        if ":layer:" in resource:
            return _documents(self._layer_policy(resource))
        return ()

    def _check(
        self,
        call: Call,
        action: str,
        resource: str,
        asked: Asked = dict,
        policies: tuple[Document, ...] = (),
    ) -> None:
        principal = call.principal
        question = self._question(principal, action, resource, call.arrival_ns, asked)
        decision = decide(question, _documents(*principal.policies), policies)
        if decision is not Decision.ALLOWED:
            raise refusal(question, decision)

    def _check_trust(self, call: Call, request: Mapping[str, object]) -> None:
        arn = resources.text_of(request, "RoleArn")
        role = self._roles.find(arn)
        given = resources.text_of(request, "ExternalId")
        question = self._question(
            call.principal,
            "sts:AssumeRole",
            arn,
            call.arrival_ns,
            lambda: {"sts:externalid": (given,)} if given else {},
        )
        if role is None:
            # Whether a role exists is not told to those who may not use it.
            raise refusal(question, Decision.NO_RESOURCE_POLICY)
        own = _documents(*call.principal.policies)
        decision = may_assume(question, own, read_document(role.trust_policy))
        if decision is not Decision.ALLOWED:
            raise refusal(question, decision)

    def _question(
        self, principal: Principal, action: str, resource: str, now_ns: int, asked: Asked
    ) -> Question:
        parts = resource.split(":", 5)
        owner = parts[4] if len(parts) > 4 else ""
        return Question(
            principal=principal,
            action=action,
            resource=resource,
            account_id=owner or self._arns.account_id,
            context=_Once(
                lambda: {
                    **self._call_context(now_ns),
                    **_identity_context(principal),
                    **asked(),
                }
            ),
        )

    def _call_context(self, now_ns: int) -> dict[str, tuple[str, ...]]:
        now_s = now_ns // 1_000_000_000
        return {
            "aws:currenttime": (_iso(now_s),),
            "aws:epochtime": (str(now_s),),
            "aws:requestedregion": (self._arns.region,),
            "aws:resourceaccount": (self._arns.account_id,),
            "aws:securetransport": ("false",),
        }


@lru_cache(maxsize=8)
def _iso(now_s: int) -> str:
    """The same for every call of one second."""
    return datetime.fromtimestamp(now_s, UTC).isoformat()


class _Once:
    """Makes what conditions may ask about when the first of them asks."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Context]) -> None:
        self._make = make
        self._made: Context | None = None

    def __call__(self) -> Context:
        if self._made is None:
            self._made = self._make()
        return self._made


def _identity_context(principal: Principal) -> dict[str, tuple[str, ...]]:
    if principal.kind is PrincipalKind.SERVICE:
        return {"aws:principalservicename": (principal.arn,)}
    if principal.kind is PrincipalKind.ANONYMOUS:
        return {}
    context: dict[str, tuple[str, ...]] = {
        "aws:principalaccount": (principal.account_id,),
        "aws:principalarn": (principal.role_arn or principal.arn,),
        "aws:principaltype": (_PRINCIPAL_TYPES[principal.kind],),
        "aws:userid": (principal.user_id,),
    }
    if principal.kind is PrincipalKind.USER:
        context["aws:username"] = (principal.arn.rpartition("/")[2],)
    return context


_PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
}


def _documents(*texts: str | None) -> tuple[Document, ...]:
    """Policies as they can be evaluated. One that cannot be read allows nothing to anybody."""
    return tuple(_readable(each) for each in texts if each)


def _readable(text: str) -> Document:
    try:
        return read_document(text)
    except InvalidArgumentError:
        return _FORBIDS_ALL


_FORBIDS_ALL = read_document(
    '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}'
)
