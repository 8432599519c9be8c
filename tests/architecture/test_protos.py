"""The rules of our protos, over what the compiler made of them.

buf would check most of these; the few that matter are here, so that no other tool is needed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from tests.architecture.checkout import PROTOS

# Field numbers in descriptor.proto, of which a source location's path consists.
MESSAGES, ENUMS, SERVICES = 4, 5, 6
FIELDS, NESTED, NESTED_ENUMS, ONEOFS = 2, 3, 4, 8
METHODS, VALUES = 2, 2

FORBIDDEN_TYPES = {
    ".google.protobuf.Any",
    ".google.protobuf.Empty",
    ".google.protobuf.Struct",
    ".google.protobuf.Value",
}
TIMESTAMP = ".google.protobuf.Timestamp"
LABEL_REPEATED = FieldDescriptorProto.LABEL_REPEATED


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[FileDescriptorProto]:
    """Our files as the compiler sees them, comments included."""
    output = tmp_path_factory.mktemp("protos") / "set.bin"
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    arguments = [f"-I{PROTOS}", "--include_source_info", f"--descriptor_set_out={output}", *sources]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
    parsed = FileDescriptorSet.FromString(output.read_bytes())
    assert [file.name for file in parsed.file] == sources
    return list(parsed.file)


def messages(file: FileDescriptorProto) -> Iterator[tuple[str, DescriptorProto, tuple[int, ...]]]:
    """Every message with its name and path, nested ones too; entries of maps are not ours."""

    def below(
        outer: DescriptorProto, name: str, path: tuple[int, ...]
    ) -> Iterator[tuple[str, DescriptorProto, tuple[int, ...]]]:
        yield name, outer, path
        for index, inner in enumerate(outer.nested_type):
            if not inner.options.map_entry:
                yield from below(inner, f"{name}.{inner.name}", (*path, NESTED, index))

    for index, message in enumerate(file.message_type):
        yield from below(message, f"{file.package}.{message.name}", (MESSAGES, index))


def enums(file: FileDescriptorProto) -> Iterator[tuple[str, EnumDescriptorProto, tuple[int, ...]]]:
    """Every enum with its name and path."""
    for index, enum in enumerate(file.enum_type):
        yield f"{file.package}.{enum.name}", enum, (ENUMS, index)
    for name, message, path in messages(file):
        for index, enum in enumerate(message.enum_type):
            yield f"{name}.{enum.name}", enum, (*path, NESTED_ENUMS, index)


def fields(files: list[FileDescriptorProto]) -> Iterator[tuple[str, FieldDescriptorProto]]:
    """Every field with its full name."""
    for file in files:
        for name, message, _ in messages(file):
            for field in message.field:
                yield f"{name}.{field.name}", field


def things(file: FileDescriptorProto) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Everything that wants a comment: its name and path."""
    for index, service in enumerate(file.service):
        yield service.name, (SERVICES, index)
        for number, method in enumerate(service.method):
            yield f"{service.name}.{method.name}", (SERVICES, index, METHODS, number)
    for name, message, path in messages(file):
        yield name, path
        for index, field in enumerate(message.field):
            yield f"{name}.{field.name}", (*path, FIELDS, index)
        for index, oneof in enumerate(message.oneof_decl):
            if not oneof.name.startswith("_"):  # what `optional` makes for itself
                yield f"{name}.{oneof.name}", (*path, ONEOFS, index)
    for name, enum, path in enums(file):
        yield name, path
        for index, value in enumerate(enum.value):
            yield f"{name}.{value.name}", (*path, VALUES, index)


def snake(name: str) -> str:
    """CamelCase as UPPER_SNAKE_CASE."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def test_a_package_is_its_folder_and_carries_a_version(files: list[FileDescriptorProto]) -> None:
    for file in files:
        assert file.package == str(Path(file.name).parent).replace("/", ".")
        assert re.fullmatch(r"emberd\.[a-z]+\.v[0-9]+", file.package)


def test_everything_has_a_comment(files: list[FileDescriptorProto]) -> None:
    bare: list[str] = []
    for file in files:
        commented = {
            tuple(location.path)
            for location in file.source_code_info.location
            if location.leading_comments.strip()
        }
        bare += [f"{file.name}: {name}" for name, path in things(file) if path not in commented]
    assert not bare


def test_an_enum_begins_with_unspecified_and_its_values_with_its_name(
    files: list[FileDescriptorProto],
) -> None:
    found = list(chain.from_iterable(enums(file) for file in files))
    for name, enum, _ in found:
        prefix = snake(enum.name)
        zero = [value.name for value in enum.value if value.number == 0]
        assert zero == [f"{prefix}_UNSPECIFIED"], name
        assert all(value.name.startswith(f"{prefix}_") for value in enum.value), name
    assert found


def test_a_service_is_named_service(files: list[FileDescriptorProto]) -> None:
    names = [service.name for file in files for service in file.service]
    assert names
    assert all(name.endswith("Service") for name in names)


def test_no_two_rpcs_share_a_request_or_a_response(files: list[FileDescriptorProto]) -> None:
    methods = [method for file in files for service in file.service for method in service.method]
    used = [kind for method in methods for kind in (method.input_type, method.output_type)]
    assert used
    assert len(used) == len(set(used)), sorted(kind for kind in used if used.count(kind) > 1)


def test_an_rpcs_messages_carry_its_name(files: list[FileDescriptorProto]) -> None:
    for file in files:
        for method in chain.from_iterable(service.method for service in file.service):
            if method.client_streaming and method.server_streaming:
                continue  # frames of a conversation, not a request with its response
            assert method.input_type == f".{file.package}.{method.name}Request"
            assert method.output_type == f".{file.package}.{method.name}Response"


def test_no_field_is_of_a_type_that_says_nothing(files: list[FileDescriptorProto]) -> None:
    methods = [method for file in files for service in file.service for method in service.method]
    types = {field.type_name for _, field in fields(files)}
    types |= {kind for method in methods for kind in (method.input_type, method.output_type)}
    assert not types & FORBIDDEN_TYPES


def test_time_is_a_timestamp_or_a_duration_and_never_a_bare_number(
    files: list[FileDescriptorProto],
) -> None:
    for name, field in fields(files):
        assert not re.search(r"_(ms|millis|seconds|secs|s|ns|nanos|us)$", name) or name.endswith(
            "cpu_millis"
        ), f"{name}: use Timestamp or Duration"
        if field.type_name == TIMESTAMP:
            assert re.search(r"(^|[._])time$|last_modified$", name), f"{name}: name it …_time"
    assert any(field.type_name == TIMESTAMP for _, field in fields(files))


def test_a_quantity_of_bytes_says_so(files: list[FileDescriptorProto]) -> None:
    vague = [
        name
        for name, field in fields(files)
        if re.search(r"\.(size|length|memory|disk|limit)$", name)
        and field.type not in (FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_STRING)
    ]
    assert not vague
