"""The plain value of an API and its integrations; to and from canonical JSON."""

import dataclasses
import functools
import hashlib
import itertools
import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, cast
from urllib.parse import quote

from integrations.gateway.findings import Path
from integrations.gateway.grammar import (
    Parameter,
    Reference,
    escaped,
    function_arn,
    invocation,
    notation,
    parse_method_parameter,
    parse_request_source,
    parse_response_target,
    path_variables,
    references_in,
    segments,
    stage_variables_in,
    whole_reference,
)
from integrations.gateway.options import CALLING, GUIDE, HTTP_TYPES, NON_PROXY, PROXY_TYPES, REFERENCE, Kind, option, options_of

SCHEMA = 1
"""The number that a stored definition carries; `loads` upgrades older ones."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")
PARAMETERS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"
CALLER_CREDENTIALS = "arn:${AWS::Partition}:iam::*:user/*"
"""What `credentials_passthrough` means to API Gateway: the caller's own identity."""


LIMITS = {"text": 1_100_000, "rows": 2_000, "bytes": 8_000_000, "number": 2**53, "depth": 100}
"""What a definition may hold: characters in a text, rows in a map or list, bytes of JSON, a number that every JSON reader
keeps, levels in an origin. Bounds for safety, not AWS's own."""


class DefinitionError(ValueError):
    """A text that is no definition: what is wrong, and at which path."""

    def __init__(self, message: str, path: Path = ()) -> None:
        where = "".join(f"[{part!r}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class Template:
    """A Velocity template. `substituted`: its `${Name}` are references of the deployment, not Velocity's."""

    text: str
    substituted: bool = False


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """What stood in an imported file where a parameter stands now: one JSON value, kept verbatim as ASCII text."""

    text: str

    @classmethod
    def of(cls, value: Any) -> "Intrinsic":
        """Of a JSON value such as `{"Fn::GetAtt": ["Orders", "Arn"]}`, not null. Raises DefinitionError where it is none."""
        level, depth, parts = [value], 0, 0
        while level:
            lists = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
            level = list(itertools.islice(itertools.chain.from_iterable(lists), LIMITS["text"]))
            depth, parts = depth + 1, parts + len(level)
            if depth > LIMITS["depth"] or parts >= LIMITS["text"]:
                raise DefinitionError(
                    f"Values up to {LIMITS['depth']} levels deep and {LIMITS['text']:,} characters long are kept."
                )
        try:
            text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError) as error:
            raise DefinitionError(f"This is no JSON value: {error}.") from error
        if value is None or len(text) > LIMITS["text"]:
            raise DefinitionError(f"A JSON value of up to {LIMITS['text']:,} characters is wanted here.")
        return cls(text)

    @property
    def value(self) -> Any:
        """The JSON value."""
        return json.loads(self.text)


# --- Backends --------------------------------------------------------------------------------------


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


# --- Integration -----------------------------------------------------------------------------------


