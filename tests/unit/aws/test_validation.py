"""Broken constraints in the words recorded from AWS (lambda-behaviour.md, appendix A)."""

from __future__ import annotations

import pytest

from controlplane.api.aws.model import load_model
from controlplane.api.aws.validation import java_pattern, rules_of, validate
from emberd.wire.errors import InvalidArgumentError

LAMBDA = load_model("lambda")
ARN = "arn:aws:lambda:us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/emberd"
REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
FUNCTION = {"FunctionName": "thumb"}
CREATE = FUNCTION | {"Role": ROLE, "Code": {"ZipFile": b"x"}}
ALIAS = FUNCTION | {"Name": "live", "FunctionVersion": "1"}
EVENTS = FUNCTION | {"MaximumRetryAttempts": 1}
LAYER = {"LayerName": "l", "Content": {"ZipFile": b"x"}}


def refusal(operation, request):
    """What an operation's input is refused with; the empty string if it is not."""
    shape = LAMBDA.operation(operation).input
    try:
        validate(shape, request)
    except InvalidArgumentError as error:
        return error.message
    return ""


def test_the_exception_is_one_that_the_model_does_not_declare():
    with pytest.raises(InvalidArgumentError) as refused:
        validate(LAMBDA.operation("CreateAlias").input, {})
    assert refused.value.reason == "VALIDATION"
    assert refused.value.message.startswith("3 validation errors detected: Value null at ")


