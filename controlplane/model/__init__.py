"""What the control plane talks about: frozen values, no I/O, no clock, no chance.

* ids          function references and ARNs, in every form Lambda takes
* configuration  what a caller configures of a function
* functions    a function with its versions and aliases
* settings     what hangs on a function beside code and configuration: tags, policies, URLs, ...
* layers       layers and their numbered versions
* layer_ids    their names and ARNs
* status       where a version stands: Lambda's State and LastUpdateStatus
* code_signing whose signatures a function's packages must carry
* limits       what a configuration may say, refused in Lambda's words
* runtimes     which runtimes a function may have
* networks     what its sandboxes may reach, and who offers that
* revision     the immutable description of what runs
* invocation   one event, one try at running it, and how it ended
* trace        where an invocation stands in its trace
* spans        the spans of one invocation, made from its record
* principal    who calls
* credentials  what a caller signs with
* log          a line of a function's log, and what a reader may ask
* log_groups   log groups, streams and events as CloudWatch Logs has them
* audit        who asked for what, as lines of a log
* log_levels   how severe a line is, as far as it says so
* log_patterns, json_patterns  which lines a filter pattern wants
"""
