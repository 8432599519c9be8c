"""Telemetry out over OTLP: the only package of the control plane that knows the OTel SDK.

OpenTelemetry's own variables say what goes where (OTEL_EXPORTER_OTLP_*, OTEL_BSP_*, OTEL_BLRP_*,
OTEL_METRIC_*, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES). Threads do the sending; an endpoint
that is slow or down fills bounded queues, and from then on what comes is counted instead of kept.
Those threads read the SDK, when they have something to send: 0.2 s that no start waits for.

* wanted     what the variables ask for; imports nothing of the SDK
* exporters  the SDK's exporters, over gRPC or HTTP
* outbox     a bounded queue and the thread that sends from it
* ticker     the thread that sends metrics; rhythm, how often
* resource   what everything that is sent says of its origin
* spans      our spans as the SDK's
* logs       our log lines as the SDK's log records
* metrics    the families of `controlplane.metrics` as instruments
* sink       the three together: what `controlplane.telemetry` talks to
"""