@pytest.mark.parametrize(
    ("operation", "request_", "violation"),
    [
        (
            "GetFunctionUrlConfig",
            FUNCTION | {"Qualifier": "$LATEST"},
            r"Value '$LATEST' at 'qualifier' failed to satisfy constraint: Member must satisfy "
            r"regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)",
        ),
        (
            "AddLayerVersionPermission",
            {
                "LayerName": "l",
                "VersionNumber": 1,
                "StatementId": "s",
                "Action": "*",
                "Principal": "*",
            },
            "Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular "
            "expression pattern: lambda:GetLayerVersion",
        ),
        (
            "PutProvisionedConcurrencyConfig",
            FUNCTION | {"Qualifier": "1", "ProvisionedConcurrentExecutions": 0},
            "Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member "
            "must have value greater than or equal to 1",
        ),
        (
            "CreateAlias",
            ALIAS | {"Name": "2024"},
            "Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular "
            "expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
        ),
        (
            "PutFunctionRecursionConfig",
            FUNCTION | {"RecursiveLoop": "InvalidValue"},
            "Value 'InvalidValue' at 'recursiveLoop' failed to satisfy constraint: Member must "
            "satisfy enum value set: [Terminate, Allow]",
        ),
        (
            "CreateFunctionUrlConfig",
            FUNCTION | {"AuthType": "NONE", "InvokeMode": "UNKNOWN"},
            "Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: Member must satisfy "
            "enum value set: [RESPONSE_STREAM, BUFFERED]",
        ),
        (
            "CreateFunction",
            CREATE | {"VpcConfig": {"SecurityGroupIds": ["sg/1"]}},
            "Value '[sg/1]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member "
            "must satisfy constraint: [Member must have length less than or equal to 1024, Member "
            "must have length greater than or equal to 0, Member must satisfy regular expression "
            "pattern: sg-[0-9a-zA-Z]*]",
        ),
        (
            "CreateFunction",
            CREATE | {"VpcConfig": {"SubnetIds": ["bad"]}},
            "Value '[bad]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member must "
            "satisfy constraint: [Member must have length less than or equal to 1024, Member must "
            "have length greater than or equal to 0, Member must satisfy regular expression "
            "pattern: subnet-[0-9a-z]*]",
        ),
        (
            "CreateFunction",
            CREATE | {"Architectures": ["X86_64"]},
            "Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy "
            "constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be "
            "null]",
        ),
        (
            "CreateFunction",
            CREATE | {"Architectures": ["x86_64", "arm64"]},
            "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must "
            "have length less than or equal to 1",
        ),
        (
            "CreateFunction",
            CREATE | {"SnapStart": {"ApplyOn": "invalidOption"}},
            "Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy constraint: Member "
            "must satisfy enum value set: [PublishedVersions, None]",
        ),
        (
            "CreateFunction",
            CREATE | {"Role": "r1"},
            "Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular "
            r"expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
        ),
        (
            "CreateFunction",
            CREATE | {"Timeout": 901},
            "Value '901' at 'timeout' failed to satisfy constraint: Member must have value less "
            "than or equal to 900",
        ),
        (
            "CreateFunction",
            CREATE | {"MemorySize": 10_241},
            "Value '10241' at 'memorySize' failed to satisfy constraint: Member must have value "
            "less than or equal to 10240",
        ),
        (
            "CreateFunction",
            CREATE | {"EphemeralStorage": {"Size": 10_241}},
            "Value '10241' at 'ephemeralStorage.size' failed to satisfy constraint: Member must "
            "have value less than or equal to 10240",
        ),
        (
            "ListLayers",
            {"CompatibleArchitecture": "archdoesnotexist"},
            "Value 'archdoesnotexist' at 'compatibleArchitecture' failed to satisfy constraint: "
            "Member must satisfy enum value set: [x86_64, arm64]",
        ),
        (
            "PutFunctionEventInvokeConfig",
            EVENTS | {"DestinationConfig": {"OnFailure": {"Destination": "arn:_-/!lambda"}}},
            "Value 'arn:_-/!lambda' at 'destinationConfig.onFailure.destination' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: "
            r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:"
            rf"({REGION})?:(\d{{12}})?:(.*)",
        ),
        (
            "Invoke",
            {"FunctionName": "arn:aws:lambda:us-east-1:123400000000@function:myfn"},
            "Value 'arn:aws:lambda:us-east-1:123400000000@function:myfn' at 'functionName' failed "
            "to satisfy constraint: Member must satisfy regular expression pattern: "
            rf"(arn:(aws[a-zA-Z-]*)?:lambda:)?({REGION}:)?(\d{{12}}:)?(function:)?"
            r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
        ),
        (
            "CreateFunction",
            CREATE | {"FunctionName": f"{ARN}:function:{'a' * 140}"},
            f"Value '{ARN}:function:{'a' * 140}' at 'functionName' failed to satisfy constraint: "
            "Member must have length less than or equal to 140",
        ),
        (
            "CreateFunction",
            CREATE | {"FunctionName": "invalid:function:name"},
            "Value 'invalid:function:name' at 'functionName' failed to satisfy constraint: Member "
            "must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?"
            rf"({REGION}:)?(\d{{12}}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?",
        ),
        (
            "AddPermission",
            FUNCTION
            | {"StatementId": "example.com", "Action": "lambda:InvokeFunction", "Principal": "p"},
            "Value 'example.com' at 'statementId' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
        ),
        (
            "ListFunctions",
            {"FunctionVersion": "invalid"},
            "Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must "
            "satisfy enum value set: [ALL]",
        ),
        (
            "CreateEventSourceMapping",
            FUNCTION | {"StartingPosition": "invalid"},
            "Value 'invalid' at 'startingPosition' failed to satisfy constraint: Member must "
            "satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
        ),
        (
            "GetPolicy",
            FUNCTION | {"Qualifier": "invalid-qualifier-with-?-char"},
            "Value 'invalid-qualifier-with-?-char' at 'qualifier' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: "
            r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
        ),
        (
            "CreateAlias",
            ALIAS | {"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}},
            "Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy "
            "constraint: Map keys must satisfy constraint: [Member must have length less than or "
            "equal to 1024, Member must have length greater than or equal to 1, Member must "
            "satisfy regular expression pattern: [0-9]+]",
        ),
        *(
            (
                "CreateAlias",
                ALIAS | {"RoutingConfig": {"AdditionalVersionWeights": {"2": weight}}},
                f"Value '{{2={weight}}}' at 'routingConfig.additionalVersionWeights' failed to "
                "satisfy constraint: Map value must satisfy constraint: [Member must have value "
                "less than or equal to 1.0, Member must have value greater than or equal to 0.0, "
                "Member must not be null]",
            )
            for weight in (-1.0, 2.0)
        ),
        (
            "UntagResource",
            {"Resource": f"{ARN}:function:thumb"},
            "Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
        ),
        (
            "CreateFunction",
            CREATE | {"Layers": [f"{ARN}:layer:l"]},
            f"Value '[{ARN}:layer:l]' at 'layers' failed to satisfy constraint: Member must "
            "satisfy constraint: [Member must have length less than or equal to 2048, Member must "
            "have length greater than or equal to 1, Member must satisfy regular expression "
            rf"pattern: (arn:(aws[a-zA-Z-]*)?:lambda:{REGION}:\d{{12}}:layer:[a-zA-Z0-9-_]+:"
            "[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+), Member must not be "
            "null]",
        ),
    ],
)
def test_one_broken_constraint_is_told_as_recorded(operation, request_, violation):
    assert refusal(operation, request_) == f"1 validation error detected: {violation}"


def test_several_are_joined_and_counted():
    request = LAYER | {
        "CompatibleRuntimes": ["invalidruntime", "invalidruntime2", "nodejs20.x"],
        "CompatibleArchitectures": ["invalidarch", "x86_64"],
    }
    runtimes = ", ".join(LAMBDA.shape("Runtime").enum)
    shown = f"[{runtimes}]"
    assert refusal("PublishLayerVersion", request) == (
        "2 validation errors detected: Value '[invalidruntime, invalidruntime2, nodejs20.x]' at "
        "'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: "
        f"{shown}; Value '[invalidarch, x86_64]' at 'compatibleArchitectures' failed to satisfy "
        "constraint: Member must satisfy constraint: [Member must satisfy enum value set: "
        "[x86_64, arm64], Member must not be null]"
    )


def test_the_runtime_of_a_function_is_left_to_those_who_know_the_hosts():
    assert refusal("CreateFunction", CREATE | {"Runtime": "non-existent-runtime"}) == ""


def test_values_of_an_environment_are_never_shown():
    request = CREATE | {"Environment": {"Variables": {"1BAD": "a-secret", "OK": "another"}}}
    told = refusal("CreateFunction", request)
    assert told == (
        "1 validation error detected: Value at 'environment.variables' failed to satisfy "
        "constraint: Map keys must satisfy constraint: [Member must satisfy regular expression "
        "pattern: [a-zA-Z]([a-zA-Z0-9_])+]"
    )


def test_structures_in_lists_are_named_one_by_one():
    request = CREATE | {
        "FileSystemConfigs": [{"Arn": "x" * 300, "LocalMountPath": "/mnt/a"}, {"Arn": "x"}]
    }
    told = refusal("CreateFunction", request)
    assert "at 'fileSystemConfigs' failed to satisfy constraint: Member must have length" in told
    assert "at 'fileSystemConfigs.1.member.arn' failed to satisfy constraint: Member must" in told
    assert "Value null at 'fileSystemConfigs.2.member.localMountPath' failed to satisfy" in told


def test_null_is_no_element():
    told = refusal("CreateFunction", CREATE | {"Layers": [None]})
    assert told.startswith("1 validation error detected: Value '[null]' at 'layers'")


def test_a_text_is_as_long_as_java_says():
    assert refusal("CreateFunction", CREATE | {"Description": "😀" * 128}) == ""
    assert "less than or equal to 256" in refusal(
        "CreateFunction", CREATE | {"Description": "😀" * 128 + "x"}
    )


def test_a_long_list_of_mistakes_is_cut():
    request = CREATE | {"FileSystemConfigs": [{} for _ in range(10_000)]}
    assert refusal("CreateFunction", request).startswith("50 validation errors detected: ")


@pytest.mark.parametrize("service", ["lambda", "sts", "iam", "logs"])
def test_every_constraint_of_every_model_is_understood(service):
    model = load_model(service)
    inputs = [model.operation(name).input for name in model.operation_names]
    pending, ruled = [each for each in inputs if each], {}
    while pending:
        shape = pending.pop()
        if shape.name in ruled:
            continue
        ruled[shape.name] = [rule.text for rule in rules_of(shape)]
        inner = [*shape.members.values(), shape.element, shape.key, shape.value]
        pending += [member.shape for member in inner if member is not None]
    patterns = [name for name in ruled if model.shape(name).pattern and not model.shape(name).enum]
    assert len(patterns) > 5
    assert all(ruled[name][-1].endswith(model.shape(name).pattern) for name in patterns)


@pytest.mark.parametrize("good", ["ключ", "a b/1:+", "値\u3000x", "½"])
def test_letters_of_every_script_may_be_in_a_tag(good):
    assert java_pattern(LAMBDA.shape("TagKey").pattern).fullmatch(good)


@pytest.mark.parametrize("bad", ["a\nb", "a*", "😀", "\u0301"])
def test_other_characters_may_not(bad):
    assert not java_pattern(LAMBDA.shape("TagKey").pattern).fullmatch(bad)


def test_digits_are_those_of_ascii():
    arabic = "arn:aws:iam::" + "١" * 12 + ":role/x"  # noqa: RUF001
    assert refusal("CreateFunction", CREATE | {"Role": arabic})
