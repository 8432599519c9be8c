"""Requests that a fuzzer makes of the model: nearly right, and then spoiled."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from controlplane.api.aws.model import Model, Operation, Shape

NAME = "thumb"
ARN = f"arn:aws:lambda:us-east-1:000000000000:function:{NAME}"
PLAUSIBLE = (
    NAME,
    ARN,
    f"{ARN}:1",
    f"{NAME}:live",
    "live",
    "1",
    "$LATEST",
    "arn:aws:iam::000000000000:role/emberd",
    "arn:aws:lambda:us-east-1:000000000000:layer:l:1",
    "arn:aws:lambda:eu-west-1:000000000000:function:thumb",
    "arn:aws:lambda:us-east-1:111111111111:function:thumb",
    "arn:aws:sqs:us-east-1:000000000000:queue",
    "python3.12",
    "app.handler",
    "lambda:InvokeFunction",
    "s3.amazonaws.com",
    "*",
    "{}",
    '{"Version":"2012-10-17","Statement":[]}',
    "",
)
"""Texts that some operation takes for good."""
ODD = (
    None,
    True,
    -1,
    0,
    1,
    2**31,
    2**63,
    10**40,
    1e308,
    -0.5,
    "",
    "x" * 5_000,
    "\x00",
    "\ud800",
    "é😀\u202e",
    "../../etc/passwd",
    [],
    {},
    [None],
    [[[[[]]]]],
    {"": {"": {}}},
    {"__proto__": 1},
)
"""What no shape expects."""


@dataclass(slots=True)
class RawRequest:
    """A request as it goes over a socket."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def texts(shape: Shape) -> st.SearchStrategy[str]:
    """A text that may suit a shape."""
    choices = [st.sampled_from(PLAUSIBLE), st.text(max_size=20)]
    if shape.enum:
        choices.append(st.sampled_from(shape.enum))
    if shape.kind in ("integer", "long", "double", "float"):
        choices.append(st.integers().map(str))
    return st.one_of(choices)


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """JSON that suits a shape more often than not."""
    if depth > 6:
        return st.none()
    match shape.kind:
        case "structure":
            members = {
                each.wire_name: values(each.shape, depth + 1)
                for each in shape.members.values()
                if not each.location
            }
            required = {name: members.pop(name) for name in shape.required if name in members}
            return st.fixed_dictionaries(required, optional=members)
        case "list":
            return st.lists(values(shape.element.shape, depth + 1), max_size=3)
        case "map":
            inner = values(shape.value.shape, depth + 1)
            return st.dictionaries(texts(shape.key.shape), inner, max_size=3)
        case "integer" | "long":
            return st.integers(1, 10) | st.integers()
        case "double" | "float":
            return st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.integers(0, 2**40)
        case "blob":
            return st.binary(max_size=50).map(lambda raw: base64.b64encode(raw).decode())
    return texts(shape)


@st.composite
def requests(draw: st.DrawFn, model: Model) -> RawRequest:
    """A request for some operation of a rest-json service, in one of three cases spoiled."""
    operation = model.operation(draw(st.sampled_from(model.operation_names)))
    request = draw(whole_requests(operation))
    spoil = draw(st.integers(0, 5))
    if spoil == 0 and request.body:
        cut = draw(st.integers(0, len(request.body)))
        request.body = request.body[:cut] + draw(st.binary(max_size=5)) + request.body[cut + 1 :]
    elif spoil == 1:
        request.method = draw(st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"]))
        request.headers["Content-Type"] = draw(
            st.sampled_from(["text/xml", "multipart/form-data", "application/json; charset=ibm-1"])
        )
    return request


@st.composite
def whole_requests(draw: st.DrawFn, operation: Operation) -> RawRequest:
    """A request for an operation; a value in its body may be odd."""
    shape, path = operation.input, operation.path
    query = list(operation.fixed_query)
    headers = {"Content-Type": "application/json"}
    for name, member in shape.members.items():
        wanted = name in shape.required or draw(st.booleans())
        if member.location == "uri":
            text = quote(draw(texts(member.shape)), safe="")
            path = path.replace("{" + member.wire_name + "}", text)
        elif member.location == "querystring" and wanted:
            query.append((member.wire_name, draw(texts(member.shape))))
        elif member.location == "header" and wanted:
            headers[member.wire_name] = draw(
                st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
            )
    target = path + ("?" + urlencode(query, errors="replace") if query else "")
    inside = shape.members[shape.payload].shape if shape.payload else shape
    if inside.kind == "blob":
        body = draw(st.sampled_from([b"", b"{}", b'{"a":1}']) | st.binary(max_size=50))
    else:
        body = json.dumps(draw(spoiled(draw(values(inside))))).encode()
    if operation.method in ("GET", "DELETE") and draw(st.booleans()):
        body = b""
    return RawRequest(operation.method, target, headers, body)


@st.composite
def target_requests(draw: st.DrawFn, model: Model, service: str) -> RawRequest:
    """A request for some operation of a json service."""
    name = draw(st.sampled_from(model.operation_names) | st.text(st.characters(codec="ascii")))
    shape = model.operation(name).input if name in model.operation_names else None
    body = {} if shape is None else draw(spoiled(draw(values(shape))))
    target = "".join(each for each in f"{model.target_prefix}.{name}" if each.isprintable())
    headers = {"X-Amz-Target": target, "Authorization": scope_of(service)}
    return RawRequest("POST", "/", headers, json.dumps(body).encode())


@st.composite
def form_requests(draw: st.DrawFn, model: Model, service: str) -> RawRequest:
    """A request for some operation of a query service."""
    operation = model.operation(draw(st.sampled_from(model.operation_names)))
    fields: list[tuple[str, str]] = [("Action", operation.name), ("Version", model.api_version)]
    if operation.input is not None:
        fields += flattened("", draw(spoiled(draw(values(operation.input)))))
    names = st.sampled_from([name for name, _ in fields]) | st.text(max_size=20)
    if draw(st.booleans()):
        fields.append((draw(names), draw(st.sampled_from(PLAUSIBLE) | st.text(max_size=20))))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": scope_of(service),
    }
    return RawRequest("POST", "/", headers, urlencode(fields, errors="replace").encode())


def flattened(prefix: str, value: Any) -> list[tuple[str, str]]:
    """A value as the fields of a form."""
    if isinstance(value, dict):
        return [
            field
            for key, each in value.items()
            for field in flattened(f"{prefix}.{key}" if prefix else key, each)
        ]
    if isinstance(value, list):
        return [
            field
            for number, each in enumerate(value, 1)
            for field in flattened(f"{prefix}.member.{number}", each)
        ]
    return [(prefix, str(value))]


def scope_of(service: str) -> str:
    """What names a service in a signature."""
    scope = f"Credential=KEY/20260101/us-east-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}"


@st.composite
def spoiled(draw: st.DrawFn, value: Any) -> Any:
    """The value, or one in which something is of another kind."""
    if not draw(st.booleans()):
        return value
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        return value | {key: draw(spoiled(value[key]))}
    return draw(st.sampled_from(ODD))
