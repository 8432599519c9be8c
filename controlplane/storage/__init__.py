"""Where the control plane keeps what must survive it.

* ports     what is asked of a store: records, blobs; every adapter passes tests/conformance
* sqlite    records in one SQLite file
* schema    the shape of that file, and how an older one becomes today's
* files     blobs as files
* logs, traces   the small local store of telemetry
"""
