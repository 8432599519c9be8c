"""Single decisions, without any I/O.

* counting             what metrics and metering cost an invocation, and a scrape
* http_codec           what reading and writing a call of the HTTP API costs
* identity             what signature and policies cost an Invoke
* scheduler_decision   what one decision costs at 10, 100 and 1,000 hosts
"""
