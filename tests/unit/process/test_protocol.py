"""The launcher reads every request as if an attacker had written it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emberd.wire.errors import CapacityError, InvalidArgumentError
from sandbox.process import protocol
from sandbox.process.protocol import Create, Destroy, Exited, Hello, Reply, Reset, Stocked
from sandbox.spec import MIB, Limits

CREATE = Create(
    number=7,
    sandbox_id="sb-1",
    runtime_id="python3.13",
    environment={"A": "b=c", "B": ""},
    limits=Limits(memory_bytes=128 * MIB, cpu_millis=72, processes=9, ephemeral_bytes=512 * MIB),
)


@pytest.mark.parametrize(
    "request_",
    [
        Hello(number=1),
        CREATE,
        replace(CREATE, has_layers=True),
        replace(CREATE, has_bytecode=True),
        replace(CREATE, has_layers=True, has_bytecode=True),
        replace(CREATE, is_template=True),
        replace(CREATE, clone_of="sb-template"),
        replace(CREATE, network="db"),
        Reset(number=2, sandbox_id="sb-1"),
        Destroy(number=3, sandbox_id="x"),
    ],
)
def test_a_request_arrives_as_it_was_sent(request_: protocol.Request) -> None:
    assert protocol.decode_request(protocol.encode_request(request_)) == request_


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sandbox_id", "../../etc"),
        ("sandbox_id", "a/b"),
        ("sandbox_id", ""),
        ("sandbox_id", "x" * 129),
        ("sandbox_id", 5),
        ("runtime_id", ".."),
        ("network", ""),
        ("network", "Data-Base"),
        ("network", "x" * 33),
        ("network", None),
        ("memory_bytes", 0),
        ("memory_bytes", -1),
        ("memory_bytes", 1 << 60),
        ("memory_bytes", "128"),
        ("memory_bytes", True),
        ("memory_bytes", 1.5),
        ("cpu_millis", 0),
        ("processes", 0),
        ("ephemeral_bytes", 1 << 50),
        ("environment", []),
        ("environment", {"A=B": "x"}),
        ("environment", {"": "x"}),
        ("environment", {"A": "x\0y"}),
        ("environment", {"A": 1}),
        ("environment", {"A": "x" * 70_000}),
        ("has_layers", 1),
        ("has_layers", None),
        ("has_bytecode", "yes"),
        ("number", -1),
        ("number", None),
        ("verb", "Mount"),
        ("verb", None),
    ],
)
def test_a_field_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    fields = json.loads(protocol.encode_request(CREATE))
    fields[field] = value
    with pytest.raises(InvalidArgumentError):
        protocol.decode_request(json.dumps(fields).encode())


def test_a_value_of_the_environment_never_appears_in_an_error() -> None:
    fields = json.loads(protocol.encode_request(CREATE))
    fields["environment"] = {"PASSWORD": "hunter2\0"}
    with pytest.raises(InvalidArgumentError) as caught:
        protocol.decode_request(json.dumps(fields).encode())
    assert "PASSWORD" in caught.value.message
    assert "hunter2" not in caught.value.message


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_more(packet: bytes) -> None:
    with pytest.raises(InvalidArgumentError):
        protocol.decode_request(packet)
    assert protocol.number_of(packet) >= -1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_json_is_refused_or_is_a_request(value: object) -> None:
    packet = json.dumps(value).encode()
    with pytest.raises(InvalidArgumentError):
        protocol.decode_request(packet)
    assert protocol.number_of(packet) >= -1


@pytest.mark.parametrize(
    "message",
    [
        Reply(
            number=4,
            generation=2,
            cpu_value="7200 100000",
            phases=(("image", 1, 2),),
            runtimes={"python3.13": "3.13.1"},
            notes=("landlock: not in this kernel",),
        ),
        Exited(sandbox_id="sb-1", generation=1, status=7, signal=None),
        Exited(sandbox_id="sb-1", generation=1, status=None, signal=9),
        Stocked(parked=2, runtime_templates=1),
    ],
)
def test_an_answer_arrives_as_it_was_sent(message: protocol.Message) -> None:
    assert protocol.decode_message(protocol.encode_message(message)) == message


def test_an_error_keeps_its_class_and_reason() -> None:
    sent = Reply(number=1, error=CapacityError("no room", reason="TOO_MANY_REQUESTS"))
    received = protocol.decode_message(protocol.encode_message(sent))
    assert isinstance(received, Reply)
    error = received.error
    assert isinstance(error, CapacityError)
    assert (error.message, error.reason) == ("no room", "TOO_MANY_REQUESTS")