def _response_templates_help() -> str:
    return "Velocity templates by media type of the caller's Accept header; without one the backend's body passes through."


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationResponse:
    """How one kind of answer from the backend becomes a response of the method."""

    status_code: str = option(
        "200",
        label="Status code",
        help="What the caller gets, 100 to 599. It must be one of the method's responses; one integration response a status.",
        docs=REFERENCE + "API_PutIntegrationResponse.html",
        example="404",
        text="reference",
        cdk="status_code",
        cloudformation="StatusCode",
        openapi="statusCode",
    )
    selection_pattern: str | None = option(
        None,
        label="Selection pattern",
        help="A Java regex over the whole backend status, or a Lambda function's error message. Empty: the default response.",
        docs=GUIDE + "api-gateway-integration-settings-integration-response.html",
        example=r"4\d{2}",
        default_on_aws="the default response",
        aws_default="",
        cdk="selection_pattern",
        cloudformation="SelectionPattern",
        boto3="selectionPattern",
    )
    content_handling: str | None = option(
        None,
        label="Body conversion",
        help="Between text and binary, before the template.",
        docs=GUIDE + "api-gateway-payload-encodings-workflow.html",
        example="CONVERT_TO_TEXT",
        choices=("CONVERT_TO_BINARY", "CONVERT_TO_TEXT"),
        text="reference",
        default_on_aws="passed through",
        cdk="content_handling",
        cloudformation="ContentHandling",
        openapi="contentHandling",
    )
    response_parameters: Mapping[str, str] = option(
        default_factory=dict,
        label="Response headers",
        help="Header of the method response from an expression: integration.response.header.X, context.X or 'static'.",
        docs=GUIDE + "request-response-data-mappings.html",
        example={"method.response.header.X-Request-Id": "context.requestId"},
        text="reference",
        key_text="header",
        key_prefixes=("method.response.header.",),
        value_text="expression",
        cdk="response_parameters",
        cloudformation="ResponseParameters",
        openapi="responseParameters",
    )
    response_templates: Mapping[str, Template] = option(
        default_factory=dict,
        label="Response templates",
        help=_response_templates_help(),
        docs=GUIDE + "models-mappings.html",
        example={"application/json": Template('{"ok": true}')},
        text="template",
        key_text="media type",
        value_text="template",
        cdk="response_templates",
        cloudformation="ResponseTemplates",
        openapi="responseTemplates",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """What API Gateway calls for a method, and how: the options of PutIntegration."""

    backend: Backend
    request_parameters: Mapping[str, str] = option(
        default_factory=dict,
        label="Request parameters",
        help="What the backend gets, from an expression: method.request.header.X, context.X, stageVariables.X or 'static'.",
        docs=GUIDE + "request-response-data-mappings.html",
        example={"integration.request.header.X-Caller": "context.identity.sourceIp"},
        text="reference",
        key_text="backend parameter",
        key_prefixes=("integration.request.header.", "integration.request.querystring.", "integration.request.path."),
        value_text="expression",
        types=frozenset({"AWS", "HTTP", "HTTP_PROXY"}),
        cdk="request_parameters",
        cloudformation="RequestParameters",
        openapi="requestParameters",
    )
    request_templates: Mapping[str, Template] = option(
        default_factory=dict,
        label="Mapping templates",
        help="Velocity templates by media type of the request; they write the body that the backend gets.",
        docs=GUIDE + "models-mappings.html",
        example={"application/json": Template('{"id": "$input.params(\'id\')"}')},
        text="template",
        key_text="media type",
        value_text="template",
        types=NON_PROXY,
        cdk="request_templates",
        cloudformation="RequestTemplates",
        openapi="requestTemplates",
    )
    passthrough_behavior: str | None = option(
        None,
        label="Unmapped content types",
        help="What happens to a body whose media type has no template.",
        docs=GUIDE + "integration-passthrough-behaviors.html",
        example="NEVER",
        choices=("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"),
        text="reference",
        default_on_aws="WHEN_NO_MATCH",
        aws_default="WHEN_NO_MATCH",
        types=NON_PROXY,
        cdk="passthrough_behavior",
        cloudformation="PassthroughBehavior",
        openapi="passthroughBehavior",
    )
    content_handling: str | None = option(
        None,
        label="Body conversion",
        help="Between text and binary, before the template.",
        docs=GUIDE + "api-gateway-payload-encodings-workflow.html",
        example="CONVERT_TO_TEXT",
        choices=("CONVERT_TO_BINARY", "CONVERT_TO_TEXT"),
        text="reference",
        default_on_aws="passed through",
        cdk="content_handling",
        cloudformation="ContentHandling",
        openapi="contentHandling",
    )
    cache_key_parameters: tuple[str, ...] = option(
        (),
        label="Cache key",
        value_text="parameter",
        help="Request parameters of the method that tell cached answers apart, such as method.request.querystring.page.",
        docs=GUIDE + "api-gateway-caching.html",
        example=("method.request.querystring.page",),
        cdk="cache_key_parameters",
        cloudformation="CacheKeyParameters",
        openapi="cacheKeyParameters",
    )
    cache_namespace: str | None = option(
        None,
        label="Cache namespace",
        help="Methods with the same namespace share their cached answers.",
        docs=GUIDE + "api-gateway-caching.html",
        example="books",
        text="reference",
        default_on_aws="the resource's id",
        cdk="cache_namespace",
        cloudformation="CacheNamespace",
        openapi="cacheNamespace",
    )
    credentials_role: str | None = option(
        None,
        label="Execution role",
        help="The role that API Gateway assumes for the call: an ARN or a reference.",
        docs=GUIDE + "permissions.html",
        example="arn:aws:iam::111122223333:role/apigateway-calls",
        text="reference",
        kind="role",
        types=frozenset({"AWS", "AWS_PROXY"}),
        cdk="credentials_role",
        cloudformation="Credentials",
        openapi="credentials",
    )
    credentials_passthrough: bool | None = option(
        None,
        label="Caller credentials",
        help="Call with the caller's own identity instead of a role. Needs AWS_IAM authorization.",
        docs=GUIDE + "permissions.html",
        example=True,
        default_on_aws="not passed",
        aws_default=False,
        types=frozenset({"AWS", "AWS_PROXY"}),
        cdk="credentials_passthrough",
        cloudformation="Credentials",
        openapi="credentials",
    )
    connection_type: str | None = option(
        None,
        label="Connection",
        help="Over the internet, or through a VPC link to a private endpoint.",
        docs=GUIDE + "private-integration.html",
        example="VPC_LINK",
        choices=("INTERNET", "VPC_LINK"),
        text="reference",
        default_on_aws="INTERNET",
        aws_default="INTERNET",
        types=HTTP_TYPES,
        cdk="connection_type",
        cloudformation="ConnectionType",
        openapi="connectionType",
    )
    vpc_link: str | None = option(
        None,
        label="VPC link",
        help="Its id, a reference, or ${stageVariables.name}.",
        docs=GUIDE + "set-up-private-integration.html",
        example="abc123",
        text="reference",
        kind="vpc_link",
        types=HTTP_TYPES,
        cdk="vpc_link",
        cloudformation="ConnectionId",
        openapi="connectionId",
    )
    integration_target: str | None = option(
        None,
        label="Integration target",
        help="The ARN of the load balancer behind a VPC link V2.",
        docs=GUIDE + "private-integration.html",
        example="arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/books/50dc6c495c0c9188",
        text="reference",
        types=HTTP_TYPES,
        cloudformation="IntegrationTarget",
        openapi="integrationTarget",
    )
    timeout_ms: int | Reference | None = option(
        None,
        label="Timeout",
        help="How long API Gateway waits for the backend before it answers 504.",
        docs=GUIDE + "api-gateway-execution-service-limits-table.html",
        example=5_000,
        unit="ms",
        minimum=50,
        kind="number",
        default_on_aws="29,000 ms",
        aws_default=29_000,
        types=CALLING,
        cdk="timeout",
        cloudformation="TimeoutInMillis",
        openapi="timeoutInMillis",
    )
    response_transfer_mode: str | None = option(
        None,
        label="Response transfer",
        help="Wait for the whole answer, or stream it. STREAM needs a proxy integration.",
        docs=GUIDE + "response-transfer-mode.html",
        example="STREAM",
        choices=("BUFFERED", "STREAM"),
        text="reference",
        default_on_aws="BUFFERED",
        aws_default="BUFFERED",
        types=PROXY_TYPES,
        cdk="response_transfer_mode",
        cloudformation="ResponseTransferMode",
        openapi="responseTransferMode",
    )
    insecure_skip_verification: bool | Reference | None = option(
        None,
        label="Skip certificate verification",
        help="Accept a certificate of the HTTP backend that no public authority signed. Not recommended.",
        docs=GUIDE + "api-gateway-swagger-extensions-integration-tls-config.html",
        example=True,
        default_on_aws="verified",
        aws_default=False,
        types=HTTP_TYPES,
        openapi="tlsConfig.insecureSkipVerification",
    )
    integration_responses: tuple[IntegrationResponse, ...] = option(
        (),
        label="Integration responses",
        value_text="response",
        help="How answers of the backend become responses. One of them, without a pattern, is the default.",
        docs=GUIDE + "api-gateway-integration-settings-integration-response.html",
        example=(IntegrationResponse(status_code="200"),),
        types=NON_PROXY,
        cdk="integration_responses",
        cloudformation="IntegrationResponses",
        openapi="responses",
        boto3="",
    )

    @property
    def type(self) -> str:
        """What PutIntegration calls the type; a raw one may be any text."""
        match self.backend:
            case Lambda(proxy=proxy):
                return "AWS_PROXY" if proxy else "AWS"
            case Http(proxy=proxy):
                return "HTTP_PROXY" if proxy else "HTTP"
            case AwsService():
                return "AWS"
            case Mock():
                return "MOCK"
            case Raw(type=raw):
                return raw

    @property
    def uri(self) -> str:
        """What PutIntegration takes as the URI, in reference notation; empty for MOCK."""
        return self.backend.uri(streaming=self.response_transfer_mode == "STREAM")

    @property
    def http_method(self) -> str | None:
        """The method of the call to the backend; None for MOCK."""
        return None if isinstance(self.backend, Mock) else self.backend.http_method

    @property
    def credentials(self) -> str | None:
        """What PutIntegration takes as credentials; a role goes before the caller's own identity."""
        return self.credentials_role or (CALLER_CREDENTIALS if self.credentials_passthrough else None)

    @property
    def is_lambda(self) -> bool:
        """Whether a Lambda function is invoked, also by a raw URI."""
        return isinstance(self.backend, Lambda) or ":lambda:path/" in self.uri

    @property
    def is_proxy(self) -> bool:
        """Whether API Gateway passes requests and answers through."""
        return self.type in PROXY_TYPES


# --- Route, model, API -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResponse:
    """A response that a method declares: status, headers, models."""

    status_code: str = option(
        "200",
        label="Status code",
        help="100 to 599.",
        docs=REFERENCE + "API_PutMethodResponse.html",
        example="404",
        text="reference",
        cdk="status_code",
        cloudformation="StatusCode",
        boto3="statusCode",
    )
    response_parameters: Mapping[str, bool] = option(
        default_factory=dict,
        label="Headers",
        help="The headers that the response may carry, as method.response.header.NAME.",
        docs=REFERENCE + "API_PutMethodResponse.html",
        example={"method.response.header.X-Request-Id": True},
        key_text="header",
        key_prefixes=("method.response.header.",),
        value_text="required",
        cdk="response_parameters",
        cloudformation="ResponseParameters",
        boto3="responseParameters",
    )
    response_models: Mapping[str, str] = option(
        default_factory=dict,
        label="Models",
        help="The model of the body by media type.",
        docs=GUIDE + "models-mappings-models.html",
        example={"application/json": "Empty"},
        text="reference",
        key_text="media type",
        value_text="model",
        cdk="response_models",
        cloudformation="ResponseModels",
        boto3="responseModels",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method on a path, and the integration behind it.

    What the integration implies is derived: `request_parameters` and `method_responses` are what is declared plus what is
    derived, less what is suppressed. `suppressed` holds parameter keys, status codes, and `status header-key` pairs.
    """

    method: str = option(
        "GET",
        label="Method",
        help="The verb that callers use; ANY takes all of them.",
        docs=REFERENCE + "API_PutMethod.html",
        example="POST",
        choices=METHODS,
        text="reference",
        cdk="http_method",
        cloudformation="HttpMethod",
        boto3="httpMethod",
    )
    path: str = option(
        "/",
        label="Path",
        help="The resource: /books/{id}; {proxy+} at the end takes the rest.",
        docs=GUIDE + "api-gateway-method-settings-method-request.html",
        example="/books/{id}",
        text="reference",
        boto3="pathPart",
    )
    integration: Integration
    operation_name: str | None = option(
        None,
        label="Operation name",
        help="The name of the method in generated client libraries.",
        docs=REFERENCE + "API_PutMethod.html",
        example="GetBook",
        cdk="operation_name",
        cloudformation="OperationName",
        openapi="operationId",
        boto3="operationName",
    )
    authorization_type: str | None = option(
        None,
        label="Authorization",
        help="Who may call the method.",
        docs=GUIDE + "apigateway-control-access-to-api.html",
        example="AWS_IAM",
        choices=("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"),
        text="reference",
        default_on_aws="NONE",
        aws_default="NONE",
        cdk="authorization_type",
        cloudformation="AuthorizationType",
        openapi="security",
        boto3="authorizationType",
    )
    authorizer: str | None = option(
        None,
        label="Authorizer",
        help="The id of the authorizer, or a reference to it. Needed by CUSTOM and COGNITO_USER_POOLS.",
        docs=GUIDE + "apigateway-use-lambda-authorizer.html",
        example="${Authorizer}",
        text="reference",
        cdk="authorizer",
        cloudformation="AuthorizerId",
        openapi="securitySchemes",
        boto3="authorizerId",
    )
    authorization_scopes: tuple[str, ...] = option(
        (),
        label="Scopes",
        value_text="scope",
        help="The OAuth scopes of which a Cognito access token needs one.",
        docs=GUIDE + "apigateway-integrate-with-cognito.html",
        example=("books/read",),
        text="reference",
        cdk="authorization_scopes",
        cloudformation="AuthorizationScopes",
        openapi="security",
        boto3="authorizationScopes",
    )
    api_key_required: bool | Reference | None = option(
        None,
        label="API key",
        help="Callers send an API key of a usage plan.",
        docs=GUIDE + "api-gateway-api-usage-plans.html",
        example=True,
        default_on_aws="not needed",
        aws_default=False,
        cdk="api_key_required",
        cloudformation="ApiKeyRequired",
        openapi="security",
        boto3="apiKeyRequired",
    )
    declared: Mapping[str, bool] = option(
        default_factory=dict,
        label="Request parameters",
        help="What the method takes beside what the integration implies: method.request.{header,querystring,path}.NAME.",
        docs=GUIDE + "api-gateway-method-settings-method-request.html",
        example={"method.request.header.Idempotency-Key": True},
        key_text="parameter",
        key_prefixes=("method.request.header.", "method.request.querystring.", "method.request.path."),
        value_text="required",
        cdk="request_parameters",
        cloudformation="RequestParameters",
        openapi="parameters",
        boto3="requestParameters",
    )
    responses: tuple[MethodResponse, ...] = option(
        (),
        label="Method responses",
        value_text="response",
        help="Responses that the method declares beside those that the integration implies; the same status adds to it.",
        docs=GUIDE + "api-gateway-method-settings-method-response.html",
        example=(MethodResponse(status_code="404"),),
        cdk="method_responses",
        cloudformation="MethodResponses",
        openapi="responses",
        boto3="",
    )
    suppressed: tuple[str, ...] = option(
        (),
        label="Not declared",
        value_text="name",
        help="What the integration implies and the method does not declare all the same.",
        docs=GUIDE + "api-gateway-method-settings-method-request.html",
        example=("method.request.path.id",),
    )
    request_models: Mapping[str, str] = option(
        default_factory=dict,
        label="Body models",
        help="The model of the request body by media type.",
        docs=GUIDE + "models-mappings-models.html",
        example={"application/json": "Empty"},
        text="reference",
        key_text="media type",
        value_text="model",
        cdk="request_models",
        cloudformation="RequestModels",
        openapi="requestBody",
        boto3="requestModels",
    )
    validate_request_body: bool | Reference | None = option(
        None,
        label="Validate body",
        help="Refuse with 400 what does not fit the body's model.",
        docs=GUIDE + "api-gateway-method-request-validation.html",
        example=True,
        default_on_aws="not validated",
        aws_default=False,
        cdk="validate_request_body",
        cloudformation="ValidateRequestBody",
        openapi="validateRequestBody",
    )
    validate_request_parameters: bool | Reference | None = option(
        None,
        label="Validate parameters",
        help="Refuse with 400 when a required parameter is missing or blank.",
        docs=GUIDE + "api-gateway-method-request-validation.html",
        example=True,
        default_on_aws="not validated",
        aws_default=False,
        cdk="validate_request_parameters",
        cloudformation="ValidateRequestParameters",
        openapi="validateRequestParameters",
    )

    def derived_parameters(self) -> dict[str, bool]:
        """What the path, the mappings and the cache key imply: path variables are required, the rest is not."""
        found = {f"method.request.path.{name}": True for name in path_variables(self.path)}
        sources = (parse_request_source(text) for text in self.integration.request_parameters.values())
        keys = (parse_method_parameter(text) for text in self.integration.cache_key_parameters)
        for source in (*sources, *keys):
            if isinstance(source, Parameter):
                found.setdefault(source.declaration, False)
        return found

    def derived_responses(self) -> dict[str, dict[str, bool]]:
        """Status → header key → required, as the integration responses imply them."""
        found: dict[str, dict[str, bool]] = {}
        for response in self.integration.integration_responses:
            headers = found.setdefault(response.status_code, {})
            headers.update({key: False for key in response.response_parameters if parse_response_target(key)})
        return found

    @property
    def request_parameters(self) -> dict[str, bool]:
        """The method's request parameters in effect, name → required."""
        parameters = self.derived_parameters() | dict(self.declared)
        return {key: required for key, required in parameters.items() if key in self.declared or key not in self.suppressed}

    @property
    def method_responses(self) -> tuple[MethodResponse, ...]:
        """The method's responses in effect: derived ones first, in the integration's order."""
        own: dict[str, MethodResponse] = {}
        for response in self.responses:
            before = own.get(response.status_code)
            own[response.status_code] = (
                response
                if before is None
                else MethodResponse(
                    status_code=response.status_code,
                    response_parameters={**before.response_parameters, **response.response_parameters},
                    response_models={**before.response_models, **response.response_models},
                )
            )
        found = []
        derived = self.derived_responses()
        for status in dict.fromkeys((*derived, *own)):
            mine = own.get(status)
            if mine is None and status in self.suppressed:
                continue
            headers = {key: v for key, v in derived.get(status, {}).items() if f"{status} {key}" not in self.suppressed}
            found.append(
                MethodResponse(
                    status_code=status,
                    response_parameters=headers | dict(mine.response_parameters if mine else {}),
                    response_models=mine.response_models if mine else {},
                )
            )
        return tuple(found)

    def with_effective(self, parameters: Mapping[str, bool], responses: Iterable[MethodResponse]) -> "Route":
        """This route such that exactly these parameters and responses are in effect; the difference is stored, in one way."""
        derived, implied = self.derived_parameters(), self.derived_responses()
        declared = _beyond(derived, parameters)
        suppressed = [key for key in derived if key not in parameters]
        own: list[MethodResponse] = []
        wanted = {response.status_code: response for response in responses}
        for status in (status for status in dict.fromkeys((*implied, *wanted)) if status in wanted):
            response, headers = wanted[status], implied.get(status)
            if headers is None:
                own.append(response)
                continue
            suppressed += [f"{status} {key}" for key in headers if key not in response.response_parameters]
            extra = _beyond(headers, response.response_parameters)
            if extra or response.response_models:
                own.append(dataclasses.replace(response, response_parameters=extra))
        suppressed += [status for status in implied if status not in wanted]
        return dataclasses.replace(self, declared=declared, responses=tuple(own), suppressed=tuple(suppressed))


def _beyond(derived: Mapping[str, bool], wanted: Mapping[str, bool]) -> dict[str, bool]:
    """What is wanted and not derived like that, in the order in which it is in effect."""
    return {key: wanted[key] for key in {**derived, **wanted} if key in wanted and derived.get(key) is not wanted[key]}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentParameter:
    """A declared reference: what a deployment supplies.

    One with an origin was read from a file: written back into it, each `${Name}` becomes that intrinsic again; on its own it
    is a parameter like any other. Two of one name are the same only when kind, default and origin are equal.
    """

    name: str = option(
        label="Name",
        help="As ${Name} refers to it: letters and digits, beginning with a letter.",
        docs=PARAMETERS,
        example="Orders",
    )
    kind: Kind = option(
        "text",
        label="Kind",
        help="A function or a role is an ARN, a VPC link an id.",
        docs=PARAMETERS,
        example="function",
        choices=("text", "number", "function", "role", "vpc_link", "url"),
    )
    description: str = option(
        "",
        label="Description",
        help="What to give, for whoever deploys it.",
        docs=PARAMETERS,
        example="The function that takes the order.",
    )
    default: str | None = option(
        None,
        label="Default",
        help="What is used when a deployment gives nothing.",
        docs=PARAMETERS,
        example="orders",
        default_on_aws="none: a deployment has to give it",
    )
    origin: Intrinsic | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A JSON schema (draft 4) that bodies are validated against."""

    name: str = option(
        label="Name",
        help="Letters and digits.",
        docs=GUIDE + "models-mappings-models.html",
        example="Order",
    )
    content_type: str = option(
        "application/json",
        label="Content type",
        help="The media type of the bodies that it describes.",
        docs=GUIDE + "models-mappings-models.html",
        example="application/xml",
    )
    schema: str = option(
        "{}",
        label="Schema",
        help="JSON schema, draft 4.",
        docs=GUIDE + "models-mappings-models.html",
        example='{"type": "object", "properties": {"id": {"type": "string"}}}',
    )


BUILT_IN_MODELS = {
    "Empty": {"title": "Empty Schema", "type": "object"},
    "Error": {"title": "Error Schema", "type": "object", "properties": {"message": {"type": "string"}}},
}
"""The models that every REST API begins with, and their schemas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Routes, and what a stage of them needs. A catalog integration is an Api of one route."""

    name: str = option(
        "",
        label="Name",
        help="What colleagues look for, and the API's name where it stands alone.",
        docs=REFERENCE + "API_CreateRestApi.html",
        example="orders-to-sqs",
        boto3="name",
    )
    description: str = option(
        "",
        label="Description",
        help="What it is for, in a sentence.",
        docs=REFERENCE + "API_CreateRestApi.html",
        example="Takes an order and puts it on the queue.",
        boto3="description",
    )
    parameters: tuple[DeploymentParameter, ...] = option(
        (),
        label="Parameters",
        value_text="parameter",
        help="What a deployment supplies for each ${Name}. A name that is used and not listed is a text, or what its place says.",
        docs=PARAMETERS,
        example=(DeploymentParameter(name="Orders", kind="function"),),
        cloudformation="Parameters",
    )
    models: tuple[Model, ...] = option(
        (),
        label="Models",
        value_text="model",
        help="JSON schemas that bodies are validated against.",
        docs=GUIDE + "models-mappings-models.html",
        example=(Model(name="Order"),),
        openapi="schemas",
        boto3="",
    )
    stage_name: str = option(
        "prod",
        label="Stage",
        help="The stage that a deployment of it alone makes.",
        docs=GUIDE + "set-up-stages.html",
        example="test",
        text="reference",
        cdk="stage_name",
        cloudformation="StageName",
        boto3="stageName",
    )
    stage_variables: Mapping[str, str] = option(
        default_factory=dict,
        label="Stage variables",
        help="Name and value, for ${stageVariables.name}.",
        docs=GUIDE + "stage-variables.html",
        example={"env": "test"},
        text="reference",
        key_text="name",
        value_text="value",
        cdk="variables",
        cloudformation="Variables",
        boto3="variables",
    )
    binary_media_types: tuple[str, ...] = option(
        (),
        label="Binary media types",
        value_text="media type",
        help="Bodies of these media types are bytes, not text; body conversion goes by them. */* makes every body binary.",
        docs=GUIDE + "api-gateway-payload-encodings.html",
        example=("image/png",),
        cloudformation="BinaryMediaTypes",
        openapi="x-amazon-apigateway-binary-media-types",
        cdk="binary_media_types",
        boto3="binaryMediaTypes",
    )
    routes: tuple[Route, ...] = ()


# --- Every text, with its path ---------------------------------------------------------------------


class Leaf(NamedTuple):
    """One scalar of a definition. `key` tells whether it is the key of a map."""

    path: Path
    value: Any
    option: Any
    """The Option it belongs to, or None for what is no option (the name of a parameter)."""
    key: bool = False
    substituted: bool = True
    """Whether `${Name}` in it is a reference."""


def leaves(value: Any, path: Path = (), owner: Any = None) -> Sequence[Leaf]:
    """All scalars of a definition in its own order, map keys included; unset ones are left out."""
    if isinstance(value, Api) and not path:
        return _leaves_of(_Same(value))
    found: list[Leaf] = []
    _collect(value, path, owner, found)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """An API that is equal to itself alone. Holding it keeps its identity from being another's."""

    api: Api

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.api is other.api

    def __hash__(self) -> int:
        return id(self.api)


@functools.lru_cache(maxsize=4)
def _leaves_of(same: _Same) -> tuple[Leaf, ...]:
    """Rules and formats walk one definition many times in a row."""
    found: list[Leaf] = []
    for name, declared in _owners(Api):
        _collect(getattr(same.api, name), (name,), declared, found)
    return tuple(found)


@functools.cache
def _owners(owner: type) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.metadata.get("option")) for field in dataclasses.fields(owner))


