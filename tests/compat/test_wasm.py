"""A runtime that Lambda does not have, through clients that know Lambda's only."""

from __future__ import annotations

import json

import pytest

from tests.compat.functions import Workshop
from tests.compat.watching import Watch
from tests.fakes import guests
from tests.fakes.archives import FILE, archive


@pytest.mark.shows(
    "Functions",
    "boto3 makes, changes and calls a function in WebAssembly",
    differs="`wasm` is a runtime that the model does not list; it is Pending until it is compiled",
)
def test_a_module_is_a_function_like_any_other(workshop: Workshop, name: str, watch: Watch) -> None:
    code = archive(("main.wasm", guests.ECHO, FILE))
    made = workshop.active(name, Runtime="wasm", Handler="main.wasm", Code={"ZipFile": code})
    assert (made["Runtime"], made["Handler"], made["PackageType"]) == ("wasm", "main.wasm", "Zip")
    event = {"a": [1, "b"]}
    answer = workshop.client.invoke(FunctionName=name, Payload=json.dumps(event))
    assert json.loads(answer["Payload"].read()) == event
    worse = archive(("main.wasm", guests.UNREACHABLE, FILE))
    workshop.client.update_function_code(FunctionName=name, ZipFile=worse)
    workshop.settle(name)
    failed = workshop.client.invoke(FunctionName=name)
    assert failed["FunctionError"] == "Unhandled"
    assert json.loads(failed["Payload"].read())["errorType"] == "Runtime.WasmTrap"
    told = [each for each in watch.violations if "Runtime is 'wasm', which its enum" not in each]
    assert told == [], "nothing else is new to the model"
    assert watch.violations != []
    watch.violations.clear()
