# What people keep in one file: a role, a function with a layer, an alias, a URL, its permission.
# The provider finds emberd by the variables that `emberd env` exports, and nothing else.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {}

variable "archive" {
  type = string
}

variable "layer" {
  type = string
}

variable "runtime" {
  type = string
}

variable "memory_size" {
  type = number
}

variable "subnets" {
  type = list(string)
}

variable "snap_start" {
  type    = bool
  default = false
}

data "aws_caller_identity" "current" {}

resource "aws_iam_role" "function" {
  name = "terraform"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy" "call" {
  name = "call"
  role = aws_iam_role.function.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = "*"
    }]
  })
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/from-terraform"
  retention_in_days = 7
}

resource "aws_lambda_layer_version" "words" {
  layer_name          = "from-terraform"
  filename            = var.layer
  source_code_hash    = filebase64sha256(var.layer)
  compatible_runtimes = [var.runtime]
}

resource "aws_lambda_function" "greet" {
  function_name                  = "from-terraform"
  filename                       = var.archive
  source_code_hash               = filebase64sha256(var.archive)
  role                           = aws_iam_role.function.arn
  runtime                        = var.runtime
  handler                        = "app.handler"
  memory_size                    = var.memory_size
  timeout                        = 10
  publish                        = true
  layers                         = [aws_lambda_layer_version.words.arn]
  reserved_concurrent_executions = 5

  environment {
    variables = {
      STAGE = "test"
    }
  }

  dynamic "vpc_config" {
    for_each = length(var.subnets) == 0 ? [] : [var.subnets]
    content {
      subnet_ids         = vpc_config.value
      security_group_ids = ["sg-1"]
    }
  }

  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []
    content {
      apply_on = snap_start.value
    }
  }

  tags = {
    team = "compat"
  }

  depends_on = [aws_cloudwatch_log_group.function]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "what callers call"
  function_name    = aws_lambda_function.greet.function_name
  function_version = aws_lambda_function.greet.version
}

resource "aws_lambda_function_url" "live" {
  function_name      = aws_lambda_function.greet.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = "NONE"

  cors {
    allow_origins = ["*"]
    allow_methods = ["GET"]
    max_age       = 60
  }
}

resource "aws_lambda_permission" "url" {
  statement_id           = "everyone"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.greet.function_name
  qualifier              = aws_lambda_alias.live.name
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "bucket" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.greet.function_name
  principal     = "s3.amazonaws.com"
  source_arn    = "arn:aws:s3:::a-bucket"
}

resource "aws_lambda_function_event_invoke_config" "greet" {
  function_name                = aws_lambda_function.greet.function_name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}

output "account" {
  value = data.aws_caller_identity.current.account_id
}

output "version" {
  value = aws_lambda_function.greet.version
}

output "url" {
  value = aws_lambda_function_url.live.function_url
}
