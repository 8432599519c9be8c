"""Functions to run and patterns of arrivals.

* hello/      answers with its package's token and its environment's id
* streams/    answers in pieces
* arrivals    when invocations are due
"""
