"""Answers with all that a function can know about its invocation."""

import os


def handler(event, context):
    client = context.client_context
    return {
        "aws_request_id": context.aws_request_id,
        "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name,
        "function_name": context.function_name,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn,
        "tenant_id": context.tenant_id,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "identity_id": context.identity.cognito_identity_id,
        "identity_pool_id": context.identity.cognito_identity_pool_id,
        "client": client
        and {
            "custom": client.custom,
            "env": client.env,
            "app_title": client.client and client.client.app_title,
        },
        "trace_id": os.environ.get("_X_AMZN_TRACE_ID"),
        "repr": repr(context),
    }
