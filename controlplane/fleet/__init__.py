"""The agents' side of the wire.

* messages   frames as our dataclasses and back
* attach     one host's open stream
* links      where hosts of this machine bring their frames, past gRPC
* tunnels    connections that functions open to emberd's own API
* spans      what functions tell of their own work, checked
* service    the servicer: attach, and the transfers beside it
"""
