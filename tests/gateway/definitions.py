"""Hypothesis strategies for definitions that the rules find no error in: all backends, all options."""

from dataclasses import replace
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from integrations.gateway.definition import (
    METHODS,
    Api,
    Authorizer,
    AwsService,
    Backend,
    Cors,
    DeploymentParameter,
    GatewayResponse,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    MethodSettings,
    Mock,
    Model,
    Raw,
    RequestValidator,
    Route,
    Template,
    parameters_of,
)
from integrations.gateway.findings import Severity
from integrations.gateway.grammar import Reference, path_variables
from integrations.gateway.options import PROXY_TYPES, Kind
from integrations.gateway.rules import check

BREAKOUTS = {
    "double quote": 'say "hi"',
    "single quote": "it's",
    "both quotes": '"it\'s" \'"',
    "triple quotes": "\"\"\" and '''",
    "ends in a quote": 'a"',
    "ends in triple quotes": 'a\n"""',
    "newline": "a\nb",
    "only newlines": "\n\n",
    "leading newline": "\n  a\n",
    "leading spaces": "    a\n  b\n",
    "trailing spaces": "a  \nb \n ",
    "many trailing newlines": "a\n\n\n",
    "tabs": "\ta\tb\n\t\tc\n",
    "CRLF": "a\r\nb\r\n",
    "lone CR": "a\rb",
    "two braces": "{{ x }} {{{y}}}",
    "resolve": "{{resolve:ssm:/a/b:1}}",
    "dollar brace": "${ ${} ${a b} $${x}",
    "escaped reference": "${!x}",
    "end of comment": "*/ // <!-- --> -- # ;",
    "backslash": "a\\b \\n \\\\ \\u0041 \\N{BULLET}",
    "ends in a backslash": "a\\",
    "hash brace": "#{x} #{Token[TOKEN.1]}",
    "token": "${Token[TOKEN.42]}",
    "on": "on",
    "exponent": "1e3",
    "octal": "0o17",
    "old octal": "017",
    "underscored": "1_000",
    "sexagesimal": "12:30:45",
    "date": "2026-11-24",
    "null": "null",
    "tilde": "~",
    "no": "No",
    "dot": ".",
    "infinity": ".inf",
    "merge": "<<",
    "equals": "=",
    "empty": "",
    "one space": " ",
    "colon": "a: b",
    "comment": "a # b",
    "dash": "- a",
    "document": "---\na\n...\n",
    "tag": "!Ref a",
    "anchor": "&a *a",
    "percent": "%s %(a)s {0}",
    "line separator": "a\u2028b\u2029c",
    "NEL": "a\x85b",
    "BOM": "\ufeffa\ufeff",
    "no-break space": "a\xa0b",
    "right to left": "a\u202eb",
    "astral": "\U0001f600 e\u0301 日本",
    "control": "a\x00\x1b[0m\x7f\x0c\x0b\x1c",
    "noncharacter": "a\ufffe\uffff",
    "lone surrogate": "a\ud800b",
    "low surrogate": "\udc00",
    "format": "{handler} {self.api} %(x)s",
}
"""Texts that try to change the structure of the file they are written into, by what they try."""

REFUSABLE = ("resolve", "hash brace", "token", "lone surrogate", "low surrogate", "control", "noncharacter")
"""Those that some format cannot say; that export is refused."""

_AWKWARD = [text for name, text in BREAKOUTS.items() if name not in REFUSABLE]


def _plain(text: str) -> bool:
    """Whether no format needs to refuse it and it holds no reference."""
    return "{{resolve:" not in text and "${" not in text


texts = st.one_of(
    st.sampled_from(_AWKWARD).filter(_plain),
    st.text(st.sampled_from(list("ab {}[]\"'\\#$!:/-\n\t,.é日")), max_size=12).filter(_plain),
)
"""Free text without references."""