def _collect(value: Any, path: Path, owner: Any, found: list[Leaf]) -> None:
    if isinstance(value, (str, int)):
        found.append(Leaf(path, value, owner, False, owner is not None and owner.text == "reference"))
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            _collect(inner, (*path, index), owner, found)
    elif isinstance(value, Template):
        found.append(Leaf(path, value.text, owner, False, value.substituted))
    elif isinstance(value, Intrinsic):
        found.append(Leaf(path, value.text, owner, False, False))
    elif isinstance(value, Reference):
        found.append(Leaf(path, str(value), owner))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            place = (*path, key)
            found.append(Leaf(place, key, owner, True, False))
            _collect(inner, place, owner, found)
    elif value is not None:
        for name, declared in _owners(cast(type, type(value))):
            inner = getattr(value, name)
            if inner is not None and inner != ():
                _collect(inner, (*path, name), declared, found)


def with_defaults[T](value: T) -> T:
    """A definition or a part of it with API Gateway's defaults written out: what an account would give back.

    Two that differ only in what is left unset and what repeats the default are equal then. What has no single default (the
    cache namespace, which is the resource's id) stays unset.
    """
    if isinstance(value, tuple):
        return cast(T, tuple(map(with_defaults, value)))
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    known = options_of(type(value))
    found: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        found[field.name] = known[field.name].aws_default if inner is None and field.name in known else with_defaults(inner)
    return cast(T, dataclasses.replace(cast(Any, value), **found))


