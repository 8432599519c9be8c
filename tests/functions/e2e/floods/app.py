"""Writes too much, writes what is no text, and abuses the Runtime API, as its event says."""

import http.client
import os
import socket
import time

OUTSIDE = {
    "runtime api": tuple(os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")),
    "own api": ("169.254.100.1", 9002),
    "collector": ("169.254.100.1", 4318),
}
INVOCATION = "/2018-06-01/runtime/invocation"
HELD = []
"""Connections that stay open until the next event."""


def handler(event, context):
    while HELD:
        HELD.pop().close()
    match event["do"]:
        case "nothing":
            return "well"
        case "write":
            return write(event["piece"].encode("latin-1"), event["bytes"])
        case "answer twice":
            return [
                answer(context.aws_request_id, b'"first"'),
                answer(context.aws_request_id, b"2"),
            ]
        case "answer another":
            return answer(event["id"], b'"forged"')
        case "connect":
            return connect(OUTSIDE[event["to"]], event["say"].encode(), event["connections"])
        case "tell":
            return tell_without_end(event["document"].encode("latin-1"))
        case "drip":
            return drip(OUTSIDE[event["to"]], event["connections"])


def write(piece, total):
    """So many bytes to stdout, past Python's own buffers."""
    block = piece * max(1, 65536 // len(piece))
    left = total
    while left > 0:
        left -= os.write(1, block[:left])
    return total


def tell_without_end(document):
    """Send the same to X-Ray's daemon for as long as the time-out lets it."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        sender.sendto(document, ("169.254.100.1", 2000))


def answer(request_id, body):
    """Post an answer behind the runtime's back; the status that it got."""
    connection = http.client.HTTPConnection(*OUTSIDE["runtime api"], timeout=10)
    connection.request("POST", f"{INVOCATION}/{request_id}/response", body)
    status = connection.getresponse().status
    connection.close()
    return status


def connect(address, said, count):
    """So many connections that say this and no more; how many bytes were taken."""
    for _ in range(count):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex((address[0], int(address[1])))
        HELD.append(one)
    time.sleep(0.2)
    return sum(tell(one, said) for one in HELD)


def tell(one, said):
    try:
        return one.send(said)
    except OSError:
        return 0


def drip(address, count):
    """Heads that come a byte at a time."""
    connect(address, b"G", count)
    for letter in b"ET /x HTTP/1.1\r\nX-Slow: aaaa":
        time.sleep(0.05)
        for one in HELD:
            tell(one, bytes([letter]))
    return len(HELD)
