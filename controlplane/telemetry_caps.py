"""How much the local store of logs and traces keeps, by what the environment says."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from controlplane.storage.log_retention import DEFAULT_CAPS as DEFAULT_LOG_CAPS
from controlplane.storage.log_retention import Caps as LogCaps
from controlplane.storage.traces import DAY_S, DEFAULT_CAPS, MIB, TraceCaps

logger = logging.getLogger(__name__)


def trace_caps(environment: Mapping[str, str]) -> TraceCaps:
    """How much the local store of traces keeps, by EMBERD_TRACES_MAX, _MB and _DAYS."""
    return TraceCaps(
        parts=int(_number(environment, "EMBERD_TRACES_MAX", DEFAULT_CAPS.parts)),
        size_bytes=int(
            _number(environment, "EMBERD_TRACES_MB", DEFAULT_CAPS.size_bytes / MIB) * MIB
        ),
        age_s=_number(environment, "EMBERD_TRACES_DAYS", DEFAULT_CAPS.age_s / DAY_S) * DAY_S,
    )


def log_caps(environment: Mapping[str, str]) -> LogCaps:
    """What is kept of logs, by EMBERD_LOGS_LINES, _MB, _TOTAL_MB and _DAYS.

    Lines and megabytes are of one function; together functions may have ten times as many lines.
    """
    default = DEFAULT_LOG_CAPS
    lines = int(_number(environment, "EMBERD_LOGS_LINES", default.function_lines))
    size_mb = _number(environment, "EMBERD_LOGS_MB", default.function_bytes / MIB)
    total_mb = _number(environment, "EMBERD_LOGS_TOTAL_MB", default.all_bytes / MIB)
    return LogCaps(
        function_lines=lines,
        function_bytes=int(size_mb * MIB),
        all_lines=lines * (default.all_lines // default.function_lines),
        all_bytes=int(total_mb * MIB),
        age_s=_number(environment, "EMBERD_LOGS_DAYS", default.age_s / DAY_S) * DAY_S,
    )


def _number(environment: Mapping[str, str], name: str, otherwise: float) -> float:
    text = environment.get(name, "")
    if not text:
        return otherwise
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        logger.warning("a setting is no number above 0", extra={"setting": name, "given": text})
        return otherwise
    return number
