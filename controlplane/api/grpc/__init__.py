"""gRPC servicers: messages in, our dataclasses inside, messages out.

* server        everything that listens, with its tokens, reflection and health
* functions     emberd.functions.v1: what has been deployed
* layers        emberd.functions.v1: layers
* convert       functions, versions and aliases as messages and back
* invocations   emberd.invocation.v1: running it
* operations    emberd.operations.v1: the rest of Lambda's operations
* carrier       what carries those out, which loads later than they are offered
* members       members of Lambda's shapes as fields of messages and back
* hosts         the fleet for operators
* identity      emberd.identity.v1: access keys
* metrics       emberd.telemetry.v1: the load now, and the usage of days
* telemetry     emberd.telemetry.v1: logs and traces
"""
