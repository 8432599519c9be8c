"""One question each, asked of the whole system through its public interfaces.

* warm_invocation   how fast a warm invocation is, and what it costs, beside a bare grpc.aio echo
* wasm_invocation   what a new WebAssembly instance for every event costs, beside plain wasmtime-py
* wasm_beside_workerd   what WebAssembly does per CPU-second beside workerd, on the same JavaScript
* wasm_workers      what one more event of a WebAssembly worker costs, in time and memory
* telemetry_tax     what all metrics and one trace in a hundred cost a warm invocation
* http_invocation   the same over HTTP, beside AWS's Runtime Interface Emulator
* warm_tail         the slowest in a hundred over HTTP at half load, beside the same emulator
* cold_start        how fast a function answers that never ran, by start level
* cold_beside_emulator   a cold start beside that of AWS's emulator, with few and with many imports
* cold_minus_warm   how much longer a cold start takes than a warm invocation, by boto3
* snap_start        a cold start from a function template, beside one without
* package_size      whether a large package starts slower than a small one, once on the host
* streaming         how soon the first byte of a streamed answer is here, and how fast the rest
* burst             how fast many environments come to be at once, and what the last of them wait
* burst_tail        what the last of many waits for a second of work, cold and warm
* sandbox_cost      what a sandbox costs to exec and to destroy, beside bubblewrap and a C floor
* sandbox_memory    what an idle function costs in memory, beside AWS's emulator
* noisy_neighbour   how much slower a steady function is beside neighbours that do their worst
* time_outs         how long a function lives past its deadline, and when its caller hears of it
* start_up          how long `emberd serve` takes to be ready, and to stop
* idle_memory       what an emberd costs that does nothing
"""
