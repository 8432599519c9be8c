"""Where the control plane keeps what must survive it.

* ports     what is asked of a store: records, blobs; every adapter passes tests/conformance
* sqlite    records in one SQLite file
* schema    the shape of that file, and how an older one becomes today's
* files     blobs as files
* telemetry      opens the small local store of logs and traces
* telemetry_db   its file: one thread, written in batches, bounded
* log_events     log lines by group, stream and time, in pages
* usage          what functions used by day, in a file of its own
* unreadable     puts aside a file of these two that cannot be read
* logs, traces   what is kept in it; log_retention says which lines go first
"""
