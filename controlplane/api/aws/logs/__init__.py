"""CloudWatch Logs: enough of it to read what functions log, and for tools that manage log groups.

* groups   log groups, their retention and tags
* streams  log streams
* events   FilterLogEvents, GetLogEvents, PutLogEvents
* paging   tokens and references that all of them take
"""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.api.aws.logs import events, groups, streams
from controlplane.api.aws.operation import Handler

OPERATIONS: Mapping[str, Handler] = {
    **events.OPERATIONS,
    **groups.OPERATIONS,
    **streams.OPERATIONS,
}
"""Every operation that is built, by its name in the model."""
