"""What API Gateway calls for a method, and how: the options of PutIntegration."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.gateway.definition.backends import AwsService, Backend, Http, Lambda, Mock, Raw
from integrations.gateway.definition.values import Template
from integrations.gateway.grammar import Reference
from integrations.gateway.options import CALLING, GUIDE, HTTP_TYPES, NON_PROXY, PROXY_TYPES, REFERENCE, option

CALLER_CREDENTIALS = "arn:${AWS::Partition}:iam::*:user/*"
"""What `credentials_passthrough` means to API Gateway: the caller's own identity."""


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