def parameters_of(api: Api) -> tuple[DeploymentParameter, ...]:
    """Declared parameters first, then one for each name that is referred to and not declared, its kind from its place."""
    return with_undeclared(api.parameters, referred(api))


def with_undeclared(declared: Iterable[DeploymentParameter], used: Mapping[str, Kind]) -> tuple[DeploymentParameter, ...]:
    """These parameters, and one for each name of `used` that is none of theirs."""
    found = {parameter.name: parameter for parameter in declared}
    for name, kind in used.items():
        if name not in found:
            found[name] = DeploymentParameter(name=name, kind=kind)
    return tuple(found.values())


def referred(api: Api) -> dict[str, Kind]:
    """The names that something refers to, as they come → the kind of the first place that they stand in."""
    found: dict[str, Kind] = {}
    reading = [leaf for leaf in leaves(api) if leaf.substituted and not leaf.key and "${" in str(leaf.value)]
    for part in ("routes", "stage_variables", "stage_name"):
        for leaf in (leaf for leaf in reading if leaf.path[0] == part):
            alone = whole_reference(leaf.value) is not None
            for reference in references_in(leaf.value):
                if not reference.is_pseudo and reference.name not in found:
                    found[reference.name] = leaf.option.kind if alone and leaf.option is not None else "text"
    return found


