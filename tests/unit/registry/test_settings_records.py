"""Settings are kept with their function, live as long as it does, and are found without a walk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from controlplane.model.settings import (
    NO_SETTINGS,
    Cors,
    EventInvokeConfig,
    FunctionSettings,
    ProvisionedConcurrency,
    RuntimeManagement,
    UrlConfig,
)
from controlplane.registry.settings.documents import read_settings

THEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
URL = UrlConfig(
    url_id="a" * 32,
    auth_type="NONE",
    created=THEN,
    last_modified=THEN,
    invoke_mode="RESPONSE_STREAM",
    cors=Cors(allow_credentials=False, allow_origins=("*",), max_age_s=0),
)
FULL = FunctionSettings(
    tags={"team": "blue"},
    reserved_concurrency=0,
    provisioned={"live": ProvisionedConcurrency(requested=2, last_modified=THEN)},
    policies={"": "{}"},
    urls={"live": URL},
    event_invokes={"$LATEST": EventInvokeConfig(last_modified=THEN, retry_attempts_max=0)},
    runtime_management={"1": RuntimeManagement(update_on="FunctionUpdate")},
    code_signing_config_arn="arn",
    recursive_loop="Allow",
)


async def settle(bench, settings, name="thumb"):
    """Give a function settings."""

    async def decide(before):
        return before.with_settings(settings), None

    await bench.registry._ledger.change(name, decide)


def settings_of(bench, name="thumb"):
    return bench.registry._index.get(name)[0].settings


async def test_every_field_of_settings_survives_a_restart(bench):
    await bench.create()
    await settle(bench, FULL)
    await bench.open()
    assert settings_of(bench) == FULL


async def test_a_function_without_settings_has_no_record_of_them(bench):
    await bench.create()
    await settle(bench, FULL)
    await settle(bench, NO_SETTINGS)
    assert await bench.records.get("settings/thumb") is None


async def test_settings_of_an_older_release_have_defaults_for_what_they_lack():
    assert read_settings(b'{"tags": {"a": "b"}}') == FunctionSettings(tags={"a": "b"})


async def test_settings_change_no_revision(bench):
    await bench.create()
    revision = bench.resolve().revision
    await settle(bench, FULL)
    assert bench.resolve().revision == revision
    assert bench.retired == []


async def test_a_deleted_function_leaves_no_settings(bench):
    await bench.create()
    await settle(bench, FULL)
    await bench.registry.delete("thumb", "")
    assert await bench.records.get("settings/thumb") is None
    await bench.create()
    assert settings_of(bench) == NO_SETTINGS


async def test_a_deleted_alias_takes_its_own_settings_along(bench):
    await bench.create(publish=True)
    await bench.alias("live")
    await settle(bench, FULL)
    await bench.registry.aliases.delete("thumb", "live")
    assert settings_of(bench) == replace(FULL, provisioned={}, urls={})


async def test_a_deleted_version_takes_its_own_settings_along(bench):
    await bench.create(publish=True)
    await settle(bench, FULL)
    await bench.registry.delete("thumb", "1")
    assert settings_of(bench) == replace(FULL, runtime_management={})


async def test_a_reservation_travels_with_every_resolution(bench):
    await bench.create()
    assert bench.resolve().reserved_concurrency is None
    await settle(bench, FULL)
    assert bench.resolve().reserved_concurrency == 0


async def test_a_url_is_found_as_long_as_it_is_there(bench):
    await bench.create(publish=True)
    await bench.alias("live")
    await settle(bench, FULL)
    index = bench.registry.settings
    target = index.url_target(URL.url_id)
    assert (target.function_name, target.qualifier, target.config) == ("thumb", "live", URL)
    await bench.registry.aliases.delete("thumb", "live")
    assert index.url_target(URL.url_id) is None


async def test_reservations_add_up_and_end_with_their_functions(bench):
    for name, reserved in (("a1", 3), ("b1", 4)):
        await bench.create(name)
        await settle(bench, FunctionSettings(reserved_concurrency=reserved), name)
    await settle(bench, FunctionSettings(reserved_concurrency=5), "a1")
    assert bench.registry.settings.account().claimed == 9
    await bench.open()
    assert bench.registry.settings.account().claimed == 9
    await bench.registry.delete("b1", "")
    assert bench.registry.settings.account().claimed == 5
