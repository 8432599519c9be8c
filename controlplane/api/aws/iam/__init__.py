"""As much of IAM as Terraform, chalice and the AWS CLI need to give functions their roles.

* roles     roles with the policies of their own and those attached to them
* policies  policies that roles share
* users     who has a key here
* pages     lists in pages, documents as IAM writes them
"""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.api.aws.iam import policies, roles, users
from controlplane.api.aws.operation import Handler

OPERATIONS: Mapping[str, Handler] = {
    **policies.OPERATIONS,
    **roles.OPERATIONS,
    **users.OPERATIONS,
}
"""Every operation of IAM that is built, by its name in the model."""
