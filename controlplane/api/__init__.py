"""The fronts: thin adapters over registry and dispatch; none knows another.

* grpc   servicers of emberd's own services
* http   health today; Lambda's HTTP API comes here
"""
