"""Single decisions, without any I/O.

* http_codec           what reading and writing a call of the HTTP API costs
* identity             what signature and policies cost an Invoke
* scheduler_decision   what one decision costs at 10, 100 and 1,000 hosts
"""
