"""Answers with as many bytes as it is asked for."""


def handler(event, context):
    return "x" * event["characters"]


def measure(event, context):
    return len(event["text"])
