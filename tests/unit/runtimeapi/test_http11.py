"""The HTTP parser: any split of the same bytes means the same, and nonsense is refused."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.runtimeapi.http11 import BadRequestError, BodyPart, End, Head, RequestParser

LIMIT = 4096

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"
SIZED = b"POST /a/b?c=d HTTP/1.1\r\nContent-Length: 5\r\nX-Name:  value \r\n\r\nhello"
CHUNKED = (
    b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\n\r\n"
)
TRAILED = (
    b"POST /t HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: Lambda-Error\r\n\r\n"
    b"2\r\nhi\r\n0\r\nLambda-Error: Runtime.Oops\r\nOther: 1\r\n\r\n"
)


def requests_in(pieces: list[bytes]) -> list[tuple[Head, bytes, dict[str, str]]]:
    parser = RequestParser(LIMIT)
    found: list[tuple[Head, bytes, dict[str, str]]] = []
    head, body = None, b""
    for piece in pieces:
        parser.feed(piece)
        while (pulled := parser.pull()) is not None:
            match pulled:
                case Head():
                    head, body = pulled, b""
                case BodyPart():
                    assert pulled.data
                    body += pulled.data
                case End():
                    assert head is not None
                    found.append((head, body, pulled.trailers))
    return found


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


def test_a_request_is_its_method_path_headers_and_body():
    [(head, body, trailers)] = requests_in([SIZED])
    assert (head.method, head.path, body, trailers) == ("POST", "/a/b", b"hello", {})
    assert head.header("x-name") == "value"
    assert head.header("absent") == ""
    assert head.keep_alive


def test_chunks_are_put_together_and_trailers_read():
    assert requests_in([CHUNKED])[0][1] == b"abc0123456789"
    [(_, body, trailers)] = requests_in([TRAILED])
    assert body == b"hi"
    assert trailers == {"lambda-error": "Runtime.Oops", "other": "1"}


@given(
    st.lists(st.sampled_from([NEXT, SIZED, CHUNKED, TRAILED]), min_size=1, max_size=6),
    st.lists(st.integers(0, 10_000), max_size=40),
)
def test_however_the_bytes_are_cut_the_requests_are_the_same(stream: list[bytes], cuts: list[int]):
    data = b"".join(stream)
    assert requests_in(split(data, cuts)) == requests_in([data])
    assert len(requests_in([data])) == len(stream)


@given(st.binary(max_size=2000), st.lists(st.integers(0, 10_000), max_size=10))
def test_noise_is_refused_or_waited_for_and_never_anything_else(noise: bytes, cuts: list[int]):
    with contextlib.suppress(BadRequestError):
        found = requests_in(split(noise, cuts) if noise else [])
        assert all(head.method for head, _, _ in found)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"GET /\r\n\r\n", "request line"),
        (b"GET / HTTP/2.0\r\n\r\n", "HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", "header line"),
        (b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", "header line"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "no number"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "two different"),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "both content-length",
        ),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "is chunked"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "hexadecimal"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "hexadecimal"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", "longer than"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 2000, "too long"),
    ],
)
def test_what_leaves_the_framing_in_doubt_is_refused(head: bytes, why: str):
    with pytest.raises(BadRequestError, match=why):
        requests_in([head])


def test_a_head_without_end_is_refused_at_its_limit_however_slowly_it_comes():
    parser = RequestParser(LIMIT)
    parser.feed(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(LIMIT - 19):
        parser.feed(b"a")
        assert parser.pull() is None
    parser.feed(b"a")
    with pytest.raises(BadRequestError, match="larger than 4096") as refused:
        parser.pull()
    assert refused.value.status == 431


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_whether_the_connection_is_kept_is_the_clients_to_say(head: bytes, kept: bool):
    assert requests_in([head])[0][0].keep_alive is kept


def test_a_header_keeps_characters_beyond_ascii():
    [(head, _, _)] = requests_in(["GET / HTTP/1.1\r\nX-Cause: é€\r\n\r\n".encode()])
    assert head.header("x-cause") == "é€"
