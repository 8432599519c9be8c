"""Traces as a sandbox sees them: what its function is told, and what it sends of its own.

* context    the trace of an invocation, from the header that the function gets. Pure
* spans      what a function tells of its own work, cut to size. Pure
* xray       documents of the X-Ray SDK, read into spans. Pure
* otlp       requests of OTLP, read into spans. Pure; imported when the first one comes
* book       which spans belong to an invocation, and how many it may send. Pure
* doors      a sandbox's sockets for them, read at a bounded pace
* receiver   one connection with OTLP over HTTP
* queue      their bounded way out of the host
"""
