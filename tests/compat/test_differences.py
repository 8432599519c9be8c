"""Where emberd does something else than Lambda, what it does instead: seen, not only said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.functions import Workshop
from tests.compat.refused.case import create
from tests.compat.watching import Watch, refusal


def refused(client: Any, **changes: Any) -> str:
    """What is said to a function that emberd cannot run; it must be an error that tools know."""
    kind, status, message = refusal(client.create_function, **create(**changes))
    assert (kind, status) == ("InvalidParameterValueException", 400), message
    return message


@pytest.mark.shows("Functions", "container images", absent="refused by name; zip packages only")
def test_an_image_is_refused_by_name(client: Any) -> None:
    said = refused(client, PackageType="Image", Code={"ImageUri": "registry.example/image:1"})
    assert "PackageType Image is not supported by emberd" in said


@pytest.mark.shows("Functions", "EFS file systems", absent="refused by name")
def test_a_file_system_is_refused_by_name(client: Any) -> None:
    system = {
        "Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-"
        "0123456789abcdef0",
        "LocalMountPath": "/mnt/data",
    }
    assert "FileSystemConfigs is not supported by emberd" in refused(
        client, FileSystemConfigs=[system]
    )


@pytest.mark.shows("Functions", "durable executions", absent="DurableConfig is refused by name")
def test_a_durable_function_is_refused_by_name(client: Any) -> None:
    said = refused(client, DurableConfig={"ExecutionTimeout": 60})
    assert "DurableConfig is not supported by emberd: durable executions are not built yet" in said


@pytest.mark.shows(
    "Functions",
    "scaling configurations (Managed Instances)",
    absent="refused by name: there are no capacity providers",
)
def test_scaling_is_refused_by_name(workshop: Workshop, watch: Watch, name: str) -> None:
    client = workshop.client
    workshop.active(name, Publish=True)
    given = {"FunctionName": name, "Qualifier": "1"}
    for call in (client.put_function_scaling_config, client.get_function_scaling_config):
        kind, status, message = refusal(call, **given)
        assert (kind, status) == ("InvalidParameterValueException", 400)
        assert "which emberd does not have" in message
    watch.outcomes.refused |= {"PutFunctionScalingConfig", "GetFunctionScalingConfig"}


@pytest.mark.shows(
    "Functions",
    "an environment that is too large",
    differs="the error names the variables; Lambda prints their values too",
)
def test_a_value_of_the_environment_is_never_in_an_error(client: Any) -> None:
    said = refused(client, Environment={"Variables": {"SECRET": "hunter2" * 700}})
    assert "exceeded the 4KB limit" in said
    assert "SECRET" in said
    assert "hunter2" not in said


@pytest.mark.shows(
    "Functions",
    "code in an S3 bucket",
    differs="there is no S3: every bucket is one that does not exist, in Lambda's words",
)
def test_code_in_a_bucket_is_not_found(client: Any) -> None:
    said = refused(client, Code={"S3Bucket": "some-bucket", "S3Key": "key.zip"})
    assert "S3 Error Code: NoSuchBucket" in said


@pytest.mark.shows(
    "Functions",
    "KMSKeyArn",
    differs="stored and shown only; nothing is encrypted with that key",
)
def test_a_key_is_stored_and_shown(workshop: Workshop, name: str) -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000"
    workshop.active(name, KMSKeyArn=key)
    assert workshop.settle(name)["KMSKeyArn"] == key


@pytest.mark.shows(
    "Functions",
    "an architecture that no host has",
    differs="accepted as on Lambda; Invoke answers ServiceException while no such host is attached",
)
def test_a_function_for_another_processor_waits_for_its_host(workshop: Workshop, name: str) -> None:
    workshop.active(name, Architectures=["arm64"])
    kind, status, message = refusal(workshop.client.invoke, FunctionName=name)
    assert (kind, status) == ("ServiceException", 500)
    assert "arm64" in message
