"""What is counted of invocations and hosts, and how it is written down. Pure.

* histogram   counts by size, with the trace of an example in each bucket
* tallies     what is added up of finished invocations, by function, resource and version
* url_tallies what is added up of requests to function URLs
* metering    what Lambda would bill, by day and function
* state       how it stands now: concurrency, hosts, pools, what telemetry dropped
* families    both, under CloudWatch's names and OpenTelemetry's
* exposition  families as text for Prometheus
"""
