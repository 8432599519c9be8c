"""Calls emberd back from inside, as its event says."""

import json
import os
import socket
import urllib.error
import urllib.request

EMBERD = ("169.254.100.1", 9002)

HELD = []
"""Connections of a flood: they stay open after the answer."""


def handler(event, context):
    match event["do"]:
        case "get":
            return get(event["path"])
        case "flood":
            return flood(event["connections"])
        case "call":
            return call(event["service"], event["operation"], event["parameters"])
        case "who":
            return os.environ["AWS_ACCESS_KEY_ID"]


def get(path):
    try:
        with urllib.request.urlopen(f"http://{EMBERD[0]}:{EMBERD[1]}{path}", timeout=20) as answer:
            return {"status": answer.status, "body": json.load(answer)}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": error.read().decode()}


def call(service, operation, parameters):
    """One call of AWS's own SDK, set up by nothing but the environment."""
    import boto3
    from botocore.exceptions import ClientError

    try:
        answer = getattr(boto3.client(service), operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]
    answer.pop("ResponseMetadata")
    if "Payload" in answer:
        answer["Payload"] = json.load(answer["Payload"])
    return answer


def flood(count):
    """Begin so many requests with bodies that never end."""
    head = b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(count):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(EMBERD)
        HELD.append(one)
    told = 0
    for one in HELD:
        try:
            told += one.send(head + b"ffff\r\nx") > 0
        except OSError:
            continue
    return told
