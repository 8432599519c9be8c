"""Function references and ARNs, in every form that Lambda takes.

A caller may write a name, `name:qualifier`, a partial ARN or a whole one, and give a qualifier
beside it. All of them end here as a name and a qualifier.
Texts of errors: AWS's own, as recorded (lambda-behaviour.md 1.1, 1.4 and appendix A).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emberd.wire.errors import (
    DeniedError,
    EmberdError,
    InvalidArgumentError,
    NotFoundError,
)

LATEST = "$LATEST"

FUNCTION_NAME_CHARACTERS_MAX = 64
"""Of a bare name; the longer bound below is for ARNs."""
REFERENCE_CHARACTERS_MAX = 140

SHOWN_CHARACTERS_MAX = 256
"""An error travels in a header of 8 KB, so a value in it is cut here."""

_REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
_REFERENCE_PATTERN = (
    rf"(arn:(aws[a-zA-Z-]*)?:lambda:)?({_REGION}:)?(\d{{12}}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
_QUALIFIER_PATTERN = "(|[a-zA-Z0-9$_-]+)"
_REFERENCE = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?"
    rf"(?:(?P<region>{_REGION}):)?"
    r"(?:(?P<account>[0-9]{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_-]+)"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?"
)
_QUALIFIER = re.compile(r"[a-zA-Z0-9$_-]{1,128}")


def is_region(text: str) -> bool:
    """Whether ARNs can name it; those of any other region could not be read back."""
    return re.fullmatch(_REGION, text, re.ASCII) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReference:
    """Which function a caller means, and which version or alias of it."""

    name: str
    qualifier: str
    """$LATEST, a version's number or an alias; empty when the caller gave none."""

    @property
    def version_or_alias(self) -> str:
        """The qualifier, $LATEST where none was given."""
        return self.qualifier or LATEST


@dataclass(frozen=True, slots=True, kw_only=True)
class ArnScheme:
    """Where our functions live, which is what their ARNs say."""

    region: str
    account_id: str

    def function_arn(self, name: str, qualifier: str = "") -> str:
        """The ARN of a function, or with a qualifier of a version or alias."""
        arn = f"arn:aws:lambda:{self.region}:{self.account_id}:function:{name}"
        return f"{arn}:{qualifier}" if qualifier else arn

    def log_group_arn(self, name: str) -> str:
        """The ARN of a log group."""
        return f"arn:aws:logs:{self.region}:{self.account_id}:log-group:{name}"

    def layer_arn(self, name: str, number: int = 0) -> str:
        """The ARN of a layer, or with a number of one of its versions."""
        arn = f"arn:aws:lambda:{self.region}:{self.account_id}:layer:{name}"
        return f"{arn}:{number}" if number else arn

    def parse(self, text: str, qualifier: str = "") -> FunctionReference:
        """Read a reference and the qualifier given beside it.

        Raises:
            InvalidArgumentError: malformed, too long, or two different qualifiers.
            NotFoundError: an ARN of another region.
            DeniedError: an ARN of another account.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise violation(text, "functionName", must_match(_REFERENCE_PATTERN))
        name, inner = match["name"], match["qualifier"] or ""
        _check_lengths(text, name)
        if qualifier and not _QUALIFIER.fullmatch(qualifier):
            raise violation(qualifier, "qualifier", must_match(_QUALIFIER_PATTERN))
        self._check_place(match["region"], match["account"])
        if inner and qualifier and inner != qualifier:
            raise InvalidArgumentError(
                "The derived qualifier from the function name does not match the specified "
                "qualifier.",
                reason="INVALID_PARAMETER_VALUE",
                derived=inner,
                specified=qualifier,
            )
        return FunctionReference(name=name, qualifier=inner or qualifier)

    def parse_unqualified(self, text: str) -> str:
        """Read a reference to a function as a whole and return its name.

        Raises:
            InvalidArgumentError: it names a version or an alias, or as parse().
        """
        reference = self.parse(text)
        if reference.qualifier:
            raise InvalidArgumentError(
                "This operation is permitted on Lambda functions only. Aliases and versions do "
                "not support this operation. Please specify either a function name or an "
                "unqualified function ARN.",
                reason="INVALID_PARAMETER_VALUE",
                function_name=shown(text),
            )
        return reference.name

    def _check_place(self, region: str | None, account_id: str | None) -> None:
        if region is not None and region != self.region:
            raise NotFoundError(
                f"Functions from '{region}' are not reachable in this region ('{self.region}')",
                reason="RESOURCE_NOT_FOUND",
                region=region,
            )
        if account_id is not None and account_id != self.account_id:
            raise DeniedError(
                f"account {account_id} is not served here; functions of this emberd belong to "
                f"account {self.account_id}",
                reason="ACCESS_DENIED",
                account_id=account_id,
            )


def function_not_found(arn: str) -> NotFoundError:
    """Lambda's answer where a function, a version or an alias is missing."""
    return NotFoundError(f"Function not found: {arn}", reason="RESOURCE_NOT_FOUND", arn=arn)


def shown(value: str) -> str:
    """A caller's value as an error may show it: whole, or cut where it is long."""
    if len(value) <= SHOWN_CHARACTERS_MAX:
        return value
    return value[:SHOWN_CHARACTERS_MAX] + "…"


def must_match(pattern: str) -> str:
    """The constraint that names a pattern."""
    return f"Member must satisfy regular expression pattern: {pattern}"


def at_most_long(length: int) -> str:
    """The constraint that names a greatest length."""
    return f"Member must have length less than or equal to {length}"


def violation(value: str, path: str, constraint: str) -> EmberdError:
    """One broken constraint as Lambda reports it."""
    return validation_error([violation_text(value, path, constraint)])


def violation_text(value: str, path: str, constraint: str) -> str:
    """One broken constraint, to be joined with others."""
    return f"Value '{shown(value)}' at '{path}' failed to satisfy constraint: {constraint}"


def validation_error(violations: list[str]) -> InvalidArgumentError:
    """Several broken constraints, joined as Lambda joins them."""
    count = len(violations)
    noun = "error" if count == 1 else "errors"
    return InvalidArgumentError(
        f"{count} validation {noun} detected: {'; '.join(violations)}", reason="VALIDATION"
    )


def _check_lengths(text: str, name: str) -> None:
    if len(text) > REFERENCE_CHARACTERS_MAX and text != name:
        raise violation(text, "functionName", at_most_long(REFERENCE_CHARACTERS_MAX))
    if len(name) > FUNCTION_NAME_CHARACTERS_MAX:
        # Lambda reports this one under another code, with the text of a validation error.
        report = violation(name, "functionName", at_most_long(FUNCTION_NAME_CHARACTERS_MAX))
        raise InvalidArgumentError(report.message, reason="INVALID_PARAMETER_VALUE")
