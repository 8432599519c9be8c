"""gRPC servicers: messages in, our dataclasses inside, messages out.

* server        everything that listens, with its tokens, reflection and health
* functions     emberd.functions.v1: what has been deployed
* layers        emberd.functions.v1: layers
* convert       functions, versions and aliases as messages and back
* invocations   emberd.invocation.v1: running it
* hosts         the fleet for operators
* telemetry     emberd.telemetry.v1: logs and traces
"""