def bind(api: Api, values: Mapping[str, str]) -> Api:
    """The definition with values in the place of these parameters, wherever a text, a number or a flag refers to them.

    A value is literal text: a `${x}` in it refers to nothing. Other parameters stay. Raises DefinitionError with the path of
    a number or a flag that gets something else.
    """
    kept = tuple(parameter for parameter in api.parameters if parameter.name not in values)
    return dataclasses.replace(_bound(dataclasses.replace(api, parameters=()), values, None, ()), parameters=kept)


def _bound[T](value: T, values: Mapping[str, str], owner: Any, path: Path) -> T:
    found: Any = value
    if isinstance(value, Template):
        found = dataclasses.replace(value, text=_bound_text(value.text, values)) if value.substituted else value
    elif isinstance(value, str):
        found = _bound_text(value, values) if owner is not None and owner.text == "reference" else value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type | Reference | Intrinsic):
        made = {}
        for name, (hint, field) in _fields(type(value)).items():
            inner = getattr(value, name)
            given = inner.name in values if isinstance(inner, Reference) else False
            option = field.metadata.get("option")
            made[name] = (
                _scalar(values[inner.name], hint, (*path, name)) if given else _bound(inner, values, option, (*path, name))
            )
        found = dataclasses.replace(cast(Any, value), **made)
    elif isinstance(value, Mapping):
        found = {key: _bound(inner, values, owner, (*path, key)) for key, inner in value.items()}
    elif isinstance(value, tuple):
        found = tuple(_bound(inner, values, owner, (*path, index)) for index, inner in enumerate(value))
    return cast(T, found)


