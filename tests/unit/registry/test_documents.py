"""Stored functions are read back as they were, those of older releases too."""

from __future__ import annotations

import json

from controlplane.model.configuration import Configuration, Logging
from controlplane.registry.documents import read_function
from tests.unit.registry.conftest import BASIC

FULL = Configuration(
    runtime_id="python3.12",
    handler="app.handler",
    role="arn:aws:iam::000000000000:role/r",
    environment={"AB": "1"},
    environment_given=True,
    layers=("arn:aws:lambda:us-east-1:000000000000:layer:l:1",),
    tracing_mode="Active",
    logging=Logging(format="JSON", application_level="DEBUG", system_level="WARN", group="g"),
    snap_start_apply_on="PublishedVersions",
    dead_letter_arn="arn:aws:sqs:us-east-1:000000000000:q",
    kms_key_arn="arn:aws:kms:us-east-1:000000000000:key/k",
    network="db",
    security_groups=("sg-1",),
)
OLD_CONFIGURATION = {
    "runtime_id": "python3.12",
    "handler": "app.handler",
    "role": "",
    "description": "",
    "timeout_s": 3,
    "memory_size_mb": 128,
    "ephemeral_storage_mb": 512,
    "environment": {},
}


async def stored(bench):
    record = await bench.records.get("functions/thumb")
    return json.loads(record.value)


async def test_every_field_of_a_configuration_survives_a_restart(bench):
    await bench.publish_layer("l")
    bench.networks = {"db"}
    await bench.create(configuration=FULL)
    registry = await bench.open()
    assert registry.get("thumb", "").version.configuration == FULL


async def test_a_document_of_an_older_release_has_defaults_for_what_it_lacks(bench):
    await bench.create()
    document = await stored(bench)
    document["latest"]["configuration"] = OLD_CONFIGURATION
    function = read_function(json.dumps(document).encode())
    assert function.latest.configuration == BASIC
