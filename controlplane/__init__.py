"""The control plane: decides, never runs user code; and the command line of the whole.

* cli         the command `emberd`
* config      what `emberd serve` is told; the places in a data folder
* supervisor  what `emberd serve` is: keeps control plane and host alive, keeps root, stays small
* programs    how the supervisor starts the two; secret_files, the secrets of a data folder
* start       the control plane as a program: takes the folder's lock, then reads its libraries
* app         the control plane put together: its parts, started and stopped in order
* fronts      the part that loads after the control plane listens: HTTP, operations
* late        stands for it until then; listening, sockets on which callers wait for it
* settings    what that program is told; status, what it tells its supervisor
* datalock    one control plane per data folder
* api         the fronts: gRPC and HTTP
* registry    functions, versions, aliases, packages
* identity    who calls, and what they may do
* storage     ports, and SQLite and files behind them
* scheduler   pure: events in, commands out
* dispatch    drives the scheduler for each invocation
* fleet       the hosts' side of the wire
* model       the words as frozen values
* telemetry   traces, metrics, logs; otlp, their export; telemetry_caps, how much is kept here;
              readings, how it stands now
* metrics     pure: what is counted and how it is written down
"""