def _bound_text(text: str, values: Mapping[str, str]) -> str:
    if not any(reference.name in values for reference in references_in(text)):
        return text
    given = (values[part.name] if isinstance(part, Reference) and part.name in values else part for part in segments(text))
    return notation(tuple(given))


def _scalar(text: str, hint: Any, path: Path) -> int | bool:
    """A value for a number or a flag."""
    if bool in typing.get_args(hint):
        if text.lower() not in ("true", "false"):
            raise DefinitionError(f"Give true or false here, not {text!r:.40}.", path)
        return text.lower() == "true"
    if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        raise DefinitionError(f"Give a whole number here, not {text!r:.40}.", path)
    return int(text)


# --- Canonical JSON --------------------------------------------------------------------------------

SCALARS = {str: "A text", int: "A whole number", bool: "true or false"}
"""What a scalar's type is called in messages."""


@functools.cache
def _fields(owner: type) -> dict[str, tuple[Any, dataclasses.Field[Any]]]:
    hints = typing.get_type_hints(owner)
    return {field.name: (hints[field.name], field) for field in dataclasses.fields(owner)}


def to_json(value: Any) -> Any:
    """The JSON value of a definition or a part of it: what is empty, and what is unset as it is without being said, left out."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Template):
        return {"substituted": value.text} if value.substituted else value.text
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, Intrinsic):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found: dict[str, Any] = {"kind": cast(Any, value).kind} if type(value) in BACKENDS.values() else {}
        for name, (_, field) in _fields(type(value)).items():
            inner = getattr(value, name)
            unset = field.default is None if inner is None else inner == () or inner == {}
            if not unset:
                found[name] = to_json(inner)
        return found
    if isinstance(value, Mapping):
        return {key: to_json(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [to_json(inner) for inner in value]
    return value


def dumps(api: Api, *, indent: int | None = None) -> str:
    """Canonical JSON (ASCII, no spaces) with its schema number; `indent` for people."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps({"schema": SCHEMA} | to_json(api), ensure_ascii=True, indent=indent, separators=separators)


