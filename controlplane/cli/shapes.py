"""Messages as the JSON shapes that Lambda's own tools print, so that queries carry over."""

from __future__ import annotations

from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp

from controlplane.cli.output import Json
from emberd.fleet.v1 import fleet_pb2
from emberd.functions.v1 import functions_pb2, layers_pb2
from emberd.identity.v1 import identity_pb2

FUNCTION_COLUMNS = ("FunctionName", "Version", "Runtime", "Handler", "MemorySize", "LastModified")
ALIAS_COLUMNS = ("Name", "FunctionVersion", "Weights", "Description")
LAYER_COLUMNS = ("LayerName", "Version", "CompatibleRuntimes", "CodeSize", "LayerVersionArn")
LAYER_VERSION_COLUMNS = (
    *("Version", "Description", "CompatibleRuntimes", "CodeSize", "CreatedDate"),
    "LayerVersionArn",
)
KEY_COLUMNS = ("AccessKeyId", "UserName", "CreateDate")
HOST_COLUMNS = (
    *("HostId", "State", "Runtimes", "MemoryChargedMB", "MemoryMB"),
    *("Sandboxes", "SandboxesMax", "Idle", "Running", "Networks", "Notes"),
)


def function_shape(found: functions_pb2.FunctionConfiguration) -> dict[str, Json]:
    """Lambda's FunctionConfiguration."""
    shape: dict[str, Json] = {
        "FunctionName": found.function_name,
        "FunctionArn": found.function_arn,
        "Runtime": found.runtime,
        "Role": found.role,
        "Handler": found.handler,
        "CodeSize": found.code_size_bytes,
        "Description": found.description,
        "Timeout": found.timeout.seconds,
        "MemorySize": found.memory_size_mb,
        "LastModified": _moment(found.last_modified_time),
        "CodeSha256": found.code_sha256,
        "Version": found.version,
        "Environment": {"Variables": dict(sorted(found.environment.variables.items()))},
        "RevisionId": found.revision_id,
        "State": found.state,
        "PackageType": "Zip",
        "Architectures": [found.architecture],
        "EphemeralStorage": {"Size": found.ephemeral_storage_mb},
        "Network": found.network,
    }
    if found.state_reason:
        shape["StateReason"] = found.state_reason
    if found.snap_start_apply_on not in ("", "None"):
        status = "On" if found.snap_start_optimised else "Off"
        snap_start: dict[str, Json] = {"ApplyOn": found.snap_start_apply_on}
        shape["SnapStart"] = {**snap_start, "OptimizationStatus": status}
    if found.layers.arns:
        shape["Layers"] = [{"Arn": each} for each in found.layers.arns]
    return shape


def alias_shape(found: functions_pb2.AliasConfiguration) -> dict[str, Json]:
    """Lambda's AliasConfiguration."""
    weights = dict(sorted(found.additional_version_weights.items()))
    shape: dict[str, Json] = {
        "AliasArn": found.alias_arn,
        "Name": found.name,
        "FunctionVersion": found.function_version,
        "Description": found.description,
        "RevisionId": found.revision_id,
    }
    if weights:
        shape["RoutingConfig"] = {"AdditionalVersionWeights": weights}
        shape["Weights"] = [f"{version}={weight:g}" for version, weight in weights.items()]
    return shape


def layer_shape(found: layers_pb2.LayerVersion) -> dict[str, Json]:
    """A layer version: Lambda's members, with the layer's name beside its ARN."""
    shape: dict[str, Json] = {
        "LayerName": found.layer_name,
        "LayerArn": found.layer_arn,
        "LayerVersionArn": found.layer_version_arn,
        "Version": found.version,
        "Description": found.description,
        "CreatedDate": _moment(found.create_time),
        "CodeSha256": found.code_sha256,
        "CodeSize": found.code_size_bytes,
        "CompatibleRuntimes": list(found.compatible_runtimes),
        "CompatibleArchitectures": list(found.compatible_architectures),
    }
    if found.license_info:
        shape["LicenseInfo"] = found.license_info
    return shape


def host_shape(found: fleet_pb2.Host) -> dict[str, Json]:
    """One attached host; Lambda has nothing like it."""
    state = fleet_pb2.HostState.Name(found.state).removeprefix("HOST_STATE_")
    return {
        "HostId": found.host_id,
        "State": state.title(),
        "Runtimes": [each.runtime_id for each in found.runtimes],
        "Architecture": found.architecture,
        "MemoryMB": found.capacity.memory_bytes >> 20,
        "MemoryChargedMB": found.memory_charged_bytes >> 20,
        "Sandboxes": found.sandboxes,
        "SandboxesMax": found.capacity.sandboxes,
        "Idle": found.idle_sandboxes,
        "Running": found.running,
        "AttachTime": found.attach_time.ToDatetime(tzinfo=UTC).isoformat(timespec="seconds"),
        "Networks": list(found.networks),
        "Labels": dict(sorted(found.labels.items())),
        "Notes": list(found.isolation_notes),
        "LogsDropped": found.logs_dropped,
    }


def key_shape(found: identity_pb2.AccessKey) -> dict[str, Json]:
    """One access key without its secret, as IAM's tools print it."""
    return {
        "AccessKeyId": found.access_key_id,
        "UserName": found.user_name or None,
        "CreateDate": found.create_time.ToDatetime(tzinfo=UTC).isoformat(timespec="seconds"),
    }


def _moment(time: Timestamp) -> str:
    """As Lambda writes it: milliseconds, and an offset without a colon."""
    moment = time.ToDatetime(tzinfo=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment:%f}"[:3] + "+0000"
