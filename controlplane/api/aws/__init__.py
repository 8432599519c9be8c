"""Lambda's HTTP API as AWS's own tools speak it: every path and shape comes from botocore's model.

* application  the HTTP port: from a request to an operation and back
* doors        who are you, and may you: the seams that identity and policies stand behind
* authorisation  may you: by IAM policies; resources, the action and resource of each operation
* operation    what an operation is: a plain function of typed input
* neighbours   the services on the port
* services     everything that operations may use
* operations   the operations themselves, one module per group
* iam, sts, logs  the operations of IAM, STS and CloudWatch Logs

The codec, which knows no operation:

* model        botocore's service models, and overlay.json with our differences
* codec        what a protocol must be able to do
* restjson     the protocol of Lambda
* json11       the protocol of CloudWatch Logs
* query        the protocol of IAM and STS
* forms        the query protocol's inputs
* routing      from method, path and query to an operation
* parsing      from the bytes of a request to an operation's input
* values       one value as its shape wants it
* validation   the constraints of the model, in AWS's words
* serialising  from an operation's output to an answer
* eventstream  the framing of streamed answers
* errors       our errors as AWS's exceptions
* answer       an answer before it becomes bytes
* bodies       reading bodies, bounded
* downloads    URLs by which a package can be fetched for ten minutes
"""
