"""Tells of its own work in the way that its event names."""

import json
import os
import socket
import time
import urllib.request

DAEMON = os.environ["AWS_XRAY_DAEMON_ADDRESS"]
COLLECTOR = os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]


def handler(event, context):
    match event.get("do"):
        case "xray":
            return tell_xray(event)
        case "powertools":
            return tell_powertools(event)
        case "otel":
            return tell_otel(event)
        case "attack":
            return attack()
    return {
        "xray": os.environ["_X_AMZN_TRACE_ID"],
        "traceparent": os.environ["TRACEPARENT"],
        "tracestate": os.environ.get("TRACESTATE"),
        "w3c": context.w3c(),
    }


def tell_xray(event):
    from aws_xray_sdk.core import xray_recorder

    with xray_recorder.in_subsegment("outer") as outer:
        outer.put_annotation("customer", "ada")
        with xray_recorder.in_subsegment("inner"):
            time.sleep(0.01)
    return "told"


def tell_powertools(event):
    from aws_lambda_powertools import Tracer

    tracer = Tracer(service="shop")

    @tracer.capture_method
    def work():
        raise ValueError("no more umbrellas")

    try:
        work()
    except ValueError:
        return "told"


def tell_otel(event):
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    provider = TracerProvider()
    # No argument: where to is what the sandbox's variables say.
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    parent = TraceContextTextMapPropagator().extract({"traceparent": os.environ["TRACEPARENT"]})
    tracer = provider.get_tracer("shop")
    with tracer.start_as_current_span("outer", parent) as outer:
        outer.set_attribute("customer", "ada")
        with tracer.start_as_current_span("inner"):
            time.sleep(0.01)
    provider.shutdown()
    return "told"


def attack():
    """Whatever a hostile function may try with the two sockets."""
    host, port = DAEMON.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in hostile_documents():
            for _ in range(20):
                sender.sendto(data, (host, int(port)))
    statuses = []
    for body in (b"\xff" * 1000, b"x" * (2 << 20), b""):
        request = urllib.request.Request(
            COLLECTOR, body, {"Content-Type": "application/x-protobuf"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                statuses.append(answer.status)
        except urllib.error.HTTPError as error:
            statuses.append(error.code)
        except OSError:
            statuses.append(0)
    return statuses


def hostile_documents():
    header = b'{"format":"json","version":1}\n'
    now = time.time()
    forged = {
        "id": "b" * 16,
        "name": "forged",
        "trace_id": "1-11111111-" + "1" * 24,
        "start_time": now,
        "end_time": now,
        "annotations": {"faas.invocation_id": "forged"},
    }
    own = dict(part.split("=") for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    yield b"\xff" * 1000
    yield header + b"[" * 50_000
    yield header + json.dumps(forged).encode()
    # In its own trace, with the id of the invocation's own span.
    yield header + json.dumps(forged | {"trace_id": own["Root"], "id": own["Parent"]}).encode()
    yield header + json.dumps(forged | {"trace_id": own["Root"], "start_time": 1}).encode()
