"""The host plane: runs user code, decides nothing global.

* cli           emberd-host: run, confine, doctor
* agent         the composition root of the unprivileged agent
* config        what an agent is told at its start
* session       the stream to the control plane, and the transfers beside it
* frames        its frames as our dataclasses and back
* work          what the control plane asks of a host, as plain data
* tunnels       a function's connections to emberd's own API, bounded
* carrier       one of them as an RPC
* attempts      one try at one invocation, from the event to the report
* pool          warm sandboxes by revision, and the bounded queue of starts
* ahead         copies and seats made before events ask for them
* keeper        sandboxes that stand ready before any event comes
* starts        what is asked of the pool, and what it asks of whoever makes sandboxes
* starter       how a sandbox comes to be
* function_templates   inits that ran once, and sandboxes copied from what they left
* template_shelf       which revisions have one, within a budget (pure)
* guard         one sandbox made safe to hold
* outcomes      how init and invocation ended (pure)
* pushing       log lines and spans on streams of their own
* relay, pace   a streamed answer on its way to the control plane, and how fast it may go
* lifecycle     its states and their transitions (pure)
* capacity, sharing   the host's budgets, and what the seats of a worker cost together (pure)
* keepalive     how long idle sandboxes are kept (pure)
* artifacts, unpack   packages on this host
* layers        several of them laid one over the other
* bytecode            packages compiled ahead of their functions' next starts, in a sandbox
* foldercache   folders made once, shared, evicted when unused
* output        the pipe that a sandbox writes to, read without being flooded
* logs          a sandbox's output as lines, bounded
* report        Lambda's platform lines and error payloads (pure)
* environment   the variables a function sees (pure)
* spec, backend what a sandbox is, and what a kind of sandbox must offer
* runtimeapi    what a sandbox sees: Lambda's Runtime API
* tracing       traces as a sandbox sees them, and what its function sends of its own
* workers       sandboxes that take many events at once, as a seat for each
* process       the process sandbox: launcher, recipe, kernel facilities
* fake          sandboxes made of coroutines, for tests; passes the same conformance suite
"""
