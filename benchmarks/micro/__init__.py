"""Single decisions, without any I/O.

* counting             what metrics and metering cost an invocation, and a scrape
* http_codec           what reading and writing a call of the HTTP API costs
* identity             what signature and policies cost an Invoke
* idle_cost            what idle sandboxes cost in memory, kept by our policy and for ten minutes
* scheduler_decision   what one decision costs at 10, 100 and 1,000 hosts
"""
