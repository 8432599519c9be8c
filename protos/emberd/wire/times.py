"""Nanoseconds inside our processes, Timestamp and Duration on the wire: no float ever travels."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

NS_PER_S = 1_000_000_000


def timestamp(ns: int) -> Timestamp:
    """A moment, from nanoseconds since the epoch."""
    return Timestamp(seconds=ns // NS_PER_S, nanos=ns % NS_PER_S)


def duration(ns: int) -> Duration:
    """A length of time, from nanoseconds."""
    return Duration(seconds=ns // NS_PER_S, nanos=ns % NS_PER_S)


def nanoseconds(moment: Timestamp | Duration) -> int:
    """Either of them back."""
    return moment.seconds * NS_PER_S + moment.nanos
