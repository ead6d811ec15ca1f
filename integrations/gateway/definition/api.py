"""Routes, and what they share: parameters, models, the stage."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.gateway.definition.route import Route
from integrations.gateway.definition.settings import (
    Authorizer,
    Cors,
    GatewayResponse,
    MethodSettings,
    RequestValidator,
    Structure,
)
from integrations.gateway.definition.values import Intrinsic
from integrations.gateway.grammar import Reference
from integrations.gateway.options import GUIDE, REFERENCE, Kind, option

PARAMETERS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"


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
    description: str | None = option(
        None,
        label="Description",
        help="What the bodies are.",
        docs=GUIDE + "models-mappings-models.html",
        example="An order as callers send it.",
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
        help="What colleagues look for, and the API's name where it stands alone. ${Name} is what a deployment supplies.",
        docs=REFERENCE + "API_CreateRestApi.html",
        example="orders-to-sqs",
        text="reference",
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
    endpoint_type: str | None = option(
        None,
        label="Endpoint",
        help="Where callers reach it: through CloudFront, in its Region, or from VPCs only.",
        docs=GUIDE + "api-gateway-api-endpoint-types.html",
        example="REGIONAL",
        choices=("EDGE", "REGIONAL", "PRIVATE"),
        text="reference",
        shared=True,
        default_on_aws="EDGE",
        aws_default="EDGE",
        cdk="types",
        cloudformation="EndpointConfiguration.Types",
        openapi="x-amazon-apigateway-endpoint-configuration.types",
        boto3="endpointConfiguration.types",
    )
    ip_address_type: str | None = option(
        None,
        label="IP addresses",
        help="Which kinds of address may call. A private API is dualstack.",
        docs=GUIDE + "api-gateway-ip-address-type.html",
        example="dualstack",
        choices=("ipv4", "dualstack"),
        text="reference",
        shared=True,
        default_on_aws="ipv4, or dualstack where private",
        cdk="ip_address_type",
        cloudformation="EndpointConfiguration.IpAddressType",
        openapi="x-amazon-apigateway-endpoint-configuration.ipAddressType",
        boto3="endpointConfiguration.ipAddressType",
    )
    vpc_endpoint_ids: tuple[str, ...] = option(
        (),
        label="VPC endpoints",
        value_text="VPC endpoint",
        help="The interface endpoints that a private API is associated with, by id.",
        docs=GUIDE + "associate-private-api-with-vpc-endpoint.html",
        example=("vpce-0123456789abcdef0",),
        text="reference",
        shared=True,
        cdk="vpc_endpoints",
        cloudformation="EndpointConfiguration.VpcEndpointIds",
        openapi="x-amazon-apigateway-endpoint-configuration.vpcEndpointIds",
        boto3="endpointConfiguration.vpcEndpointIds",
    )
    disable_execute_api_endpoint: bool | Reference | None = option(
        None,
        label="Disable the default endpoint",
        help="Callers reach it by a custom domain name only.",
        docs=GUIDE + "rest-api-disable-default-endpoint.html",
        example=True,
        shared=True,
        default_on_aws="it answers",
        aws_default=False,
        cdk="disable_execute_api_endpoint",
        cloudformation="DisableExecuteApiEndpoint",
        openapi="x-amazon-apigateway-endpoint-configuration.disableExecuteApiEndpoint",
        boto3="disableExecuteApiEndpoint",
    )
    security_policy: str | None = option(
        None,
        label="Security policy",
        help="The TLS versions and ciphers of the default endpoint.",
        docs=GUIDE + "apigateway-security-policies.html",
        example="SecurityPolicy_TLS13_1_3_2025_09",
        text="reference",
        shared=True,
        default_on_aws="the endpoint's own",
        cdk="security_policy",
        cloudformation="SecurityPolicy",
        openapi="x-amazon-apigateway-security-policy",
        boto3="securityPolicy",
    )
    endpoint_access_mode: str | None = option(
        None,
        label="Endpoint access",
        help="STRICT: only calls whose host name and endpoint type fit reach it. Needs a policy of the SecurityPolicy_ family.",
        docs=GUIDE + "apigateway-security-policies.html",
        example="STRICT",
        choices=("BASIC", "STRICT"),
        text="reference",
        shared=True,
        default_on_aws="BASIC",
        cdk="endpoint_access_mode",
        cloudformation="EndpointAccessMode",
        openapi="x-amazon-apigateway-endpoint-access-mode",
        boto3="endpointAccessMode",
    )
    policy: str | None = option(
        None,
        label="Resource policy",
        help="Who may call it at all: a JSON document, whose texts may hold ${Name}.",
        docs=GUIDE + "apigateway-resource-policies.html",
        example="""{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
  ]
}""",
        text="document",
        shared=True,
        default_on_aws="no policy",
        cdk="policy",
        cloudformation="Policy",
        openapi="x-amazon-apigateway-policy",
        boto3="policy",
    )
    api_key_source: str | None = option(
        None,
        label="API key source",
        help="Where the key of a caller stands: in the header x-api-key, or in the answer of the authorizer.",
        docs=GUIDE + "api-gateway-api-key-source.html",
        example="AUTHORIZER",
        choices=("HEADER", "AUTHORIZER"),
        text="reference",
        shared=True,
        default_on_aws="HEADER",
        aws_default="HEADER",
        cdk="api_key_source_type",
        cloudformation="ApiKeySourceType",
        openapi="x-amazon-apigateway-api-key-source",
        boto3="apiKeySource",
    )
    minimum_compression_size: int | Reference | None = option(
        None,
        label="Compress from",
        help="Answers of this size and more are compressed where the caller takes it; 0 compresses all.",
        docs=GUIDE + "api-gateway-enable-compression.html",
        example=1_024,
        unit="bytes",
        minimum=0,
        maximum=10_485_760,
        kind="number",
        shared=True,
        default_on_aws="not compressed",
        cdk="min_compression_size",
        cloudformation="MinimumCompressionSize",
        openapi="x-amazon-apigateway-minimum-compression-size",
        boto3="minimumCompressionSize",
    )
    request_validators: tuple[RequestValidator, ...] = option(
        (),
        label="Request validators",
        value_text="validator",
        help="Names for what checks requests; a route uses the first that checks exactly what it wants checked.",
        docs=GUIDE + "api-gateway-method-request-validation.html",
        example=(RequestValidator(name="body-only", validate_request_body=True),),
        shared=True,
        openapi="x-amazon-apigateway-request-validators",
        boto3="",
    )
    authorizers: tuple[Authorizer, ...] = option(
        (),
        label="Authorizers",
        value_text="authorizer",
        help="Who decides whether a caller may call; routes refer to them by name.",
        docs=GUIDE + "apigateway-control-access-to-api.html",
        example=(
            Authorizer(
                name="readers",
                function="arn:aws:lambda:eu-west-1:111122223333:function:readers",
                identity_sources=("method.request.header.Authorization",),
            ),
        ),
        shared=True,
        openapi="securitySchemes",
        boto3="",
    )
    gateway_responses: tuple[GatewayResponse, ...] = option(
        (),
        label="Gateway responses",
        value_text="response",
        help="What API Gateway answers by itself, where a call does not reach the integration or fails there.",
        docs=GUIDE + "api-gateway-gatewayResponse-definition.html",
        example=(GatewayResponse(response_type="UNAUTHORIZED", status_code="403"),),
        shared=True,
        openapi="x-amazon-apigateway-gateway-responses",
        boto3="",
    )
    cors: tuple[Cors, ...] = option(
        (),
        label="CORS",
        value_text="rule",
        help="Which pages of other sites may call: the OPTIONS methods and the headers on errors are made from it.",
        docs=GUIDE + "how-to-cors.html",
        example=(Cors(allow_origins=("*",)),),
        shared=True,
    )
    tags: Mapping[str, str] = option(
        default_factory=dict,
        label="Tags",
        help="Tags of the API, for cost and access.",
        docs=GUIDE + "apigateway-tagging.html",
        example={"team": "books"},
        text="reference",
        key_text="key",
        value_text="value",
        shared=True,
        cdk="tags",
        cloudformation="Tags",
        boto3="tags",
    )
    stage_description: str | None = option(
        None,
        label="Stage description",
        help="What the stage is for.",
        docs=REFERENCE + "API_CreateStage.html",
        example="What the public calls.",
        text="reference",
        shared=True,
        cdk="description",
        cloudformation="Description",
        boto3="description",
    )
    cache_cluster_enabled: bool | Reference | None = option(
        None,
        label="Cache cluster",
        help="A cache of the stage's own, at a price by the hour.",
        docs=GUIDE + "api-gateway-caching.html",
        example=True,
        shared=True,
        default_on_aws="none",
        aws_default=False,
        cdk="cache_cluster_enabled",
        cloudformation="CacheClusterEnabled",
        boto3="cacheClusterEnabled",
    )
    cache_cluster_size: str | None = option(
        None,
        label="Cache size",
        help="The size of the cache cluster, in GB.",
        docs=REFERENCE + "API_CreateStage.html",
        example="1.6",
        unit="GB",
        choices=("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"),
        text="reference",
        shared=True,
        default_on_aws="0.5 GB",
        aws_default="0.5",
        cdk="cache_cluster_size",
        cloudformation="CacheClusterSize",
        boto3="cacheClusterSize",
    )
    tracing_enabled: bool | Reference | None = option(
        None,
        label="Tracing",
        help="Trace calls with X-Ray.",
        docs=GUIDE + "apigateway-xray.html",
        example=True,
        shared=True,
        default_on_aws="not traced",
        aws_default=False,
        cdk="tracing_enabled",
        cloudformation="TracingEnabled",
        boto3="tracingEnabled",
    )
    access_log_destination: str | None = option(
        None,
        label="Access log",
        help="The ARN of a CloudWatch Logs group, or of a Firehose stream whose name begins with amazon-apigateway-.",
        docs=GUIDE + "set-up-logging.html",
        example="arn:aws:logs:eu-west-1:111122223333:log-group:books-access",
        text="reference",
        shared=True,
        default_on_aws="no access log",
        cdk="access_log_destination",
        cloudformation="AccessLogSetting.DestinationArn",
        boto3="accessLogSettings/destinationArn",
    )
    access_log_format: str | None = option(
        None,
        label="Access log format",
        help="One line a call, of $context variables; $context.requestId or $context.extendedRequestId among them.",
        docs=GUIDE + "set-up-logging.html",
        example='{"requestId":"$context.requestId","status":"$context.status"}',
        text="reference",
        shared=True,
        cdk="access_log_format",
        cloudformation="AccessLogSetting.Format",
        boto3="accessLogSettings/format",
    )
    method_settings: tuple[MethodSettings, ...] = option(
        (),
        label="Method settings",
        value_text="setting",
        help="How the stage runs a method, or all of them: throttling, logging, metrics, caching.",
        docs=REFERENCE + "API_UpdateStage.html",
        example=(MethodSettings(throttling_rate_limit=100, throttling_burst_limit=200),),
        shared=True,
        cloudformation="MethodSettings",
        boto3="",
    )
    stage_tags: Mapping[str, str] = option(
        default_factory=dict,
        label="Stage tags",
        help="Tags of the stage, for cost and access.",
        docs=GUIDE + "apigateway-tagging.html",
        example={"env": "test"},
        text="reference",
        key_text="key",
        value_text="value",
        shared=True,
        cdk="tags",
        cloudformation="Tags",
        boto3="tags",
    )
    routes: tuple[Route, ...] = ()
    structures: tuple[Structure, ...] = ()
    """What was a list or a body under an intrinsic in an imported file; in order of their paths."""
