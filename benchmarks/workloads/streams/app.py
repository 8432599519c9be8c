"""Streams two words, or as many megabytes as the event says."""

MEGABYTE = b"x" * (1 << 20)


def handler(event, context):  # noqa: ANN001, ANN201
    """Yield a first piece, then the rest."""
    yield "first"
    for _ in range(event.get("megabytes", 0)):
        yield MEGABYTE
    yield "last"
