"""Measures emberd through its public interfaces, with a bare floor beside each number.

* __main__      `python -m benchmarks [NAME ...]`
* harness       owns the loops: warm-up, closed and open loop, ABBA rounds
* figures       percentiles, ratios with their interval
* report        results as JSON and tables
* plot          and as pictures
* environment   the machine and the commit that a number belongs to
* procfs        CPU time and memory of process trees, steal
* system        starts `emberd serve` as a user would, and stops it
* warm          how one of two sides that answer warm is measured
* cold          how a cold start is made and measured
* client        stock gRPC stubs
* aws           AWS's own SDK
* http_client   signed and plain HTTP on connections kept open
* micro/        single decisions
* scenarios/    one question each, asked of the whole system
* workloads/    the functions and the arrival patterns
* peers/        what others offer for the same job
* floors/       what the same machine does without emberd
* results/      JSON, one file a run; only chosen ones are committed
"""
