"""Calls that Lambda refuses, with its recorded words, by the family of operations.

* case         what a case is, and what the cases share
* functions    functions and versions
* aliases      aliases
* layers       layers
* permissions  resource policies
* settings     concurrency, URLs, tags and what else hangs on a function
"""