def digest(text: str) -> str:
    """SHA-256 of a canonical JSON text, in hex."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Schema → what makes the JSON value of the next one of it; `loads` goes from step to step up to SCHEMA."""


class _Object(dict[str, Any]):
    """A JSON object that remembers a key that stood in it twice; `from_json` refuses it, where its path is known."""

    twice: str | None = None


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        found.twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return found


def loads(text: str) -> Api:
    """The definition that a JSON text holds. Raises DefinitionError with the path of what does not fit."""
    if len(text) > LIMITS["bytes"]:
        raise DefinitionError(f"The text is longer than {LIMITS['bytes']:,} bytes.")
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except ValueError as error:
        raise DefinitionError(f"This is not JSON: {error}.") from error
    except RecursionError as error:
        raise DefinitionError("This JSON is nested too deeply.") from error
    if not isinstance(value, dict):
        raise DefinitionError("A definition is a JSON object.")
    _refuse_twice(value, ())
    schema = value.pop("schema", None)
    while type(schema) is int and schema in UPGRADES:
        value, schema = UPGRADES[schema](value), schema + 1
    if type(schema) is not int or schema != SCHEMA:
        raise DefinitionError(f"Schema {schema!r:.40} is not known here; this version reads schema {SCHEMA}.", ("schema",))
    value.pop("metadata", None)  # of the file: which revision it was
    return cast(Api, from_json(value, Api))