NAMES: dict[Kind, tuple[str, ...]] = {
    "function": ("Orders.Arn", "Handler"),
    "role": ("Role.Arn", "caller_role"),
    "vpc_link": ("Link", "Link.Id"),
    "number": ("Patience",),
    "text": ("Env", "Table.Name", "TableName", "self", "Region1"),
    "url": ("Host", "Host.Url"),
}
"""The names of references by what they stand for; each has one kind wherever it stands."""

VALUES: dict[Kind, tuple[str, ...]] = {
    "function": ("arn:aws:lambda:eu-west-1:111122223333:function:books",),
    "role": ("arn:aws:iam::111122223333:role/books",),
    "vpc_link": ("abc123",),
    "number": ("5000",),
    "text": ("dev", "prod"),
    "url": ("https://books.example.com",),
}
"""Values that fit a kind: defaults, and what a test supplies."""

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/books/50dc6c495c0c9188"
MEDIA_TYPES = ("application/json", "text/plain", "application/vnd.books+json", "application/x-www-form-urlencoded")
STATUSES = ("200", "201", "400", "404", "500")
PATTERNS = (r"4\d{2}", "5..", r".*\[Bad\].*", "(\\n|.)*Error(\\n|.)*", "2\\d\\d|3..", '"quoted"', "it's")
HEADERS = ("X-Caller", "If-None-Match", "a:b", "X_1.$")
QUERY = ("page", "q", "sort.by")


def references(kind: Kind) -> st.SearchStrategy[str]:
    """A text that is one reference."""
    return st.sampled_from(NAMES[kind]).map(lambda name: f"${{{name}}}")


_part = st.one_of(
    texts, references("text"), st.sampled_from(["${AWS::AccountId}", "${AWS::Region}", "${stageVariables.env}", "${!x}"])
)
reference_texts = st.lists(_part, min_size=1, max_size=3).map("".join)
"""Text with references, stage variables and literal dollars in it."""

statics = reference_texts.map(lambda text: "'" + text.replace("'", "") + "'")
"""A static value of a mapping."""

templates = st.builds(
    Template,
    st.one_of(
        st.sampled_from(_AWKWARD),
        st.sampled_from(
            [
                '{"statusCode": 200}',
                "#set($root = $input.path('$'))\n{\n  \"id\": \"$input.params('id')\",\n  \"all\": $input.json('$')\n}\n",
                "Action=SendMessage&MessageBody=$util.urlEncode($input.body)",
                '$util.escapeJavaScript($input.body).replaceAll("\\\\\'","\'")\n## ${velocity} $!{quiet}\n',
            ]
        ),
        texts,
        reference_texts,
    ),
    st.booleans(),
)

model_names = st.sampled_from(["Empty", "Book", "Order2"])
SCHEMAS = (
    '{"type": "object", "properties": {"title": {"type": "string", "pattern": "^[^\\"]+$"}}}',
    '{"$schema": "http://json-schema.org/draft-04/schema#", "type": "array", "items": {"type": "number", "minimum": 0.5}}',
    '{"properties": {"on": {"enum": ["on", "1e3", null, true, 12]}, "it\'s\\n": {}}}',
)


def _maybe(strategy: st.SearchStrategy[Any], nothing: Any = None) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(nothing), strategy)


