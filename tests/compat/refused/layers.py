"""Layers: what Lambda refuses, in its recorded words."""

from __future__ import annotations

from tests.compat.refused.case import (
    DETECTED,
    ENUM,
    IPV,
    LAYER,
    LAYER_ARN,
    NOT_FOUND,
    PATTERN,
    VALIDATION,
    Case,
    create,
)

LAYERS = [
    Case(
        call="get_layer_version",
        given={"LayerName": LAYER, "VersionNumber": 0},
        error=IPV,
        said="Layer Version Cannot be less than 1",
    ),
    Case(
        call="list_layers",
        given={"CompatibleArchitecture": "archdoesnotexist"},
        error=VALIDATION,
        said=f"{DETECTED}'archdoesnotexist' at 'compatibleArchitecture' {ENUM}[x86_64, arm64]",
    ),
    Case(
        call="create_function",
        given=create(Layers=[f"{LAYER_ARN}:9"]),
        error=IPV,
        said=f"Layer version {LAYER_ARN}:9 does not exist.",
    ),
    Case(
        call="create_function",
        given=create(Layers=[f"{LAYER_ARN}:1", f"{LAYER_ARN}:1"]),
        error=IPV,
        said="Two different versions of the same layer are not allowed to be referenced in the "
        f"same function. {LAYER_ARN}:1 and {LAYER_ARN}:1 are versions of the same layer.",
    ),
    Case(
        call="create_function",
        given=create(Layers=[f"{LAYER_ARN}{number}:1" for number in range(6)]),
        error=IPV,
        said="Cannot reference more than 5 layers.",
    ),
    Case(
        call="create_function",
        given=create(Layers=[f"{LAYER_ARN}:1".replace("us-east-1", "eu-west-1")]),
        error=IPV,
        said="Layers are not in the same region as the function. Layers are expected to be in "
        "region us-east-1.",
    ),
    Case(
        call="add_layer_version_permission",
        given={
            "LayerName": LAYER,
            "VersionNumber": 1,
            "StatementId": "s1",
            "Action": "*",
            "Principal": "*",
        },
        error=VALIDATION,
        said=f"{DETECTED}'*' at 'action' {PATTERN}lambda:GetLayerVersion",
    ),
    Case(
        call="remove_layer_version_permission",
        given={"LayerName": LAYER, "VersionNumber": 2, "StatementId": "s1"},
        error=NOT_FOUND,
        said=f"Layer version {LAYER_ARN}:2 does not exist.",
    ),
]