def _refuse_twice(value: Any, path: Path) -> None:
    if isinstance(value, _Object) and value.twice is not None:
        raise DefinitionError(f"The key {value.twice!r} stands twice in one object.", path)


def _intrinsic(value: Any, path: Path) -> Intrinsic:
    pending = [value]
    while pending:
        inner = pending.pop()
        _refuse_twice(inner, path)
        pending += inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
    try:
        return Intrinsic.of(value)
    except DefinitionError as error:
        raise DefinitionError(error.message, path) from error


def from_json(value: Any, wanted: Any, path: Path = ()) -> Any:
    """The value of a JSON value by the declared type of its field. Raises DefinitionError."""
    if isinstance(wanted, typing.TypeAliasType):
        wanted = wanted.__value__
    _refuse_twice(value, path)
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is typing.Literal:
        if value not in arguments:
            raise DefinitionError(f"Use one of {', '.join(map(str, arguments))}.", path)
        return value
    if origin in (typing.Union, types.UnionType):
        return _from_union(value, arguments, path)
    if origin is tuple:
        if not isinstance(value, list) or len(value) > LIMITS["rows"]:
            raise DefinitionError(f"A list of up to {LIMITS['rows']:,} is wanted here.", path)
        return tuple(from_json(inner, arguments[0], (*path, index)) for index, inner in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict) or len(value) > LIMITS["rows"]:
            raise DefinitionError(f"An object of up to {LIMITS['rows']:,} keys is wanted here.", path)
        return {key: from_json(inner, arguments[1], (*path, key)) for key, inner in value.items()}
    if wanted is Intrinsic:
        return _intrinsic(value, path)
    if wanted is Template:
        if isinstance(value, dict) and set(value) == {"substituted"}:
            return Template(from_json(value["substituted"], str, path), substituted=True)
        return Template(from_json(value, str, path))
    if dataclasses.is_dataclass(wanted):
        return _from_object(value, cast(type, wanted), path)
    if type(value) is not wanted:
        raise DefinitionError(f"{SCALARS[wanted]} is wanted here.", path)
    if isinstance(value, str) and len(value) > LIMITS["text"]:
        raise DefinitionError(f"A text of up to {LIMITS['text']:,} characters is wanted here.", path)
    if isinstance(value, int) and abs(value) > LIMITS["number"]:
        raise DefinitionError(f"A whole number of up to {LIMITS['number']:,} is wanted here.", path)
    return value


def _from_union(value: Any, arguments: tuple[Any, ...], path: Path) -> Any:
    if value is None and type(None) in arguments:
        return None
    choices = [argument for argument in arguments if argument is not type(None)]
    if choices[0] in BACKENDS.values():
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in BACKENDS:
            raise DefinitionError(f"Use one of {', '.join(BACKENDS)} as the backend's kind.", (*path, "kind"))
        return _from_object({k: v for k, v in value.items() if k != "kind"}, BACKENDS[kind], path)
    if Reference in choices and isinstance(value, str):
        reference = whole_reference(value)
        if reference is None:
            raise DefinitionError(f"{SCALARS[choices[0]]} or one ${{Name}} is wanted here.", path)
        return reference
    return from_json(value, choices[0], path)


def _from_object(value: Any, wanted: type, path: Path) -> Any:
    _refuse_twice(value, path)
    if not isinstance(value, dict):
        raise DefinitionError("An object is wanted here.", path)
    fields = _fields(wanted)
    for key in value:
        if key not in fields:
            raise DefinitionError(f"{wanted.__name__} has no field {key!r}.", path)
    for name, (_, field) in fields.items():
        missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if missing and name not in value:
            raise DefinitionError(f"The field {name!r} is missing.", path)
    return wanted(**{key: from_json(inner, fields[key][0], (*path, key)) for key, inner in value.items()})
