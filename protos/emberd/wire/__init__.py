"""What both planes share: they meet on the wire and nowhere else.

* errors        the closed list of errors that may cross a process boundary
* status        errors as google.rpc.Status and back
* interceptors  tokens and supervision of every RPC
* channels      how a client or a host reaches a control plane
* polling       which of gRPC's threads waits for sockets
* logtext       how our own programs log
* backoff       how long to wait before a dead program is started again
* survival      who dies last when a machine runs out of memory
* precedence    who has the processor first where it is scarce
* times         nanoseconds, and what stands for them on the wire
* framequeue    frames on their way out over a host's stream
* framing       messages on a stream of bytes (pure)
* link          frames of such a stream on a socket of their own, past gRPC
* pipe          bytes between two tasks, bounded: streamed answers on their way
"""

WIRE_VERSION = 1
"""Version of the frames between host and control plane; a mismatch is refused by name."""

FRAME_PAYLOAD_BYTES_MAX = 64 * 1024
"""Payloads above this travel by FetchPayload and PushPayload: no frame waits behind them."""

CHUNK_BYTES_MAX = 1024 * 1024
"""One piece of a streamed artifact or payload."""

PAYLOAD_BYTES_MAX = 6 * 1024 * 1024
"""Largest event of a synchronous invocation (Lambda's quota)."""

RESPONSE_BYTES_MAX = PAYLOAD_BYTES_MAX + 100
"""Largest buffered answer: Lambda's real limit is 6 MiB and 100 bytes."""
