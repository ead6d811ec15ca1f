"""What API Gateway calls: a Lambda function, an HTTP endpoint, an AWS service, nothing, or a URI as it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from integrations.gateway.grammar import escaped, function_arn, invocation, segments, stage_variables_in
from integrations.gateway.options import CALLING, GUIDE, REFERENCE, option

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")


def _region(example: str = "eu-west-1") -> Any:
    return option(
        None,
        label="Region",
        help="The Region whose endpoint API Gateway calls. Leave empty for the API's own Region.",
        docs=REFERENCE + "API_PutIntegration.html",
        example=example,
        text="reference",
        default_on_aws="the API's own Region",
        aws_default="${AWS::Region}",
        cdk="region",
    )


def _partition() -> Any:
    return option(
        None,
        label="Partition",
        help="The AWS partition in the integration's ARN. Leave empty for the API's own partition.",
        docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html",
        example="aws-cn",
        text="reference",
        default_on_aws="the API's own partition",
        aws_default="${AWS::Partition}",
    )


def _http_method(default: str, example: str, help_text: str) -> Any:
    return option(
        default,
        label="Backend method",
        help=help_text,
        docs=REFERENCE + "API_PutIntegration.html#apigw-PutIntegration-request-integrationHttpMethod",
        example=example,
        choices=METHODS,
        text="reference",
        types=CALLING,
        cdk="integration_http_method",
        cloudformation="IntegrationHttpMethod",
        openapi="httpMethod",
        boto3="integrationHttpMethod",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lambda:
    """A Lambda function: by ARN, by reference, or by a name that may hold a stage variable."""

    kind: ClassVar[str] = "lambda"
    function: str = option(
        "",
        label="Function",
        help="An ARN (alias or version too), a reference such as ${Orders.Arn}, or a name such as orders-${stageVariables.env}.",
        docs=GUIDE + "set-up-lambda-integrations.html",
        example="arn:aws:lambda:eu-west-1:111122223333:function:orders:live",
        text="reference",
        kind="function",
        cdk="handler",
    )
    proxy: bool = option(
        True,
        label="Proxy",
        help="Pass the whole request to the function and its answer back. Off: parameters and bodies are mapped here.",
        docs=GUIDE + "set-up-lambda-proxy-integrations.html",
        example=False,
        cdk="proxy",
    )
    http_method: str | None = _http_method("POST", "POST", "Lambda is always invoked with POST.")
    region: str | None = _region()
    partition: str | None = _partition()
    allow_test_invoke: bool | None = option(
        None,
        label="Allow test invoke",
        help="Also permit the console's Test button to invoke the function. Ignored without a permission scoped to the method.",
        docs=GUIDE + "how-to-test-method.html",
        example=False,
        default_on_aws="allowed",
        aws_default=True,
        cdk="allow_test_invoke",
    )
    scope_permission_to_method: bool | None = option(
        None,
        label="Scope permission to method",
        help="Permit the invocation for this method and path only. Off: one permission for the whole API.",
        docs="https://docs.aws.amazon.com/cdk/api/v2/python/aws_cdk.aws_apigateway/LambdaIntegrationOptions.html",
        example=False,
        default_on_aws="this method only",
        aws_default=True,
        cdk="scope_permission_to_method",
    )
    permission_functions: tuple[str, ...] = option(
        (),
        label="Functions behind the stage variable",
        value_text="function",
        help="The functions that the stage variable may name; each is given its own permission.",
        docs=GUIDE + "amazon-api-gateway-using-stage-variables.html",
        example=("orders-dev", "orders-prod"),
        text="reference",
        kind="function",
    )

    @property
    def permitted(self) -> tuple[str, ...]:
        """The functions that need a permission: itself, unless a stage variable names it, and the listed ones."""
        own = (self.function,) if self.function and not stage_variables_in(self.function) else ()
        return tuple(dict.fromkeys((*own, *self.permission_functions)))

    def uri(self, *, streaming: bool) -> str:
        """The URI as PutIntegration takes it, in reference notation."""
        target = invocation(function_arn(self.function), streaming=streaming)
        return f"arn:{self.partition or '${AWS::Partition}'}:apigateway:{self.region or '${AWS::Region}'}:lambda:path/{target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """An HTTP endpoint, public or behind a VPC link."""

    kind: ClassVar[str] = "http"
    url: str = option(
        "",
        label="URL",
        help="Absolute, with http:// or https://. {name} takes a mapped path parameter, ${stageVariables.name} a stage variable.",
        docs=GUIDE + "setup-http-integrations.html",
        example="https://books.example.com/v1/{id}",
        text="reference",
        kind="url",
        cdk="url",
        cloudformation="Uri",
        openapi="uri",
    )
    proxy: bool = option(
        True,
        label="Proxy",
        help="Pass the request and the answer through. Off: parameters, templates and responses are mapped here.",
        docs=GUIDE + "setup-http-integrations.html",
        example=False,
        cdk="proxy",
    )
    http_method: str | None = _http_method("GET", "PUT", "The method of the call to the endpoint; ANY repeats the caller's.")

    def uri(self, *, streaming: bool) -> str:
        """The URL."""
        return self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsService:
    """An action or a path of an AWS service: SQS, Step Functions, DynamoDB, S3, EventBridge…"""

    kind: ClassVar[str] = "aws"
    service: str = option(
        "",
        label="Service",
        help="The service as in its endpoint: sqs, states, dynamodb, s3, events.",
        docs=REFERENCE + "API_PutIntegration.html#apigw-PutIntegration-request-uri",
        example="sqs",
        text="reference",
        cdk="service",
    )
    subdomain: str | None = option(
        None,
        label="Subdomain",
        help="In front of the service's host: a bucket for S3, runtime for SageMaker.",
        docs=REFERENCE + "API_PutIntegration.html#apigw-PutIntegration-request-uri",
        example="runtime",
        text="reference",
        cdk="subdomain",
    )
    action: str | None = option(
        None,
        label="Action",
        help="The API action, such as StartExecution. Either an action or a path.",
        docs=REFERENCE + "API_PutIntegration.html#apigw-PutIntegration-request-uri",
        example="SendMessage",
        text="reference",
        cdk="action",
    )
    action_parameters: Mapping[str, str] = option(
        default_factory=dict,
        label="Action parameters",
        help="Sent in the query string of the action.",
        docs="https://docs.aws.amazon.com/cdk/api/v2/python/aws_cdk.aws_apigateway/AwsIntegration.html",
        example={"Version": "2012-11-05"},
        text="reference",
        key_text="parameter",
        value_text="value",
        cdk="action_parameters",
    )
    path: str | None = option(
        None,
        label="Path",
        help="The path at the service: account/queue for SQS, bucket/{key} for S3. Either an action or a path.",
        docs=REFERENCE + "API_PutIntegration.html#apigw-PutIntegration-request-uri",
        example="${AWS::AccountId}/orders",
        text="reference",
        cdk="path",
    )
    http_method: str | None = _http_method("POST", "PUT", "The method of the call to the service: POST for most actions.")
    region: str | None = _region()
    partition: str | None = _partition()

    def uri(self, *, streaming: bool) -> str:
        """The URI as PutIntegration takes it; the parameters of an action stand after `&`, URL-encoded as the CDK writes them."""
        host = f"{self.subdomain}.{self.service}" if self.subdomain else self.service
        prefix = f"arn:{self.partition or '${AWS::Partition}'}:apigateway:{self.region or '${AWS::Region}'}:{host}"
        if self.action is None:
            return f"{prefix}:path/{self.path or ''}"
        query = "&".join(f"{encoded(escaped(name))}={encoded(value)}" for name, value in self.action_parameters.items())
        return f"{prefix}:action/{self.action}" + (f"&{query}" if query else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mock:
    """No backend: API Gateway answers by itself."""

    kind: ClassVar[str] = "mock"

    def uri(self, *, streaming: bool) -> str:
        """None: AWS drops the URI of a MOCK."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """Type, method and URI verbatim, for what the other backends do not say."""

    kind: ClassVar[str] = "raw"
    type: str = option(
        "",
        label="Integration type",
        help="As PutIntegration takes it.",
        docs=REFERENCE + "API_PutIntegration.html#apigw-PutIntegration-request-type",
        example="AWS_PROXY",
        choices=("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"),
        text="reference",
        cdk="type",
        cloudformation="Type",
        openapi="type",
    )
    http_method: str | None = option(
        None,
        label="Backend method",
        help="The method of the call to the backend. All but MOCK have one.",
        docs=REFERENCE + "API_PutIntegration.html#apigw-PutIntegration-request-integrationHttpMethod",
        example="POST",
        choices=METHODS,
        text="reference",
        types=CALLING,
        cdk="integration_http_method",
        cloudformation="IntegrationHttpMethod",
        openapi="httpMethod",
        boto3="integrationHttpMethod",
    )
    raw_uri: str | None = option(
        None,
        label="URI",
        help="As PutIntegration takes it.",
        docs=REFERENCE + "API_PutIntegration.html#apigw-PutIntegration-request-uri",
        example="arn:aws:apigateway:eu-west-1:s3:path/books",
        text="reference",
        types=CALLING,
        cdk="uri",
        cloudformation="Uri",
        openapi="uri",
    )

    def uri(self, *, streaming: bool) -> str:
        """As it stands."""
        return self.raw_uri or ""


type Backend = Lambda | Http | AwsService | Mock | Raw
BACKENDS: Mapping[str, type[Lambda | Http | AwsService | Mock | Raw]] = {
    backend.kind: backend for backend in (Lambda, Http, AwsService, Mock, Raw)
}


def encoded(text: str) -> str:
    """Percent-encoded like Node's querystring, references left alone."""
    return "".join(
        quote(part, safe="!'()*-._~", errors="replace") if isinstance(part, str) else str(part) for part in segments(text)
    )
