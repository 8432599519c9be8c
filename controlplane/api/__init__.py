"""The fronts: thin adapters over registry and dispatch; none knows another.

* grpc   servicers of emberd's own services
* aws    Lambda's HTTP API
"""
