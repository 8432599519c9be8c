"""What the same machine does without emberd.

* program      the gRPC servers among them, as programs of their own
* grpc_echo    a bare grpc.aio server that answers Invoke with its own payload, in its own process
* fork_exec    starting the runtime's interpreter and nothing else
* otlp_sink    a collector that takes everything and keeps nothing: no floor, but as bare
* sandbox      a sandbox's namespaces and mounts in C, and nothing between it and the kernel
"""