def _maps(keys: st.SearchStrategy[str], values: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(keys, values, max_size=most)


functions = st.one_of(
    st.sampled_from(
        [
            FUNCTION,
            f"{FUNCTION}:live",
            f"{FUNCTION}:7",
            "orders",
            "orders:live",
            "orders-${stageVariables.env}",
            f"{FUNCTION}-${{stageVariables.env}}",
            "orders-${Env}",
            "arn:${AWS::Partition}:lambda:${AWS::Region}:111122223333:function:orders",
            "${Orders.Arn}:live",
        ]
    ),
    references("function"),
)
roles = st.one_of(
    references("role"),
    st.sampled_from(["arn:aws:iam::111122223333:role/calls", "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${Env}-calls"]),
)
urls = st.sampled_from(
    [
        "https://books.example.com/v1/{id}",
        "https://${stageVariables.host}/books?a=b&c='d'",
        "http://${Host}/books",
        "${Host.Url}",
        "https://${Env}.example.com:8443/{proxy}",
    ]
)
links = st.one_of(references("vpc_link"), st.sampled_from(["abc123", "${stageVariables.link}"]))
verbs = st.sampled_from(METHODS)
regions = _maybe(st.sampled_from(["eu-west-1", "us-east-1", "${Region1}"]))
partitions = _maybe(st.sampled_from(["aws", "aws", "${AWS::Partition}"]))


@st.composite
def lambdas(draw: st.DrawFn) -> Lambda:
    function = draw(functions)
    listed = draw(st.sampled_from([(), ("orders-dev",), ("orders-dev", "orders-prod:live", "${Handler}")]))
    return Lambda(
        function=function,
        proxy=draw(st.booleans()),
        http_method=draw(st.sampled_from(["POST", "POST", "POST", "GET"])),
        region=draw(regions),
        partition=draw(partitions),
        allow_test_invoke=draw(st.sampled_from([None, True, False])),
        scope_permission_to_method=draw(st.sampled_from([None, None, True, False])),
        permission_functions=listed,
    )


services = st.one_of(
    st.builds(
        AwsService,
        service=st.sampled_from(["sqs", "states", "dynamodb", "${Env}"]),
        subdomain=_maybe(st.sampled_from(["runtime", "books-${Env}"])),
        action=st.sampled_from(["SendMessage", "StartExecution", "${Env}"]),
        action_parameters=_maps(st.sampled_from(["Version", "A b", "c&d"]), st.one_of(texts, references("text"))),
        http_method=verbs,
        region=regions,
        partition=partitions,
    ),
    st.builds(
        AwsService,
        service=st.sampled_from(["sqs", "s3", "lambda"]),
        subdomain=_maybe(st.just("books")),
        path=st.sampled_from(
            ["${AWS::AccountId}/orders", "books/{key}", "a/${stageVariables.env}", "2015-03-31/functions/x/invocations"]
        ),
        http_method=verbs,
        region=regions,
        partition=partitions,
    ),
)
raws = st.one_of(
    st.builds(Raw, type=st.just("MOCK"), http_method=_maybe(verbs)),
    st.builds(Raw, type=st.sampled_from(["HTTP", "HTTP_PROXY"]), http_method=verbs, raw_uri=st.one_of(urls, references("url"))),
    st.builds(
        Raw,
        type=st.just("AWS"),
        http_method=verbs,
        raw_uri=st.sampled_from(
            ["${Host}", "arn:aws:apigateway:eu-west-1:s3:path/b", "arn:aws:apigateway:${Env}:${stageVariables.x}"]
        ),
    ),
    st.builds(
        Raw,
        type=st.just("AWS_PROXY"),
        http_method=st.just("POST"),
        raw_uri=st.sampled_from(
            ["${Host}", f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"]
        ),
    ),
)
https = st.builds(Http, url=urls, proxy=st.booleans(), http_method=verbs)
BACKENDS: dict[str, st.SearchStrategy[Backend]] = {
    "lambda": lambdas(),
    "http": https,
    "aws": services,
    "mock": st.just(Mock()),
    "raw": raws,
}


_targets = st.sampled_from(
    [
        "integration.request.header.X-To",
        "integration.request.header.a:b",
        "integration.request.querystring.to",
        "integration.request.path.id",
    ]
)
_expressions = st.one_of(
    st.sampled_from(
        ["method.request.multivalueheader.X-Caller", "method.request.body.a.b", "context.requestId", "stageVariables.env"]
    ),
    statics,
)
_backends = st.one_of(*BACKENDS.values())
_flags = st.sampled_from([None, None, True, False])
_handling = _maybe(st.sampled_from(["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]))
_passthrough = _maybe(st.sampled_from(["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"]))
_namespaces = _maybe(st.one_of(st.just("books"), references("text")))
_timeouts = _maybe(st.sampled_from([50, 5_000, 29_000, Reference("Patience")]))
_templates = _maps(st.sampled_from(MEDIA_TYPES), templates)
_transfer = st.sampled_from([None, "BUFFERED", "STREAM"])
_maybe_roles = _maybe(roles)
_maybe_links = _maybe(links)
_balancers = st.sampled_from([None, BALANCER, "${Balancer.Arn}"])
_connection_types = st.sampled_from([None, "INTERNET", "VPC_LINK", "VPC_LINK"])
_headers = st.sampled_from([f"method.response.header.{name}" for name in HEADERS])
_response_expressions = st.one_of(
    st.sampled_from(["integration.response.header.ETag", "integration.response.body.a", "context.requestId"]), statics
)
_response_parameters = _maps(_headers, _response_expressions)


@st.composite
def integrations(draw: st.DrawFn, path: str, *, cdk: bool, unique: bool) -> Integration:
    """Any backend with any options; `cdk` and `unique` as in `apis`."""
    backend = draw(_backends)
    kind = Integration(backend=backend).type
    sources = [f"method.request.header.{name}" for name in HEADERS] + [f"method.request.querystring.{name}" for name in QUERY]
    sources += [f"method.request.path.{name}" for name in path_variables(path)]
    incoming = st.sampled_from(sources)
    passthrough = draw(_flags)
    connection, link, target = draw(_connections(kind, cdk=cdk))
    streams = kind in PROXY_TYPES and not (isinstance(backend, Raw) and kind == "AWS_PROXY")
    return Integration(
        backend=backend,
        request_parameters=draw(_maps(_targets, incoming | _expressions)),
        request_templates=draw(_templates),
        passthrough_behavior=draw(_passthrough),
        content_handling=draw(_handling),
        cache_key_parameters=tuple(draw(st.lists(incoming, max_size=2, unique=True))),
        cache_namespace=draw(_namespaces),
        credentials_role=None if passthrough and cdk else draw(_maybe_roles),
        credentials_passthrough=passthrough,
        connection_type=connection,
        vpc_link=link,
        integration_target=target,
        timeout_ms=draw(_timeouts),
        response_transfer_mode=draw(_transfer) if streams else None,
        insecure_skip_verification=None if cdk else draw(_flags),
        integration_responses=draw(_responses(unique=unique)),
    )


@st.composite
def _connections(draw: st.DrawFn, kind: str, *, cdk: bool) -> tuple[str | None, str | None, str | None]:
    if kind == "MOCK" and cdk:
        return None, None, None
    connection = draw(_connection_types)
    if connection == "VPC_LINK":
        return connection, draw(links), draw(_balancers)
    return connection, None if cdk else draw(_maybe_links), None


@st.composite
def _responses(draw: st.DrawFn, *, unique: bool) -> tuple[IntegrationResponse, ...]:
    count = draw(st.integers(0, 3))
    statuses = draw(st.lists(st.sampled_from(STATUSES), min_size=count, max_size=count, unique=unique))
    choices = (None, *PATTERNS) if unique else (None, "", "default", *PATTERNS)
    patterns = draw(st.lists(st.sampled_from(choices), min_size=count, max_size=count, unique=unique))
    return tuple(
        IntegrationResponse(
            status_code=status,
            selection_pattern=pattern,
            content_handling=draw(_handling),
            response_parameters=draw(_response_parameters),
            response_templates=draw(_templates),
        )
        for status, pattern in zip(statuses, patterns, strict=True)
    )


_method_responses = st.lists(
    st.builds(
        MethodResponse,
        status_code=st.sampled_from((*STATUSES, "503")),
        response_parameters=_maps(_headers, st.booleans()),
        response_models=_maps(st.sampled_from(MEDIA_TYPES), model_names),
    ),
    max_size=2,
    unique_by=lambda response: response.status_code,
).map(tuple)

PATHS = ("/", "/books", "/books/{id}", "/books/{id}/chapters", "/a-b/c.d:e/{proxy+}")


_stage_variables = _maps(st.sampled_from(["a", "B_2"]), st.sampled_from(["on", "1e3", "12:30:45", "${Env}"]))
_schemas = st.sampled_from(SCHEMAS)
_descriptions = st.sampled_from([None, "What a book is."])
_mounts = st.tuples(st.sampled_from(PATHS), verbs)
_operations = st.sampled_from([None, "GetBook", "listBooks2"])
_authorizations = st.sampled_from(
    [
        (None, None, ()),
        (None, None, ()),
        ("NONE", None, ()),
        ("AWS_IAM", None, ()),
        ("CUSTOM", "abc123", ()),
        ("CUSTOM", "${Authorizer}", ()),
        ("COGNITO_USER_POOLS", "${Authorizer}", ("books/read", "${Env}/write")),
    ]
)
_declared = _maps(
    st.sampled_from(
        [f"method.request.{place}" for place in ("header.X-Caller", "header.Key", "querystring.page", "querystring.all")]
    ),
    st.booleans(),
)
_request_models = _maps(st.sampled_from(MEDIA_TYPES), model_names)


@st.composite
def mounted(draw: st.DrawFn, path: str, method: str, *, cdk: bool, unique: bool) -> Route:
    """A route with its integration; `cdk` and `unique` as in `apis`."""
    integration = draw(integrations(path, cdk=cdk, unique=unique))
    kind, authorizer, scopes = draw(_authorizations)
    route = Route(
        method=method,
        path=path,
        integration=integration,
        operation_name=draw(_operations),
        authorization_type=kind,
        authorizer=authorizer,
        authorization_scopes=scopes,
        api_key_required=draw(_flags),
        declared=draw(_declared),
        responses=draw(_method_responses),
        request_models=draw(_request_models),
        validate_request_body=draw(_flags),
        validate_request_parameters=draw(_flags),
    )
    implied = [key for key in route.derived_parameters() if key.startswith("method.request.path.")]
    used = [*integration.request_parameters.values(), *integration.cache_key_parameters]
    free = [key for key in implied if key not in used]
    suppressed = draw(st.lists(st.sampled_from(free), max_size=1)) if free else []
    return replace(route, suppressed=tuple(suppressed))


# --- What is shared by the routes ------------------------------------------------------------------

_flag_or_reference = st.sampled_from([None, None, True, False, Reference("Switch")])
_seconds = st.sampled_from([None, 0, 60, 3_600, Reference("Seconds")])
_source = st.sampled_from(["method.request.header.Authorization", "method.request.header.X-Token"])
_token_authorizers = st.builds(
    Authorizer,
    type=st.sampled_from(["TOKEN", "REQUEST"]),
    function=_maybe(st.sampled_from(["readers", "${Orders.Arn}", FUNCTION, f"{FUNCTION}:live"])),
    uri=st.just("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Handler}/invocations"),
    credentials_role=_maybe(roles),
    identity_sources=st.lists(_source, min_size=1, max_size=1).map(tuple),
    identity_validation_expression=_maybe(st.sampled_from(["^Bearer .+$", '"it\'s"\\d'])),
    result_ttl_seconds=_seconds,
    auth_type=_maybe(st.just("oauth2")),
)
_pools = st.builds(
    Authorizer,
    type=st.just("COGNITO_USER_POOLS"),
    identity_sources=st.lists(_source, min_size=1, max_size=1).map(tuple),
    result_ttl_seconds=_seconds,
    provider_arns=st.sampled_from([("arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_abc123",), ("${Pool.Arn}",)]),
)
_authorizers = st.lists(
    st.one_of(_token_authorizers.map(lambda found: replace(found, uri=None) if found.function else found), _pools), max_size=2
).map(lambda found: tuple(replace(each, name=name) for each, name in zip(found, ("readers", "Staff-2"), strict=False)))
_gateway_responses = st.lists(
    st.builds(
        GatewayResponse,
        response_type=st.sampled_from(["DEFAULT_4XX", "UNAUTHORIZED", "THROTTLED"]),
        status_code=_maybe(st.just("400")),
        response_parameters=_maps(
            st.sampled_from([f"gatewayresponse.header.{name}" for name in ("X-Id", "Access-Control-Allow-Origin")]),
            st.one_of(st.just("context.requestId"), statics),
        ),
        response_templates=_maps(st.sampled_from(MEDIA_TYPES), templates),
    ),
    max_size=2,
    unique_by=lambda response: response.response_type,
).map(tuple)
_cors = st.lists(
    st.builds(
        Cors,
        path=st.sampled_from(["", "/books", "/status"]),
        allow_origins=st.sampled_from([("*",), ("https://a.example",), ("https://a.example", "https://b.example", "${Host}")]),
        allow_methods=st.sampled_from([(), ("GET",), ("GET", "POST", "OPTIONS"), ("ANY",)]),
        allow_headers=st.sampled_from([(), ("Content-Type",), ("X-A", "X-B")]),
        expose_headers=st.sampled_from([(), ("ETag", "X-A")]),
        allow_credentials=_flags,
        max_age_seconds=st.sampled_from([None, -1, 0, 600]),
        gateway_responses=_flags,
    ),
    max_size=2,
    unique_by=lambda setting: setting.path,
).map(tuple)
_method_settings = st.lists(
    st.builds(
        MethodSettings,
        path=st.sampled_from(["/*", "/books", "/books/{id}", "/"]),
        method=st.sampled_from(["*", "GET", "POST"]),
        throttling_rate_limit=st.sampled_from([None, 100, 0.5, Reference("Rate")]),
        throttling_burst_limit=st.sampled_from([None, 5, Reference("Burst")]),
        logging_level=st.sampled_from([None, "INFO", "OFF", "ERROR"]),
        data_trace_enabled=_flag_or_reference,
        metrics_enabled=_flag_or_reference,
        caching_enabled=_flag_or_reference,
        cache_ttl_seconds=_seconds,
        cache_data_encrypted=_flag_or_reference,
    ),
    max_size=2,
    unique_by=lambda setting: (setting.path, setting.method),
).map(tuple)
POLICY = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
      "Resource": ["execute-api:/${Env}/*", "arn:${AWS::Partition}:execute-api:*"],
      "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:PrincipalTag/a": "${aws:username} it's \\"b\\""}}
    }
  ]
}"""
_endpoints = st.sampled_from(
    [
        (None, None, ()),
        ("EDGE", None, ()),
        ("REGIONAL", "ipv4", ()),
        ("PRIVATE", "dualstack", ("vpce-0123456789abcdef0", "${Endpoint}")),
        ("${Kind}", None, ()),
    ]
)
_validators = st.sampled_from(
    [
        (),
        (RequestValidator(name="body-only", validate_request_body=True),),
        (
            RequestValidator(name="None"),
            RequestValidator(name="All", validate_request_body=True, validate_request_parameters=True),
        ),
    ]
)
_tags = _maps(st.sampled_from(["team", "cost:center"]), st.sampled_from(["books", "${Env}"]))


@st.composite
def shared(draw: st.DrawFn, *, cdk: bool) -> dict[str, Any]:
    """The settings of a whole API, by name; `cdk` as in `apis`."""
    endpoint_type, ip_address_type, endpoints = draw(_endpoints)
    endpoint_type = None if cdk and endpoint_type == "${Kind}" else endpoint_type
    log = draw(
        st.sampled_from([(None, None), ("arn:aws:logs:eu-west-1:111122223333:log-group:books", "$context.requestId ${Env}")])
    )
    return {
        "endpoint_type": endpoint_type,
        "ip_address_type": ip_address_type,
        "vpc_endpoint_ids": endpoints,
        "disable_execute_api_endpoint": draw(_flag_or_reference),
        "security_policy": draw(st.sampled_from([None, None, "TLS_1_2"])),
        "endpoint_access_mode": draw(st.sampled_from([None, None, "BASIC"])),
        "policy": draw(_maybe(st.just(POLICY))),
        "api_key_source": draw(st.sampled_from([None, "HEADER", "AUTHORIZER"])),
        "minimum_compression_size": draw(st.sampled_from([None, 0, 1_024, Reference("Least")])),
        "request_validators": draw(_validators),
        "authorizers": draw(_authorizers),
        "gateway_responses": draw(_gateway_responses),
        "cors": draw(_cors),
        "tags": draw(_tags),
        "stage_description": draw(_maybe(st.sampled_from(["What the public calls.", "${Env}: it's"]))),
        "cache_cluster_enabled": draw(_flag_or_reference),
        "cache_cluster_size": draw(st.sampled_from([None, "0.5", "118"])),
        "tracing_enabled": draw(_flag_or_reference),
        "access_log_destination": log[0],
        "access_log_format": log[1],
        "method_settings": draw(_method_settings),
        "stage_tags": draw(_tags),
    }


def decided(route: Route, authorizers: tuple[Authorizer, ...], which: int) -> Route:
    """The route with one of these authorizers, where it has one at all."""
    if route.authorizer is None or not authorizers:
        return route
    authorizer = authorizers[which % len(authorizers)]
    scopes = route.authorization_scopes if authorizer.type == "COGNITO_USER_POOLS" else ()
    return replace(
        route, authorization_type=authorizer.authorization_type, authorizer=authorizer.name, authorization_scopes=scopes
    )


@st.composite
def apis(draw: st.DrawFn, *, cdk: bool = False, unique: bool = False, routes: int = 1, whole: bool = False) -> Api:
    """An Api of `routes` routes on which no rule finds an error.

    `cdk`: the CDK accepts it and can say all of it. `unique`: no two responses of an integration share a status or a
    pattern, and no pattern is the text `default`, so that every format can say all of its responses. `whole`: with the
    settings of a whole API.
    """
    mounts = draw(st.lists(_mounts, min_size=routes, max_size=routes, unique=True))
    made = tuple(draw(mounted(path, method, cdk=cdk, unique=unique)) for path, method in mounts)
    schemas = {name: draw(_schemas) for name in ("Book", "Order2")}
    stage_variables = {
        "env": draw(st.sampled_from(["dev", "prod"])),
        "host": "books.example.com",
        "link": "abc123",
        "x": "sqs:path/a",
    }
    extra = draw(_stage_variables)
    api = Api(
        name=draw(st.sampled_from(["books", "Orders to SQS", 'a "b" \\ c', "7 ${x}"])),
        description=draw(st.sampled_from(["", "Takes an order and puts it on the queue.", 'It\'s "quoted"; on\n#b\n'])),
        models=tuple(Model(name=name, schema=schema) for name, schema in schemas.items()),
        stage_name=draw(st.sampled_from(["prod", "prod", "test", "v1"])),
        stage_variables=stage_variables | extra,
        binary_media_types=draw(st.sampled_from([(), (), ("image/png",), ("application/pdf", "*/*")])),
        routes=made,
    )
    if whole:
        api = replace(
            api, **draw(shared(cdk=cdk)), models=tuple(replace(each, description=draw(_descriptions)) for each in api.models)
        )
        api = replace(api, routes=tuple(decided(route, api.authorizers, draw(st.integers(0, 1))) for route in made))
    declared = []
    for found in parameters_of(api):
        kind: Kind = next((kind for kind, names in NAMES.items() if found.name in names), found.kind)
        if draw(st.booleans()) or kind != found.kind:
            default = draw(_maybe(st.sampled_from(VALUES[kind])))
            description = draw(st.sampled_from(["", "What it is.", 'it\'s "this": #\n']))
            declared.append(DeploymentParameter(name=found.name, kind=kind, description=description, default=default))
    api = replace(api, parameters=tuple(declared))
    assume(not any(finding.severity is Severity.ERROR for finding in check(api)))
    return api
