"""Traces as a sandbox sees them: what its function is told, and what it sends of its own.

* context    the trace of an invocation, from the header that the function gets. Pure
"""
