"""The HTTP port. Lambda's HTTP API moves in here; until then it serves health and says so.

* health   GET /health, and a clear 501 for everything else
"""
