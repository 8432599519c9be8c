"""The agents' side of the wire.

* messages   frames as our dataclasses and back
* attach     one host's open stream
* service    the servicer: attach, and the transfers beside it
"""
