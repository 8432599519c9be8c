"""Workers: sandboxes whose process works on many events at once, each in a world of its own.

Everything above the backend's seam deals with seats, and takes each for a sandbox: it serves one
event at a time. A worker holds the seats of one revision and shares with nobody else, so its walls,
its memory, its share of the CPU and its /tmp are one function's.

* backend   a backend whose sandboxes are seats, where the runtime can have them
* worker    one worker and its seats
* output    one pipe, and the lines of many events in it
"""

from __future__ import annotations
