"""What the routes of an API share: authorizers, request validators, gateway responses, CORS, and how a stage runs its methods."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from integrations.gateway.definition.values import Intrinsic, Template
from integrations.gateway.grammar import Reference, function_arn, invocation
from integrations.gateway.options import GUIDE, REFERENCE, option

AUTHORIZER = REFERENCE + "API_CreateAuthorizer.html"
STAGE = REFERENCE + "API_UpdateStage.html"
CORS = GUIDE + "how-to-cors.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """Who decides whether a caller may call: a Lambda function, by a token or by the request, or Cognito user pools.

    A route refers to it by its name.
    """

    name: str = option(
        "",
        label="Name",
        help="What routes call it: letters, digits, - and _, unique in the API.",
        docs=AUTHORIZER,
        example="readers",
        cdk="authorizer_name",
        cloudformation="Name",
        boto3="name",
    )
    type: str = option(
        "TOKEN",
        label="Type",
        help="A Lambda function that reads one token, one that reads the request, or Cognito user pools.",
        docs=AUTHORIZER,
        example="REQUEST",
        choices=("TOKEN", "REQUEST", "COGNITO_USER_POOLS"),
        text="reference",
        cdk="type",
        cloudformation="Type",
        openapi="type",
    )
    function: str | None = option(
        None,
        label="Function",
        help="The Lambda function that decides: an ARN, a reference such as ${Readers.Arn}, or a name.",
        docs=GUIDE + "apigateway-use-lambda-authorizer.html",
        example="arn:aws:lambda:eu-west-1:111122223333:function:readers",
        text="reference",
        kind="function",
        cdk="handler",
    )
    uri: str | None = option(
        None,
        label="URI",
        help="The invocation URI as CreateAuthorizer takes it, where naming the function does not say it.",
        docs=AUTHORIZER,
        example="arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Readers.Arn}/invocations",
        text="reference",
        cdk="authorizer_uri",
        cloudformation="AuthorizerUri",
        openapi="authorizerUri",
    )
    credentials_role: str | None = option(
        None,
        label="Execution role",
        help="The role that API Gateway assumes to invoke the function. Without one, the function's own policy has to permit it.",
        docs=AUTHORIZER,
        example="arn:aws:iam::111122223333:role/authorizer",
        text="reference",
        kind="role",
        cdk="authorizer_credentials",
        cloudformation="AuthorizerCredentials",
        openapi="authorizerCredentials",
    )
    identity_sources: tuple[str, ...] = option(
        (),
        label="Identity sources",
        value_text="source",
        help="Where the caller's identity stands, such as method.request.header.Authorization; they are the key of the cache.",
        docs=AUTHORIZER,
        example=("method.request.header.Authorization",),
        text="reference",
        cdk="identity_source",
        cloudformation="IdentitySource",
        openapi="identitySource",
    )
    identity_validation_expression: str | None = option(
        None,
        label="Token pattern",
        help="A regular expression; a token that does not match it is answered 401 without asking the function.",
        docs=AUTHORIZER,
        example="^Bearer .+$",
        cdk="identity_validation_expression",
        cloudformation="IdentityValidationExpression",
        openapi="identityValidationExpression",
    )
    result_ttl_seconds: int | Reference | None = option(
        None,
        label="Cached for",
        help="How long an answer of the authorizer holds; 0 asks it at each call.",
        docs=AUTHORIZER,
        example=60,
        unit="s",
        minimum=0,
        maximum=3_600,
        kind="number",
        default_on_aws="300 s",
        aws_default=300,
        cdk="authorizer_result_ttl_in_seconds",
        cloudformation="AuthorizerResultTtlInSeconds",
        openapi="authorizerResultTtlInSeconds",
    )
    provider_arns: tuple[str, ...] = option(
        (),
        label="User pools",
        value_text="user pool",
        help="The ARNs of the Cognito user pools whose tokens it takes.",
        docs=GUIDE + "apigateway-integrate-with-cognito.html",
        example=("arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_abc123",),
        text="reference",
        cdk="provider_arns",
        cloudformation="ProviderARNs",
        openapi="providerARNs",
    )
    auth_type: str | None = option(
        None,
        label="Scheme type",
        help="A word of your own for it in imports and exports of OpenAPI; it changes nothing.",
        docs=AUTHORIZER,
        example="oauth2",
        cdk="auth_type",
        cloudformation="AuthType",
        openapi="x-amazon-apigateway-authtype",
        boto3="authType",
    )

    @property
    def authorizer_uri(self) -> str | None:
        """What CreateAuthorizer takes as the URI, in reference notation; the function goes before a URI of its own."""
        if not self.function:
            return self.uri
        call = invocation(function_arn(self.function), streaming=False)
        return f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/{call}"

    @property
    def identity_source(self) -> str | None:
        """What CreateAuthorizer takes as the identity source: one text, separated by commas."""
        return ",".join(self.identity_sources) or None

    @property
    def authorization_type(self) -> str:
        """What a method that it decides on says as its authorization type."""
        return "COGNITO_USER_POOLS" if self.type == "COGNITO_USER_POOLS" else "CUSTOM"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestValidator:
    """The name of what checks requests: routes that check exactly this use it. Others get one with API Gateway's usual name."""

    name: str = option(
        "",
        label="Name",
        help="What API Gateway calls it.",
        docs=REFERENCE + "API_CreateRequestValidator.html",
        example="body-only",
        cdk="request_validator_name",
        cloudformation="Name",
        boto3="name",
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


RESPONSE_TYPES = (
    *("DEFAULT_4XX", "DEFAULT_5XX", "RESOURCE_NOT_FOUND", "UNAUTHORIZED", "INVALID_API_KEY", "ACCESS_DENIED"),
    *("AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR", "INVALID_SIGNATURE", "EXPIRED_TOKEN"),
    *("MISSING_AUTHENTICATION_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "API_CONFIGURATION_ERROR"),
    *("UNSUPPORTED_MEDIA_TYPE", "BAD_REQUEST_PARAMETERS", "BAD_REQUEST_BODY", "REQUEST_TOO_LARGE", "THROTTLED"),
    *("QUOTA_EXCEEDED", "WAF_FILTERED"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """What API Gateway answers by itself, where a call does not reach the integration or fails there."""

    response_type: str = option(
        "DEFAULT_4XX",
        label="Type",
        help="Which of its own answers; DEFAULT_4XX and DEFAULT_5XX stand for all that have none of their own.",
        docs=GUIDE + "supported-gateway-response-types.html",
        example="UNAUTHORIZED",
        choices=RESPONSE_TYPES,
        text="reference",
        cdk="type",
        cloudformation="ResponseType",
        boto3="responseType",
    )
    status_code: str | None = option(
        None,
        label="Status code",
        help="What the caller gets in the place of the type's own status.",
        docs=REFERENCE + "API_PutGatewayResponse.html",
        example="403",
        text="reference",
        default_on_aws="the type's own",
        cdk="status_code",
        cloudformation="StatusCode",
        openapi="statusCode",
    )
    response_parameters: Mapping[str, str] = option(
        default_factory=dict,
        label="Headers",
        help="What the response carries, from method.request.…, context.… or 'static'.",
        docs=REFERENCE + "API_PutGatewayResponse.html",
        example={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        text="reference",
        key_text="header",
        key_prefixes=("gatewayresponse.header.", "gatewayresponse.path.", "gatewayresponse.querystring."),
        value_text="expression",
        cdk="response_headers",
        cloudformation="ResponseParameters",
        openapi="responseParameters",
    )
    response_templates: Mapping[str, Template] = option(
        default_factory=dict,
        label="Bodies",
        help="The body by media type, with $context variables; no Velocity.",
        docs=GUIDE + "api-gateway-gatewayResponse-definition.html",
        example={"application/json": Template('{"message": $context.error.messageString}')},
        text="template",
        key_text="media type",
        value_text="body",
        cdk="templates",
        cloudformation="ResponseTemplates",
        openapi="responseTemplates",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """Which pages of other sites may call: the OPTIONS methods that say so, and the same headers on the gateway's own errors.

    `effective` makes those methods and gateway responses; the answers of the integrations are theirs to give the header.
    """

    path: str = option(
        "",
        label="Path",
        help="The resource that it is for. Empty: every resource that has a route and no row of its own here.",
        docs=CORS,
        example="/books",
        text="reference",
    )
    allow_origins: tuple[str, ...] = option(
        (),
        label="Origins",
        value_text="origin",
        help="Whose pages may call, such as https://books.example.com; * for all.",
        docs=CORS,
        example=("https://books.example.com",),
        text="reference",
        cdk="allow_origins",
    )
    allow_methods: tuple[str, ...] = option(
        (),
        label="Methods",
        value_text="method",
        help="What pages may call with. Without one: every method that API Gateway knows.",
        docs=CORS,
        example=("GET", "OPTIONS"),
        cdk="allow_methods",
    )
    allow_headers: tuple[str, ...] = option(
        (),
        label="Headers",
        value_text="header",
        help="What pages may send. Without one: those that API Gateway's own clients send.",
        docs=CORS,
        example=("Content-Type", "Authorization"),
        cdk="allow_headers",
    )
    expose_headers: tuple[str, ...] = option(
        (),
        label="Exposed headers",
        value_text="header",
        help="What pages may read of an answer beside the usual headers.",
        docs=CORS,
        example=("X-Request-Id",),
        cdk="expose_headers",
    )
    allow_credentials: bool | None = option(
        None,
        label="Credentials",
        help="Whether pages may send cookies and authorization of their own. Not with the origin *.",
        docs=CORS,
        example=True,
        default_on_aws="not allowed",
        aws_default=False,
        cdk="allow_credentials",
    )
    max_age_seconds: int | None = option(
        None,
        label="Remembered for",
        help="How long a browser may keep the answer; -1 forbids it to.",
        docs=CORS,
        example=600,
        unit="s",
        minimum=-1,
        default_on_aws="up to the browser",
        cdk="max_age",
    )
    gateway_responses: bool | None = option(
        None,
        label="On errors of the gateway",
        help="Whether DEFAULT_4XX and DEFAULT_5XX carry the headers too. Off: pages cannot read why a call was refused.",
        docs=CORS,
        example=False,
        default_on_aws="carried",
        aws_default=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSettings:
    """How the stage runs a method, or all of them: throttling, logging, metrics, caching."""

    path: str = option(
        "/*",
        label="Path",
        help="The resource, such as /books/{id}; /* for all of them.",
        docs=STAGE,
        example="/books",
        text="reference",
        cloudformation="ResourcePath",
    )
    method: str = option(
        "*",
        label="Method",
        help="The method; * for all of them.",
        docs=STAGE,
        example="GET",
        text="reference",
        cloudformation="HttpMethod",
    )
    throttling_rate_limit: float | Reference | None = option(
        None,
        label="Rate limit",
        help="Requests a second, steadily, before callers get 429.",
        docs=GUIDE + "api-gateway-request-throttling.html",
        example=100,
        unit="requests/s",
        minimum=0,
        kind="number",
        default_on_aws="the account's",
        cdk="throttling_rate_limit",
        cloudformation="ThrottlingRateLimit",
        boto3="throttling/rateLimit",
    )
    throttling_burst_limit: int | Reference | None = option(
        None,
        label="Burst limit",
        help="Requests at once before callers get 429.",
        docs=GUIDE + "api-gateway-request-throttling.html",
        example=200,
        unit="requests",
        minimum=0,
        kind="number",
        default_on_aws="the account's",
        cdk="throttling_burst_limit",
        cloudformation="ThrottlingBurstLimit",
        boto3="throttling/burstLimit",
    )
    logging_level: str | None = option(
        None,
        label="Logging",
        help="What of the execution goes to CloudWatch Logs. Needs the account's CloudWatch role.",
        docs=GUIDE + "set-up-logging.html",
        example="INFO",
        choices=("OFF", "ERROR", "INFO"),
        text="reference",
        default_on_aws="OFF",
        aws_default="OFF",
        cdk="logging_level",
        cloudformation="LoggingLevel",
        boto3="logging/loglevel",
    )
    data_trace_enabled: bool | Reference | None = option(
        None,
        label="Log bodies",
        help="Log requests and responses in full. Not for production: it logs what callers send.",
        docs=GUIDE + "set-up-logging.html",
        example=True,
        default_on_aws="not logged",
        aws_default=False,
        cdk="data_trace_enabled",
        cloudformation="DataTraceEnabled",
        boto3="logging/dataTrace",
    )
    metrics_enabled: bool | Reference | None = option(
        None,
        label="Metrics by method",
        help="CloudWatch metrics for each method, at extra cost.",
        docs=GUIDE + "api-gateway-metrics-and-dimensions.html",
        example=True,
        default_on_aws="of the stage only",
        aws_default=False,
        cdk="metrics_enabled",
        cloudformation="MetricsEnabled",
        boto3="metrics/enabled",
    )
    caching_enabled: bool | Reference | None = option(
        None,
        label="Caching",
        help="Keep answers in the stage's cache cluster.",
        docs=GUIDE + "api-gateway-caching.html",
        example=True,
        default_on_aws="GET only, with a cache cluster",
        cdk="caching_enabled",
        cloudformation="CachingEnabled",
        boto3="caching/enabled",
    )
    cache_ttl_seconds: int | Reference | None = option(
        None,
        label="Cached for",
        help="How long an answer is kept.",
        docs=GUIDE + "api-gateway-caching.html",
        example=60,
        unit="s",
        minimum=0,
        maximum=3_600,
        kind="number",
        default_on_aws="300 s",
        aws_default=300,
        cdk="cache_ttl",
        cloudformation="CacheTtlInSeconds",
        boto3="caching/ttlInSeconds",
    )
    cache_data_encrypted: bool | Reference | None = option(
        None,
        label="Encrypt the cache",
        help="Encrypt what is kept.",
        docs=GUIDE + "api-gateway-caching.html",
        example=True,
        default_on_aws="not encrypted",
        aws_default=False,
        cdk="cache_data_encrypted",
        cloudformation="CacheDataEncrypted",
        boto3="caching/dataEncrypted",
    )

    @property
    def is_for_all(self) -> bool:
        """Whether it is for every method of the stage."""
        return self.method == "*" and self.path in ("/*", "*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """An intrinsic over a list or a body (If, ForEach, Transform) as it stood in an imported file, kept verbatim.

    What the definition holds at `path` is one evaluated view of it, under `chosen`.
    """

    path: str
    """A JSON Pointer within the definition: `/routes/0/integration/integration_responses`."""
    origin: Intrinsic
    chosen: Mapping[str, bool] = field(default_factory=dict)
    """The conditions of the file as they were taken for this view."""


def of_route(structures: Iterable[Structure], index: int, to: int = 0) -> tuple[Structure, ...]:
    """The structures of the route at an index, as those of the route at another."""
    old, new = f"/routes/{index}", f"/routes/{to}"
    return tuple(replace(each, path=new + each.path[len(old) :]) for each in structures if f"{each.path}/".startswith(f"{old}/"))
