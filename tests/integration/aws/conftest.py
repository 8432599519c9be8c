"""The HTTP port for tests with boto3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.aws_system import AwsSystem


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[AwsSystem]:
    """A running HTTP port; see tests/fakes/aws_system.py."""
    with AwsSystem(tmp_path) as system:
        yield system


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[AwsSystem]:
    """The same with its real doors: signatures are checked, policies decide."""
    with AwsSystem(tmp_path, guarded=True) as system:
        yield system


@pytest.fixture
def client(aws: AwsSystem):
    """A boto3 client of Lambda that lets anything through, as a caller without a model would."""
    return aws.client(parameter_validation=False)
