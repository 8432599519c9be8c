"""Single decisions, without any I/O.

* scheduler_decision   what one decision costs at 10, 100 and 1,000 hosts
"""
