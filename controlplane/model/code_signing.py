"""Code-signing configurations: whose signatures a function's packages must carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

WARN = "Warn"
ENFORCE = "Enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningConfig:
    """One configuration; functions refer to it by its ARN."""

    config_id: str
    """csc- and 17 lower-case letters and digits."""
    arn: str
    description: str
    signing_profile_arns: tuple[str, ...]
    """Versions of signing profiles that are trusted, 1 to 20."""
    policy: str
    """Warn or Enforce: what becomes of a package without a trusted signature."""
    last_modified: datetime
    """In UTC."""
    tags: Mapping[str, str] = field(default_factory=dict)
