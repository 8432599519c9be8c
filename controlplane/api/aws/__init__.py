"""Lambda's HTTP API as AWS's own tools speak it: every path and shape comes from botocore's model.

* doors        who are you, and may you: the seams that identity and policies stand behind
* operation    what an operation is: a plain function of typed input
* services     everything that operations may use
* operations   the operations themselves, one module per group
"""
