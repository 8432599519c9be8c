"""The function that tests of refusals make, and the refusals that many of them expect."""

from __future__ import annotations

from tests.fakes.archives import package
from tests.fakes.aws_system import ROLE

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
ZIP = package()
BASIC = {
    "FunctionName": "thumb",
    "Runtime": "python3.12",
    "Role": ROLE,
    "Handler": "app.handler",
    "Code": {"ZipFile": ZIP},
}
INVALID = ("InvalidParameterValueException", 400)
VALIDATION = ("ValidationException", 400)
NOT_FOUND = ("ResourceNotFoundException", 404)
