"""A function for the rehearsal."""

from __future__ import annotations


def handler(event: object, _context: object) -> object:
    """Give the event back."""
    return event
