"""The fronts: thin adapters over registry and dispatch; none knows another.

* grpc   servicers of emberd's own services
* aws    Lambda's HTTP API
* urls   function URLs
* behind what all of them lead to
* auditing every call, as a line of the audit log
* scrape /metrics for Prometheus
* inside the same HTTP port for functions, whose connections arrive through their hosts
"""
