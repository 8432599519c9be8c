"""Writes protos/emberd/operations/v1/operations.proto: every built operation that has no RPC yet.

    .venv/bin/python scripts/operations_proto.py && make protos

Names, members and types come from botocore's model, so that gRPC and HTTP can never differ in them.
A field keeps the number that the committed file gives it; what is new gets the next one. Run it
when an operation was built or botocore's model has grown, and commit what it makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from controlplane.api.aws.model import Member, Shape, load_model
from controlplane.api.aws.operations import OPERATIONS
from controlplane.api.grpc.members import field_name, is_duration
from emberd.functions.v1 import functions_pb2, layers_pb2
from emberd.invocation.v1 import invocation_pb2

PROTO = Path(__file__).parents[1] / "protos/emberd/operations/v1/operations.proto"

SCALARS = {
    "string": "string",
    "integer": "int32",
    "long": "int64",
    "boolean": "bool",
    "double": "double",
    "float": "double",
    "blob": "bytes",
}
ELSEWHERE = {"GetFunctionConfiguration", "InvokeAsync", "InvokeWithResponseStream"}
"""What FunctionService and InvocationService offer under names of their own."""

Numbers = Mapping[tuple[str, str], int]
"""Number by message and field."""

HEAD = """\
// Made by scripts/operations_proto.py from botocore's model of Lambda. Do not edit.
syntax = "proto3";

package emberd.operations.v1;
"""


def main() -> None:
    """Write the file anew."""
    known = numbers_in(PROTO.read_text()) if PROTO.exists() else {}
    PROTO.parent.mkdir(parents=True, exist_ok=True)
    PROTO.write_text(proto_of(names_to_offer(), known))
    print(f"wrote {PROTO.name}; now: make protos")


def names_to_offer() -> list[str]:
    """Built operations that no other service has under the same name."""
    taken = set(ELSEWHERE)
    for module in (functions_pb2, layers_pb2, invocation_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            taken |= {method.name for method in service.methods}
    return sorted(set(OPERATIONS) - taken)


def numbers_in(text: str) -> Numbers:
    """The numbers that a file gives its fields."""
    found = {}
    for message, body in re.findall(r"^message (\w+) \{(.*?)^\}", text, re.M | re.S):
        for name, number in re.findall(r"(\w+) = (\d+);", body):
            found[message, name] = int(number)
    return found


def proto_of(names: list[str], known: Numbers) -> str:
    """The whole file."""
    model = load_model("lambda")
    messages: dict[str, str] = {}
    needs: set[str] = set()
    for name in names:
        operation = model.operation(name)
        for suffix, shape in (("Request", operation.input), ("Response", operation.output)):
            title = f"{name}{suffix}"
            said = f"{title} is the {'input' if suffix == 'Request' else 'output'} of {name}."
            messages[title] = message(title, said, shape, known, needs)
            for inner in structures_below(shape):
                said = f"{inner.name} is Lambda's structure of that name."
                messages.setdefault(inner.name, message(inner.name, said, inner, known, needs))
    imports = "".join(f'\nimport "google/protobuf/{each}.proto";' for each in sorted(needs))
    parts = [HEAD + (imports + "\n" if imports else ""), service(names), *messages.values()]
    return "\n".join(parts)


def service(names: list[str]) -> str:
    """The service with an RPC for each operation."""
    lines = [
        "// OperationService offers the operations of Lambda's API that FunctionService and",
        "// InvocationService do not: the same names, members, rules and errors as over HTTP.",
        "service OperationService {",
    ]
    for name in names:
        lines += [
            f"  // {name} does what Lambda's API reference says of it; repeats are safe as there.",
            f"  rpc {name}({name}Request) returns ({name}Response);",
        ]
    return "\n".join([*lines, "}\n"])


def message(title: str, said: str, shape: Shape | None, known: Numbers, needs: set[str]) -> str:
    """One message."""
    members = () if shape is None else tuple(shape.members.values())
    if not members:
        return f"// {said}\nmessage {title} {{}}\n"
    given = {name: number for (owner, name), number in known.items() if owner == title}
    lines = []
    for member in members:
        name = field_name(member)
        number = given.setdefault(name, max(given.values(), default=0) + 1)
        lines += [f"  // {comment_of(member)}", f"  {type_of(member, needs)} {name} = {number};"]
    return "\n".join([f"// {said}", f"message {title} {{", *lines, "}\n"])


def comment_of(member: Member) -> str:
    """A sentence that says where the meaning is written down."""
    values = member.shape.enum
    if values and len(values) <= 8:
        return f"{member.name}: one of {', '.join(values)}."
    if is_duration(member):
        return f"{member.name}; whole seconds."
    return f"{member.name}, as in Lambda's API."


def type_of(member: Member, needs: set[str]) -> str:
    """A field's type, with its label where it has one."""
    shape = member.shape
    if is_duration(member):
        needs.add("duration")
        return "google.protobuf.Duration"
    if shape.kind == "list":
        assert shape.element is not None
        return f"repeated {bare_type(shape.element, needs)}"
    if shape.kind == "map":
        assert shape.value is not None
        return f"map<string, {bare_type(shape.value, needs)}>"
    bare = bare_type(member, needs)
    return bare if shape.kind in ("structure", "timestamp") else f"optional {bare}"


def bare_type(member: Member, needs: set[str]) -> str:
    """The type of one value."""
    shape = member.shape
    if shape.kind == "timestamp":
        needs.add("timestamp")
        return "google.protobuf.Timestamp"
    return shape.name if shape.kind == "structure" else SCALARS[shape.kind]


def structures_below(shape: Shape | None) -> Iterator[Shape]:
    """Every structure that a shape holds, at any depth."""
    if shape is None:
        return
    for member in (*shape.members.values(), shape.element, shape.value):
        if member is None:
            continue
        if member.shape.kind == "structure":
            yield member.shape
        yield from structures_below(member.shape)


if __name__ == "__main__":
    main()
