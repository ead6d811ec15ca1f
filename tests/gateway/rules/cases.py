"""Definitions for every rule: those in which it finds its fault, and those in which it must be silent."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from integrations.gateway.definition import (
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
    Route,
    Template,
)
from integrations.gateway.grammar import Reference

HTTP = Http(url="https://books.example.com/", proxy=False)
HTTP_PROXY = Http(url="https://books.example.com/")
SQS = AwsService(service="sqs", path="111122223333/orders")
QUERY = AwsService(service="dynamodb", action="Query")
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:f"
INVOKE = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
STREAM_INVOKE = f"arn:aws:apigateway:eu-west-1:lambda:path/2021-11-15/functions/{FUNCTION}/response-streaming-invocations"
LAMBDA = Lambda(function=FUNCTION)
LAMBDA_MAPPED = Lambda(function=FUNCTION, proxy=False)
ROLE = "arn:aws:iam::111122223333:role/r"
BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/books/50dc6c495c0c9188"
OK = IntegrationResponse(status_code="200")
HEADER = "integration.request.header.X"
OUT = "method.response.header.X"


def answer(status: str = "200", pattern: str | None = None, **options: Any) -> IntegrationResponse:
    return IntegrationResponse(status_code=status, selection_pattern=pattern, **options)


def of(backend: Backend = HTTP, /, route: Mapping[str, Any] | None = None, **options: Any) -> Api:
    """One route with this backend and these options of its integration."""
    return Api(routes=(Route(integration=Integration(backend=backend, **options), **(route or {})),))


def route(**options: Any) -> Api:
    """One route with these options of its own, over an HTTP proxy."""
    return of(HTTP_PROXY, route=options)


def raw(type: str, uri: str | None = None, **options: Any) -> Api:
    return of(Raw(type=type, http_method="POST", raw_uri=uri), **options)


def url(text: str, **options: Any) -> Api:
    return of(Http(url=text, proxy=False), **options)


def mapped(value: str, key: str = HEADER, backend: Backend = HTTP, /, **options: Any) -> Api:
    return of(backend, request_parameters={key: value}, route=options)


def header(name: str, backend: Backend = HTTP) -> Api:
    return mapped("'1'", f"integration.request.header.{name}", backend)


def answers(*responses: IntegrationResponse, backend: Backend = HTTP, **options: Any) -> Api:
    return of(backend, integration_responses=responses, route=options)


def sends(key: str, value: str = "'1'", **options: Any) -> Api:
    return answers(answer(response_parameters={key: value}), **options)


def pattern(text: str, backend: Backend = HTTP, /, *more: str) -> Api:
    statuses = ("400", "401", "402", "403")
    found = (answer(status, each) for status, each in zip(statuses, (text, *more), strict=False))
    return answers(OK, *found, backend=backend)


def template(text: str, key: str = "application/json", backend: Backend = HTTP, **options: Any) -> Api:
    return of(backend, request_templates={key: Template(text)}, **options)


def replies(*keys: str, **options: Any) -> Api:
    return answers(answer(response_templates={key: Template("x") for key in keys}, **options))


def paths(*texts: str) -> Api:
    return Api(routes=tuple(route(path=text).routes[0] for text in texts))


def cached(*namespaces_and_keys: tuple[str, str]) -> Api:
    return Api(
        routes=tuple(
            of(cache_namespace=space, cache_key_parameters=(key,), route={"path": f"/{index}"}).routes[0]
            for index, (space, key) in enumerate(namespaces_and_keys)
        )
    )


def variables(**values: str) -> Api:
    return dataclasses.replace(route(), stage_variables=values)


def streamed(backend: Backend = LAMBDA, **options: Any) -> Api:
    return of(backend, response_transfer_mode="STREAM", **options)


def binary(api: Api, *media_types: str) -> Api:
    return dataclasses.replace(api, binary_media_types=media_types)


def with_variables(api: Api, **values: str) -> Api:
    return dataclasses.replace(api, stage_variables=values)


class Case(NamedTuple):
    """What a rule finds, and what it must not find."""

    faulty: list[Api]
    fine: list[Api]


VPC: dict[str, Any] = {"connection_type": "VPC_LINK", "vpc_link": "abc123"}
STATUS = Template('{"statusCode": 200}')
KEY = "AKIA" + "Q3EGRTZ5XNBL2UPA"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


def declaring(*names: str) -> Api:
    """A definition without a fault that declares these parameters."""
    return dataclasses.replace(route(), parameters=tuple(DeploymentParameter(name=name) for name in names))


CASES: dict[str, Case] = {
    "T1": Case(
        [raw("HTTPS_PROXY"), raw("http_proxy", "https://a.example"), raw("")],
        [raw("MOCK"), raw("HTTP_PROXY", "https://a.example"), raw("${Type}")],
    ),
    "T2": Case(
        [
            of(Http(url="https://a.example", http_method=None)),
            of(Lambda(function="f", http_method=None)),
            of(Raw(type="AWS", http_method="", raw_uri=INVOKE)),
        ],
        [of(Raw(type="MOCK")), url("https://a.example"), of(Http(url="https://a.example", http_method="ANY"))],
    ),
    "T2-verb": Case(
        [of(Http(url="https://a.example", http_method="fetch")), of(Http(url="https://a.example", http_method="get"))],
        [of(Http(url="https://a.example", http_method="ANY")), of(Raw(type="MOCK", http_method="x"))],
    ),
    "T3": Case(
        [of(Lambda(function="f", http_method="GET")), of(Raw(type="AWS", http_method="ANY", raw_uri=INVOKE))],
        [of(Lambda(function="f")), of(Raw(type="AWS", http_method="GET", raw_uri="arn:aws:apigateway:eu-west-1:s3:path/b/k"))],
    ),
    "T4": Case([route(method="get"), route(method="TRACE"), route(method="")], [route(method="GET"), route(method="ANY")]),
    "T5": Case(
        [route(authorization_type="custom"), route(authorization_type="COGNITO_USER_POOLS", authorizer="")],
        [route(authorization_type="CUSTOM", authorizer="abc"), route(authorization_type="AWS_IAM"), route()],
    ),
    "T5-type": Case(
        [route(authorization_type="IAM"), route(authorization_type="COGNITO")],
        [route(authorization_type="none"), route(authorization_type="JWT"), route(authorization_type="${Type}")],
    ),
    "T5-unused": Case(
        [route(authorizer="abc"), route(authorizer="abc", authorization_type="AWS_IAM")],
        [route(authorizer="abc", authorization_type="CUSTOM"), route()],
    ),
    "T6": Case(
        [route(authorization_scopes=("a",)), route(authorization_scopes=("a",), authorization_type="CUSTOM", authorizer="x")],
        [
            route(authorization_scopes=("a",), authorization_type="cognito_user_pools", authorizer="x"),
            route(authorization_scopes=("a",), authorization_type="JWT", authorizer="x"),
        ],
    ),
    "T8": Case([Api()], [route()]),
    "U1": Case(
        [url("books.example.com/v1"), url("ftp://books.example.com"), url(""), url("/books"), url("non-valid-http"), raw("HTTP")],
        [
            url("${Host}/books"),
            url("HTTP://books.example.com"),
            url("http://${stageVariables.host}"),
            url("", integration_target=BALANCER, **VPC),
            raw("AWS", "books.example.com"),
        ],
    ),
    "U1-host": Case([url("https://"), url("https:///books"), url("http://:80/")], [url("https://a"), url("https://${Host}/b")]),
    "U1-port": Case(
        [url("https://a.example:22/"), url("http://a.example:99999"), url("http://a.example:1024?x")],
        [
            url("https://a.example:8080/"),
            url("http://a.example:80"),
            url("https://a.example/b:22/"),
            url("http://a.example:22/", **VPC),
            url("https://a.example:${Port}/"),
        ],
    ),
    "U2": Case(
        [raw("AWS", "https://a.example"), raw("AWS_PROXY", "f"), raw("AWS", "")],
        [raw("AWS", "${Uri}"), raw("AWS", INVOKE), raw("HTTP", "https://a.example")],
    ),
    "U3": Case(
        [
            raw("AWS", FUNCTION),
            raw("AWS_PROXY", "arn:aws:sqs:eu-west-1:111122223333:q"),
            raw("AWS", "arn:aws:apigateway:eu-west-1:sqs"),
            raw("AWS_PROXY", "arn:aws:lambda:${AWS::Region}:111122223333:function:f"),
            raw("AWS", "arn:${AWS::Partition}:sqs:${AWS::Region}:${Account}:orders"),
        ],
        [
            raw("AWS", INVOKE),
            raw("AWS", "arn:${AWS::Partition}:${Rest}"),
            raw("AWS", "arn:aws:apigateway:${AWS::Region}:${Target}"),
            raw("AWS", "arn:aws:apigateway:eu-west-1:s3:${stageVariables.target}"),
            raw("HTTP", "arn:aws:sqs"),
        ],
    ),
    "U3-empty": Case(
        [
            of(AwsService()),
            of(AwsService(service="sqs")),
            of(AwsService(action="Query")),
            raw("AWS", "arn:aws:apigateway:r:s3:path/"),
        ],
        [of(SQS), of(QUERY), raw("AWS", INVOKE)],
    ),
    "U4": Case(
        [
            raw("AWS_PROXY", "arn:aws:apigateway:eu-west-1:s3:path/b"),
            raw("AWS_PROXY", "arn:aws:apigateway:eu-west-1:dynamodb:action/Query"),
            raw("AWS_PROXY", f"arn:aws:apigateway:eu-west-1:lambda:path/random/value/{FUNCTION}/invocations"),
            raw("AWS_PROXY", f"arn:aws:apigateway:eu-west-1:firehose:path/2015-03-31/functions/{FUNCTION}/invocations"),
            of(Lambda()),
        ],
        [
            raw("AWS_PROXY", INVOKE),
            raw("AWS_PROXY", INVOKE.replace("path/", "path//")),
            raw("AWS_PROXY", "arn:aws:apigateway:eu-west-1:lambda:path/${Path}"),
            raw("AWS_PROXY", "arn:aws:apigateway:eu-west-1:${Service}:path/x"),
            of(Lambda(function="${F.Arn}")),
            raw("AWS", "arn:aws:apigateway:eu-west-1:s3:path/b"),
        ],
    ),
    "U5": Case(
        [
            of(Lambda(proxy=False)),
            of(Lambda(function="arn:aws:lambda:eu-west-1:1234:function:f")),
            of(Lambda(function="my*function")),
            of(Lambda(function="a" * 65)),
            of(Lambda(function="arn:aws:lambda:eu-west-1:111122223333:f")),
            of(Lambda(function=f"{FUNCTION}:a!b")),
        ],
        [
            of(LAMBDA),
            of(Lambda(function=f"{FUNCTION}:live")),
            of(Lambda(function=f"{FUNCTION}:$LATEST")),
            of(Lambda(function="orders-${stageVariables.env}")),
            of(Lambda(function="${Orders.Arn}:live")),
            of(HTTP),
        ],
    ),
    "U5-region": Case(
        [of(Lambda(function=FUNCTION, region="us-east-1")), raw("AWS", INVOKE.replace("eu-west-1", "eu-west-2", 1))],
        [of(LAMBDA), of(Lambda(function=FUNCTION, region="eu-west-1")), raw("AWS", INVOKE)],
    ),
    "U6": Case(
        [
            raw("AWS", INVOKE.replace("eu-west-1", "cn-north-1")),
            of(AwsService(service="s3", path="b", region="us-gov-west-1", partition="aws")),
            of(Lambda(function=FUNCTION.replace("arn:aws:", "arn:aws-cn:"))),
            of(Lambda(function=FUNCTION, partition="aws-cn", region="eu-west-1")),
        ],
        [
            of(LAMBDA),
            raw("AWS", INVOKE),
            of(AwsService(service="s3", path="b", region="cn-north-1", partition="aws-cn")),
            of(AwsService(service="s3", path="b", region="cn-north-1")),
            of(AwsService(service="s3", path="b", partition="${P}", region="cn-north-1")),
        ],
    ),
    "U7": Case(
        [
            url("https://a/{id}"),
            url("https://a/{id}", route={"path": "/{id}"}),
            of(Http(url="https://a/{proxy}"), route={"path": "/{proxy+}"}),
            of(AwsService(service="s3", path="b/{key}"), route={"path": "/{key}"}),
        ],
        [
            mapped("'1'", "integration.request.path.id", Http(url="https://a/{id}")),
            url("https://a/${id}"),
            raw("AWS_PROXY", INVOKE + "{x}"),
        ],
    ),
    "U8": Case(
        [mapped("'1'", "integration.request.path.id"), mapped("'1'", "integration.request.path.b", Http(url="https://a/{id}"))],
        [
            mapped("'1'", "integration.request.path.id", Http(url="https://a/{id}")),
            mapped("'1'", "integration.request.path.id", Http(url="${Url}")),
            mapped("'1'", "integration.request.path.id", Http(url="https://${stageVariables.rest}")),
            mapped("'1'", "integration.request.querystring.id"),
            mapped("'1'", "integration.request.path.id", LAMBDA),
        ],
    ),
    "U9": Case(
        [url("https://${stageVariables.my-host}/"), url("https://${stageVariables['host']}/"), url("https://${!Host}/")],
        [url("https://${stageVariables.host}/"), url("https://${Host}/"), url("https://a/{b}")],
    ),
    "U9-undefined": Case(
        [
            url("https://${stageVariables.host}"),
            of(vpc_link="${stageVariables.link}", connection_type="VPC_LINK"),
            with_variables(url("https://${stageVariables.host}"), Host="a"),
        ],
        [with_variables(url("https://${stageVariables.host}"), host="a"), url("https://${Host}")],
    ),
    "U10": Case(
        [
            url("${stageVariables.scheme}://a.example"),
            of(AwsService(service="${stageVariables.service}", path="x")),
            of(AwsService(service="s3", path="x", region="${stageVariables.region}")),
            of(Lambda(function="arn:aws:lambda:eu-west-1:${stageVariables.account}:function:f")),
        ],
        [
            url("https://${stageVariables.host}/"),
            url("${stageVariables.url}/"),
            of(AwsService(service="s3", path="${stageVariables.bucket}/{key}")),
            of(Lambda(function=f"{FUNCTION}:${{stageVariables.alias}}")),
        ],
    ),
    "U10-value": Case(
        [mapped("'a-${stageVariables.env}'"), mapped("${stageVariables.env}")],
        [mapped("stageVariables.env"), mapped("'a-${Env}'")],
    ),
    "U10-header": Case([sends(OUT, "'${stageVariables.env}'")], [sends(OUT, "stageVariables.env"), sends(OUT, "'${Env}'")]),
    "U11": Case(
        [variables(**{"my-host": "a"}), variables(**{"a b": "a"}), variables(**{"": "a"})], [variables(host_2="a"), route()]
    ),
    "U11-value": Case(
        [variables(a="x#y"), variables(a=""), variables(a="100%"), variables(a="a\n")],
        [variables(a="https://a.example:80/b?c=d&e=f,g h"), variables(a="${Value}")],
    ),
    "U11-size": Case(
        [variables(**{"a" * 65: "x"}), variables(a="x" * 513), variables(**{f"v{number}": "x" for number in range(101)})],
        [variables(**{"a" * 64: "x" * 512}), variables(**{f"v{number}": "x" for number in range(100)})],
    ),
    "U12": Case(
        [
            of(Mock(), timeout_ms=100),
            raw("MOCK", "https://a.example"),
            of(Mock(), connection_type="INTERNET"),
            mapped("'1'", HEADER, Mock()),
        ],
        [of(Mock()), of(HTTP, timeout_ms=100), of(Raw(type="MOCK"))],
    ),
    "U13": Case(
        [of(SQS), of(AwsService(service="sns", path="/")), header("Accept", SQS)],
        [
            header("content-type", SQS),
            of(AwsService(service="sqs", path="1/q", http_method="GET")),
            of(AwsService(service="sqs", action="SendMessage")),
            of(QUERY),
            template("#set($context.requestOverride.header.Content-Type = 'x')", backend=SQS),
        ],
    ),
    "U13-target": Case(
        [of(AwsService(service="events", action="PutEvents"))],
        [header("X-Amz-Target", AwsService(service="events", action="PutEvents")), of(QUERY)],
    ),
    "P1": Case(
        [route(declared={"method.request.querystring.filter[a]": False}), route(declared={"method.request.header.a b": False})],
        [route(declared={"method.request.header.a:b.c_$-1": False}), route(declared={"filter[a]": False})],
    ),
    "P2": Case(
        [
            mapped("method.request.header.A", suppressed=("method.request.header.A",)),
            mapped("method.request.path.id", suppressed=("method.request.path.id",)),
        ],
        [mapped("method.request.header.A"), mapped("method.request.body"), mapped("'method.request.header.A'")],
    ),
    "P2-multi": Case(
        [mapped("method.request.multivalueheader.A", suppressed=("method.request.header.A",))],
        [mapped("method.request.multivalueheader.A")],
    ),
    "P2-path": Case(
        [mapped("method.request.path.id", suppressed=("method.request.path.id",), path="/{id}")],
        [
            mapped("method.request.path.id", suppressed=("method.request.path.id",)),
            mapped("method.request.path.id", path="/{id}"),
        ],
    ),
    "P3-quotes": Case(
        [mapped("'it's'"), sends(OUT, "'A', 'B'"), mapped("'" * 4)],
        [mapped("''"), mapped("'"), mapped("'A,B'"), mapped("A','B")],
    ),
    "P3": Case(
        [
            mapped("application/json"),
            mapped('"*"'),
            mapped("'Content-Type',Authorization"),
            mapped("'"),
            mapped("$context.x"),
        ],
        [
            mapped("'application/json'"),
            mapped("''"),
            mapped("${Value}"),
            mapped("'${Value}'"),
            mapped("context.requestId"),
            mapped("method.request.body.a.b"),
            mapped("stageVariables.x"),
        ],
    ),
    "P3-source": Case(
        [mapped("method.request.cookie.a"), mapped("method.request.header.a[0]"), mapped(""), mapped("stageVariables.a-b")],
        [mapped("method.request.header.a"), mapped("'x'"), mapped("method.request.multivaluequerystring.a")],
    ),
    "P3-context": Case(
        [mapped("context.requestID"), mapped("context.identity.ip"), sends(OUT, "context.nothing")],
        [mapped("context.identity.sourceIp"), mapped("context.authorizer.claims.sub"), sends(OUT, "context.requestId")],
    ),
    "P5": Case(
        [route(declared={"request.header.A": False}), route(declared={"method.request.body": False}), route(declared={"": True})],
        [route(declared={"method.request.header.A": False}), route(declared={"method.request.header.a[b]": False})],
    ),
    "P5-target": Case(
        [mapped("'1'", "header.X"), mapped("'1'", "integration.request.body"), mapped("'1'", "integration.request.header.a[b]")],
        [mapped("'1'"), mapped("'1'", "integration.request.querystring.a")],
    ),
    "P6": Case(
        [
            route(declared={"method.request.header.a": False, "method.request.querystring.a": False}),
            route(path="/{a}", declared={"method.request.querystring.a": False}),
            mapped("method.request.header.id", path="/{id}"),
        ],
        [route(declared={"method.request.header.a": False, "method.request.querystring.A": False}), route(path="/{a}")],
    ),
    "P7": Case(
        [route(declared={"method.request.path.id": True}), mapped("method.request.path.id", path="/{ID}")],
        [route(path="/{id}", declared={"method.request.path.id": True}), mapped("method.request.path.proxy", path="/{proxy+}")],
    ),
    "P8": Case(
        [
            header("Content-Length"),
            header("transfer-encoding", HTTP_PROXY),
            header("Authorization", LAMBDA_MAPPED),
            header("TE", LAMBDA),
        ],
        [header("Expect"), header("Authorization"), header("Authorization", HTTP_PROXY), header("Content-Length", Mock())],
    ),
    "P9": Case([header("Expect"), header("via", HTTP_PROXY), header("Referer", SQS)], [header("Referer"), header("Via", SQS)]),
    "P10": Case([header("X", LAMBDA)], [header("X", HTTP_PROXY), header("X", LAMBDA_MAPPED), of(LAMBDA)]),
    "P10-append": Case(
        [mapped("method.request.querystring.q", "integration.request.querystring.q", HTTP_PROXY)],
        [
            mapped("method.request.querystring.q", "integration.request.querystring.q"),
            mapped("method.request.querystring.q", "integration.request.querystring.r", HTTP_PROXY),
            mapped("'1'", "integration.request.querystring.q", HTTP_PROXY),
        ],
    ),
    "P11": Case(
        [route(declared={"method.request.header.X-A": False, "method.request.header.x-a": False})],
        [route(declared={"method.request.header.X-A": False, "method.request.querystring.x-a": False})],
    ),
    "P13": Case(
        [of(HTTP, route={"path": "/books/{id}"}), of(SQS, route={"path": "/{proxy+}"})],
        [
            of(HTTP_PROXY, route={"path": "/books/{id}"}),
            mapped("method.request.path.id", HEADER, path="/{id}"),
            template('{"id": "$input.params(\'id\')"}', route={"path": "/{id}"}),
            of(Mock(), route={"path": "/{id}"}),
            of(HTTP),
        ],
    ),
    "P14": Case(
        [template("{}", backend=Http(url="https://a", http_method="GET", proxy=False))],
        [
            template("{}", backend=Http(url="https://a", http_method="POST", proxy=False)),
            template("", backend=Http(url="https://a", http_method="GET", proxy=False)),
            template("#set($context.requestOverride.path.x = 1)", backend=Http(url="https://a", http_method="GET", proxy=False)),
        ],
    ),
    "P15": Case(
        [url("https://a.example/b c"), url("https://a.example/?q=a|b"), url('https://a.example/"')],
        [url("https://a.example/b%20c?d=%7C"), url("https://${A}/{b}"), raw("AWS", "arn:aws:apigateway:r:s3:path/a b")],
    ),
    "P15-semicolon": Case(
        [url("https://a.example/?a=1;b=2")], [url("https://a.example/a;b?c=1"), url("https://a.example/?a=1&b=2")]
    ),
    "C1": Case(
        [
            of(cache_key_parameters=("method.request.querystring.q",), route={"suppressed": ("method.request.querystring.q",)}),
            of(cache_key_parameters=("q",)),
            of(cache_key_parameters=("method.request.body",)),
        ],
        [of(cache_key_parameters=("method.request.querystring.q",)), of(cache_key_parameters=("integration.request.header.q",))],
    ),
    "C1-integration": Case(
        [of(cache_key_parameters=("integration.request.header.q",))], [of(cache_key_parameters=("method.request.header.q",))]
    ),
    "C1-twice": Case(
        [of(cache_key_parameters=("method.request.header.q", "method.request.header.q"))],
        [of(cache_key_parameters=("method.request.header.q", "method.request.header.Q"))],
    ),
    "C2": Case(
        [of(cache_key_parameters=("method.request.header.q",), route={"method": "POST"})],
        [
            of(cache_key_parameters=("method.request.header.q",)),
            of(cache_key_parameters=("method.request.header.q",), route={"method": "ANY"}),
        ],
    ),
    "C3": Case(
        [streamed(cache_namespace="a"), streamed(cache_key_parameters=("method.request.header.q",))],
        [of(LAMBDA, cache_namespace="a"), streamed()],
    ),
    "C4": Case(
        [cached(("a", "method.request.header.q"), ("a", "method.request.header.r"))],
        [cached(("a", "method.request.header.q"), ("b", "method.request.header.r")), cached(("a", "x"), ("a", "x"))],
    ),
    "M1": Case(
        [template("", "123"), replies("json"), template("", "")],
        [
            template("", "application/json"),
            template("", "$default"),
            template("", "text/plain; charset=utf-8"),
            template("", "${Type}"),
        ],
    ),
    "M1-form": Case(
        [template("", "application/json; charset=utf-8"), replies("text/plain;q=1"), template("", "a/b/c")],
        [template("", "application/vnd.api+json"), template("", "123")],
    ),
    "M1-wildcard": Case([template("", "*/*"), replies("$default"), template("", "text/*")], [template("", "application/json")]),
    "M2": Case(
        [template("x" * 310_000), template("é" * 160_000), answers(answer(response_templates={"a/b": Template("x" * 310_000)}))],
        [template("x" * 307_200)],
    ),
    "M3": Case(
        [
            template("#if($a) x"),
            template("#foreach($a in $b) x #if($c) #end"),
            template("x #end"),
            template("#set($a = 'x"),
            template("#if($a x"),
            template("#else"),
            template("#{if}($a) x"),
            template("{\n $input.json("),
            template("#set($x = )"),
            template("${Name"),
            answers(answer(response_templates={"a/b": Template("#if(1)")})),
            of(request_templates={"application/json": Template("#set($x = '${Name}'", substituted=True)}),
        ],
        [
            template("#if($a) x #elseif ($b) #else y #end"),
            template("#{if}($a)x#{else}y#{end}z"),
            template('#set($a = ")") #foreach($i in [1..2])$i#if($foreach.hasNext),#end#end'),
            template("## #if($a)\n #* #if *# #[[ #if( ]]# \\#if"),
            template("# a #b ##\n#ifx"),
            template("#define($x)a#end #macro(m $a)b#end"),
            template('#set($q = "it\'s (fine")'),
            of(request_templates={"application/json": Template('{"r": "${AWS::Region}", "n": ${Count.Of}}', substituted=True)}),
        ],
    ),
    "M3-escape": Case(
        [
            template("""{"a": "$input.params('x')"}"""),
            template("""{"a": "\\"$input.body"}"""),
            template("""{"a": "$input.json('$.a')"}"""),
            template("""#set($r = $input.path('$')){"items": [#foreach($i in $r.items){"n": "$i.name"}#end]}"""),
            template("""#if($x){"a": "#else{"b": "#end$input.params().header.get('a')"} {"c": "$input.path('$.a')[0]"}"""),
            answers(answer(response_templates={"application/hal+json": Template("""{"a": "${input.params('a')}"}""")})),
        ],
        [
            template("""{"a": $input.json('$.a'), "b": $input.path('$.n')}"""),
            template("""{"a": "$util.escapeJavaScript($input.params('x'))", "s": "$context.stage"}"""),
            template("""#set($x = $util.urlEncode($input.params('x'))){"a": "$x", "n": "$input.path('$.a').size()"}"""),
            template("""#set($x = $input.params('x'))#set($x = 1){"a": "$x"}"""),
            of(request_templates={"text/plain": Template('"$input.body"')}),
            answers(answer(response_templates={"application/json": Template("""{"id": "$input.path('$.id')"}""")})),
            of(Mock(), request_templates={"application/json": Template("""{"statusCode": 200, "a": "$input.body"}""")}),
        ],
    ),
    "M3-util": Case(
        [
            template("$util.toJson($input.path('$'))"),
            template("$util.dynamodb.toDynamoDBJson(1)"),
            template('#set($x = "$util.escapeJavascript(1)")'),
            template("$utils.error('x') $ctx.args.id"),
            answers(answer(response_templates={"a/b": Template("$util.qr(1)")})),
        ],
        [
            template("$util.escapeJavaScript($x) $util.parseJson('{}').toJson $util ${util}"),
            template("#set($ctx = {})#set($utils = 1)$ctx.a $utils"),
            template("## $util.toJson(1)"),
        ],
    ),
    "M3-context": Case(
        [template("$context.RequestId"), template("#if($context.identity.sub)x#end"), template("$context.arguments.id")],
        [
            template(
                "$context.requestId.length() $context.identity.sourceIp $context.authorizer.claims.sub $context.error.message"
            ),
            template("#set($m = $context.identity)#set($context.requestOverride.header.x = 1)$context['x'] $context"),
            template("#set($context.responseOverride.custom = 1)$context.responseOverride.header.put('a', 'b')"),
        ],
    ),
    "M4": Case(
        [template("#foreach($i in [1..1001])#end"), template("#foreach($i in [5000..0])#end")],
        [template("#foreach($i in [1..1000])#end#foreach($i in [1..$n])#end#foreach($i in $input.path('$'))#end")],
    ),
    "M5": Case(
        [
            of(LAMBDA, passthrough_behavior="NEVER"),
            template("", backend=HTTP_PROXY),
            answers(OK, backend=LAMBDA),
        ],
        [of(passthrough_behavior="NEVER"), of(LAMBDA)],
    ),
    "M6": Case(
        [of(passthrough_behavior="NEVER"), of(Mock(), passthrough_behavior="NEVER")],
        [template("{}", passthrough_behavior="NEVER"), of(passthrough_behavior="WHEN_NO_TEMPLATES")],
    ),
    "M6-value": Case(
        [of(passthrough_behavior="never"), of(passthrough_behavior="SOMETIMES"), of(passthrough_behavior="")],
        [of(passthrough_behavior="WHEN_NO_MATCH"), of()],
    ),
    "M7": Case(
        [template("{}", content_handling="CONVERT_TO_BINARY")],
        [template("{}", content_handling="CONVERT_TO_TEXT"), of(content_handling="CONVERT_TO_BINARY")],
    ),
    "M7-binary": Case(
        [binary(template("{}"), "application/json"), binary(template("{}", backend=SQS), "*/*")],
        [
            binary(template("{}"), "image/png"),
            binary(template("{}", content_handling="CONVERT_TO_TEXT"), "*/*"),
            binary(of(HTTP), "*/*"),
            binary(of(Mock(), request_templates={"application/json": STATUS}), "*/*"),
        ],
    ),
    "M10": Case(
        [binary(of(Mock()), "*/*")],
        [binary(of(Mock()), "image/png"), binary(of(Mock(), content_handling="CONVERT_TO_TEXT"), "*/*"), binary(of(HTTP), "*/*")],
    ),
    "M7-value": Case(
        [of(content_handling="convert_to_text"), answers(answer(content_handling="TEXT")), of(content_handling="BINARY")],
        [of(content_handling="CONVERT_TO_TEXT"), answers(answer(content_handling="CONVERT_TO_BINARY"))],
    ),
    "M8": Case(
        [of(Mock()), template('{"statusCode": 200}', "text/plain", Mock())],
        [of(Mock(), request_templates={"application/json": STATUS}), of(HTTP)],
    ),
    "M8-status": Case(
        [
            template('{"statusCode": "200"}', backend=Mock()),
            template("{'statusCode': '200'}", backend=Mock()),
            template("{}", backend=Mock()),
            template('{"statusCode": "$status"}', backend=Mock()),
        ],
        [
            template('{"statusCode": 200}', backend=Mock()),
            template("{statusCode: 200}", backend=Mock()),
            template('#set($s = 404){"statusCode": $s}', backend=Mock()),
            template("$input.body", backend=Mock()),
            template("{}"),
        ],
    ),
    "M9": Case(
        [of(Mock(), request_templates={"application/json": STATUS}, route={"method": "POST"})],
        [
            of(Mock(), request_templates={"application/json": STATUS}, route={"method": "OPTIONS"}),
            of(Mock(), request_templates={"application/json": STATUS}, passthrough_behavior="NEVER", route={"method": "POST"}),
        ],
    ),
    "M11": Case(
        [template("#set($context.requestOverride.header.a = 1)#set( $context.requestOverride.header.a = 2)")],
        [
            template("#set($context.requestOverride.header.a = 1)#set($context.requestOverride.header.b = 2)"),
            template("#if($a)#set($context.responseOverride.status = 1)#else#set($context.responseOverride.status = 2)#end"),
        ],
    ),
    "I1": Case(
        [
            answers(answer("99")),
            answers(answer("600")),
            answers(answer("wrong")),
            route(responses=(MethodResponse(status_code=""),)),
        ],
        [answers(answer("599")), route(responses=(MethodResponse(status_code="100"),)), answers(answer("${Status}"))],
    ),
    "I2": Case(
        [answers(answer(pattern="5.*")), of(), of(Mock())], [answers(OK), answers(answer(pattern="")), of(HTTP_PROXY), of(LAMBDA)]
    ),
    "I3": Case([answers(OK, answer("400")), answers(OK, answer("400", ""))], [answers(OK), answers(OK, answer("400", "4.*"))]),
    "I4": Case([answers(OK, answer("200", "4.*"))], [answers(OK, answer("400", "4.*"))]),
    "I4-declared": Case(
        [route(responses=(MethodResponse(), MethodResponse()))],
        [route(responses=(MethodResponse(), MethodResponse(status_code="404")))],
    ),
    "I5": Case(
        [answers(OK, suppressed=("200",))], [answers(OK), answers(OK, suppressed=("200",), responses=(MethodResponse(),))]
    ),
    "I5-mapped": Case([sends(OUT, suppressed=("200",))], [sends(OUT), answers(OK, suppressed=("200",))]),
    "I6": Case(
        [sends(OUT, suppressed=(f"200 {OUT}",)), sends("method.response.body"), sends("X"), sends("method.response.header.a b")],
        [sends(OUT), sends(OUT, suppressed=(f"200 {OUT}",), responses=(MethodResponse(response_parameters={OUT: True}),))],
    ),
    "I6-declared": Case(
        [route(responses=(MethodResponse(response_parameters={"X": True}),))],
        [route(responses=(MethodResponse(response_parameters={OUT: True}),))],
    ),
    "I7": Case(
        [sends(OUT, "*"), sends(OUT, '"*"'), sends(OUT, "method.request.header.A"), sends(OUT, "a'b")],
        [
            sends(OUT, "'*'"),
            sends(OUT, "${Origin}"),
            sends(OUT, "integration.response.header.A"),
            sends(OUT, "integration.response.multivalueheader.A"),
            sends(OUT, "integration.response.body.a[0]"),
            sends(OUT, "context.requestId"),
        ],
    ),
    "I7-source": Case(
        [sends(OUT, "integration.response.cookie.a"), sends(OUT, ""), sends(OUT, "integration.response.querystring.a")],
        [sends(OUT, "integration.response.body"), sends(OUT, "*")],
    ),
    "I8": Case(
        [pattern("*"), pattern("(4.."), pattern("(?P<a>4..)"), pattern("[4"), pattern("4{2,1}"), pattern("\\")],
        [pattern(r"4\d{2}"), pattern("(?<a>4)..++"), pattern(r"\p{Alpha}+|4.."), pattern(r"\Q[4\E|4.."), pattern("")],
    ),
    "I9": Case(
        [pattern("Not found", LAMBDA_MAPPED), pattern("Bad-Request", LAMBDA_MAPPED)],
        [
            pattern(".*Not found.*", LAMBDA_MAPPED),
            pattern("(\n|.)*Not found(\n|.)*", LAMBDA_MAPPED),
            pattern("404", LAMBDA_MAPPED),
            pattern("Not found"),
            pattern("Not found", LAMBDA),
        ],
    ),
    "I10": Case(
        [
            pattern("404", LAMBDA_MAPPED),
            pattern(r"4\d{2}", LAMBDA_MAPPED),
            pattern(".*Error.*"),
            pattern("4"),
            pattern(r"6\d\d", SQS),
        ],
        [
            pattern("404"),
            pattern(r"4\d{2}", SQS),
            pattern(".*Error.*", LAMBDA_MAPPED),
            pattern(".*", LAMBDA_MAPPED),
            pattern(r".*\[404\].*", LAMBDA_MAPPED),
            pattern("(", LAMBDA_MAPPED),
            pattern("(a+)+$|4.."),
            pattern(".*Error.*", HTTP_PROXY),
            pattern(".*Error.*", Raw(type="AWS", http_method="POST", raw_uri="${Uri}")),
        ],
    ),
    "I11": Case(
        [pattern("4..", HTTP, "40[0-4]"), pattern("x", LAMBDA_MAPPED, "x"), pattern("4..", HTTP, "5..", "503")],
        [pattern("4..", HTTP, "5.."), pattern(".*a.*", LAMBDA_MAPPED, ".*b.*"), pattern("404", HTTP, "4[1-9]\\d|40[0-35-9]")],
    ),
    "I11-default": Case(
        [pattern(".*"), pattern(r"\d{3}", SQS)],
        [pattern("4.."), answers(answer("200", ".*")), pattern("(\n|.)+", LAMBDA_MAPPED)],
    ),
    "I12": Case([replies("text/xml", "text/html")], [replies("text/xml", "application/json"), replies("text/xml"), replies()]),
    "I13": Case(
        [replies("text/html"), replies("application/xml")],
        [
            replies("application/json"),
            replies("text/html", response_parameters={"method.response.header.content-type": "'text/html'"}),
            replies(),
        ],
    ),
    "I14": Case(
        [
            sends("method.response.header.Server"),
            sends("method.response.header.www-authenticate"),
            sends("method.response.header.Upgrade"),
        ],
        [sends("method.response.header.X-Server"), sends("method.response.header.Content-Type")],
    ),
    "I14-request": Case(
        [header("Content-MD5", SQS), header("upgrade", QUERY)],
        [header("X", SQS), header("Content-MD5", Mock()), header("Content-MD5"), header("upgrade", HTTP_PROXY)],
    ),
    "X1": Case(
        [of(timeout_ms=49), of(timeout_ms=0), of(timeout_ms=-1), of(timeout_ms=300_001), streamed(timeout_ms=49)],
        [
            of(timeout_ms=50),
            of(timeout_ms=29_001),
            of(timeout_ms=Reference("T")),
            streamed(timeout_ms=300_001),
            of(Mock(), timeout_ms=1),
        ],
    ),
    "X1-quota": Case(
        [of(timeout_ms=29_001), of(timeout_ms=300_000)],
        [of(timeout_ms=29_000), streamed(timeout_ms=60_000), of(timeout_ms=300_001)],
    ),
    "X2": Case([streamed(timeout_ms=900_001)], [streamed(timeout_ms=900_000), of(timeout_ms=900_001)]),
    "X3": Case([streamed(), streamed(HTTP_PROXY)], [streamed(timeout_ms=29_000), of(LAMBDA), streamed(HTTP)]),
    "S1": Case([streamed(HTTP), streamed(SQS), streamed(Mock())], [streamed(), streamed(HTTP_PROXY), of()]),
    "S1-value": Case(
        [of(LAMBDA, response_transfer_mode="stream"), of(response_transfer_mode="")],
        [streamed(), of(response_transfer_mode="BUFFERED")],
    ),
    "S2": Case(
        [raw("AWS_PROXY", INVOKE, response_transfer_mode="STREAM")],
        [streamed(), raw("AWS_PROXY", STREAM_INVOKE, response_transfer_mode="STREAM"), raw("AWS_PROXY", INVOKE)],
    ),
    "S2-buffered": Case(
        [raw("AWS_PROXY", STREAM_INVOKE), raw("AWS_PROXY", STREAM_INVOKE, response_transfer_mode="BUFFERED")],
        [raw("AWS_PROXY", STREAM_INVOKE, response_transfer_mode="STREAM"), raw("AWS_PROXY", INVOKE)],
    ),
    "V1": Case(
        [of(connection_type="VPC_LINK"), of(connection_type="VPC_LINK", vpc_link="")],
        [of(connection_type="VPC_LINK", vpc_link="${stageVariables.link}"), of(connection_type="INTERNET"), of()],
    ),
    "V1-value": Case(
        [of(connection_type="vpc_link"), of(connection_type="internet"), of(connection_type="VPN")],
        [of(connection_type="INTERNET"), of(**VPC), of()],
    ),
    "V2": Case([of(SQS, **VPC), of(LAMBDA, **VPC), of(Mock(), **VPC)], [of(**VPC), of(HTTP_PROXY, **VPC), of(SQS)]),
    "V2-unused": Case(
        [of(vpc_link="a"), of(vpc_link="a", connection_type="INTERNET"), of(SQS, vpc_link="a")], [of(**VPC), of(SQS, **VPC), of()]
    ),
    "V4": Case(
        [
            of(integration_target=BALANCER.replace("loadbalancer/", "listener/"), **VPC),
            of(integration_target="books", **VPC),
        ],
        [of(integration_target=BALANCER, **VPC), of(integration_target="${Balancer}", **VPC)],
    ),
    "V4-link": Case([of(integration_target=BALANCER)], [of(integration_target=BALANCER, **VPC)]),
    "V5": Case(
        [of(integration_target=BALANCER, **VPC)],
        [of(**VPC), template("#set($context.requestOverride.path.a = 1)", integration_target=BALANCER, **VPC)],
    ),
    "K1": Case(
        [of(SQS, credentials_role="my-role"), of(SQS, credentials_role="role/x")],
        [of(SQS, credentials_role="${Role.Arn}"), of(SQS, credentials_role=ROLE), of(SQS, credentials_role="")],
    ),
    "K1-form": Case(
        [
            of(SQS, credentials_role=FUNCTION),
            of(SQS, credentials_role="arn:aws:iam::12:role/x"),
            of(SQS, credentials_role="arn:"),
        ],
        [
            of(SQS, credentials_role=ROLE),
            of(SQS, credentials_role="arn:aws:iam::*:user/*"),
            of(SQS, credentials_role="arn:aws:iam::111122223333:role/service-role/a+b=c,d.e@f-g"),
            of(SQS, credentials_role="arn:aws:iam::111122223333:${stageVariables.role}"),
        ],
    ),
    "K4": Case(
        [of(SQS), raw("AWS", "arn:aws:apigateway:eu-west-1:s3:path/b/k")],
        [
            of(SQS, credentials_role=ROLE),
            of(SQS, credentials_passthrough=True),
            of(LAMBDA_MAPPED),
            raw("AWS", INVOKE),
            raw("AWS", "${Uri}"),
        ],
    ),
    "K5": Case(
        [of(Lambda(function="orders-${stageVariables.env}"))],
        [
            of(Lambda(function="orders-${stageVariables.env}", permission_functions=("orders-dev",))),
            of(Lambda(function="orders-${stageVariables.env}"), credentials_role=ROLE),
            of(LAMBDA),
        ],
    ),
    "K5-test": Case(
        [of(Lambda(function="f", scope_permission_to_method=False, allow_test_invoke=False))],
        [of(Lambda(function="f", allow_test_invoke=False)), of(Lambda(function="f", scope_permission_to_method=False))],
    ),
    "K6": Case(
        [of(credentials_role=ROLE), of(Mock(), credentials_passthrough=True), of(HTTP_PROXY, credentials_role=ROLE)],
        [of(SQS, credentials_role=ROLE), of(LAMBDA, credentials_passthrough=True), of()],
    ),
    "K7": Case(
        [of(SQS, credentials_passthrough=True), of(SQS, credentials_role="arn:aws:iam::*:user/*")],
        [
            of(SQS, credentials_passthrough=True, route={"authorization_type": "AWS_IAM"}),
            of(SQS, credentials_role=ROLE),
            of(HTTP, credentials_passthrough=True),
        ],
    ),
    "L1": Case(
        [of(SQS, insecure_skip_verification=True), url("http://a.example", insecure_skip_verification=True)],
        [
            of(insecure_skip_verification=True),
            of(SQS, insecure_skip_verification=False),
            url("${Url}", insecure_skip_verification=True),
        ],
    ),
    "Z1": Case(
        [
            route(path="/a{b}"),
            route(path="/a b"),
            route(path="/{a b}"),
            route(path="/{}"),
            route(path="/é"),
            route(path="/{a+}b"),
        ],
        [route(path="/{b}/a.b-c:d_e"), route(path="/"), route(path="/a,b"), route(path="/{proxy+}")],
    ),
    "Z1-undecided": Case([route(path="/a,b"), route(path="/$a")], [route(path="/a/{b}"), route(path="/")]),
    "Z1-slashes": Case(
        [route(path="books"), route(path="/a//b"), route(path="/a/"), route(path="")], [route(path="/"), route(path="/a/{b}")]
    ),
    "Z2": Case([route(path="/{proxy+}/a"), route(path="/a/{b+}/{c}")], [route(path="/a/{proxy+}"), route(path="/{a}/b")]),
    "Z2-name": Case([route(path="/{id}/a/{id}")], [route(path="/{id}/a/{ID}"), route(path="/a/a")]),
    "Z2-sibling": Case(
        [paths("/{id}", "/{name}"), paths("/a/{id}/x", "/a/{name}/y"), paths("/a/{proxy+}", "/a/{b}")],
        [
            paths("/{id}", "/{id}/a"),
            paths("/a/{id}", "/b/{name}"),
            paths("/{proxy+}", "/parent/{proxy+}", "/parent/child/{proxy+}"),
        ],
    ),
    "Z2-twice": Case(
        [paths("/a", "/a"), paths("/a", "/a/")],
        [paths("/a", "/b"), Api(routes=(*route(method="GET").routes, *route(method="POST").routes))],
    ),
    "Z3": Case(
        [dataclasses.replace(route(), stage_name=name) for name in ("my stage", "", "é", "a" * 129)],
        [dataclasses.replace(route(), stage_name=name) for name in ("prod", "a-b", "a_1")],
    ),
    "Z3-hyphen": Case(
        [dataclasses.replace(route(), stage_name="a-b")],
        [dataclasses.replace(route(), stage_name=name) for name in ("a_b", "- x")],
    ),
    "Z7": Case(
        [dataclasses.replace(route(), models=(Model(name="My-Model"),)), dataclasses.replace(route(), models=(Model(name=""),))],
        [dataclasses.replace(route(), models=(Model(name="MyModel2"),))],
    ),
    "R1": Case([declaring("A", "A")], [declaring("A", "B"), declaring()]),
    "R2": Case(
        [declaring(name) for name in ("", "a b", "1a", "AWS::Region", "stageVariables.x", "a-b", "\u00e9")],
        [declaring("A"), declaring("Orders.Arn"), declaring("a_1")],
    ),
    "R3": Case(
        [url("https://${AWS::Domain}/"), url("https://a.example/${AWS::NoValue}"), variables(a="${AWS::regions}")],
        [
            url("https://${AWS::AccountId}.${AWS::Region}.${AWS::URLSuffix}/${AWS::StackName}"),
            url("https://a.example/${!AWS::Domain}"),
            template("${AWS::Domain}"),
        ],
    ),
    "R4": Case(
        [declaring("A"), dataclasses.replace(url("https://${B}/"), parameters=(DeploymentParameter(name="A"),))],
        [
            dataclasses.replace(url("https://${A}/"), parameters=(DeploymentParameter(name="A"),)),
            dataclasses.replace(variables(a="${A}"), parameters=(DeploymentParameter(name="A"),)),
            declaring(),
        ],
    ),
    "SEC1": Case(
        [
            mapped(f"'{KEY}'"),
            template(f"key: {KEY}"),
            template("-----BEGIN RSA PRIVATE KEY-----\nMII"),
            mapped(f"'AWS4-HMAC-SHA256 Credential={KEY}/20261124'", "integration.request.header.Authorization"),
            variables(key=KEY),
            mapped("'Bearer 0123456789abcdef0123456789'", "integration.request.header.Authorization"),
            mapped("'Basic dXNlcjpwYXNzd29yZDEyMzQ1'"),
            template(f'{{"token": "{JWT}"}}'),
            url("https://user:hunter2@books.example.com/"),
            mapped("'ghp_" + "a1B2" * 9 + "'"),
        ],
        [
            mapped("'AKIA'"),
            mapped(f"'x{KEY}'"),
            template("A PRIVATE KEY----- is not typed here"),
            mapped("'${Key}'"),
            mapped("'Bearer ${Token}'"),
            template("Bearer $input.params('Authorization')"),
            url("https://books.example.com/@user:x"),
            mapped("'basic authentication is described elsewhere'"),
            url("https://${User}:${Password}@books.example.com/"),
        ],
    ),
    "Z8-body": Case(
        [route(validate_request_body=True)],
        [
            route(validate_request_body=True, request_models={"application/json": "Order"}),
            route(validate_request_body=Reference("V")),
        ],
    ),
    "Z8-parameters": Case(
        [
            route(validate_request_parameters=True),
            route(validate_request_parameters=True, declared={"method.request.header.a": False}),
        ],
        [route(validate_request_parameters=True, path="/{id}"), route(validate_request_parameters=False)],
    ),
}


READERS = Authorizer(name="readers", function=FUNCTION, identity_sources=("method.request.header.Authorization",))
POOL = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_abc123"
STAFF = Authorizer(
    name="staff",
    type="COGNITO_USER_POOLS",
    provider_arns=(POOL,),
    identity_sources=("method.request.header.Authorization",),
)
ALLOW = "method.response.header.Access-Control-Allow-Origin"
ALLOWED = answer(response_parameters={ALLOW: "'*'"})
ON_ERRORS = tuple(
    GatewayResponse(response_type=kind, response_parameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"})
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX")
)
EVERY = Cors(allow_origins=("*",))


def whole(*routes: Route, **settings: Any) -> Api:
    """An API with these settings, over one GET of an HTTP proxy where no route is given."""
    return Api(routes=routes or (at("/books"),), **settings)


def at(path: str, method: str = "GET", backend: Backend = HTTP_PROXY, /, *answers: IntegrationResponse, **options: Any) -> Route:
    integration = Integration(backend=backend, integration_responses=answers)
    return Route(method=method, path=path, integration=integration, **options)


def runs(**options: Any) -> Api:
    return whole(method_settings=(MethodSettings(**options),))


def decides(**options: Any) -> Api:
    return whole(authorizers=(dataclasses.replace(READERS, **options),))


def many(count: int, **options: Any) -> Api:
    backend = Lambda(function="orders", **options)
    return whole(*(at(f"/a{number}", "GET", backend) for number in range(count)))


WHOLE: dict[str, Case] = {
    "B1": Case(
        [
            whole(endpoint_type="GLOBAL"),
            whole(api_key_source="header"),
            whole(cache_cluster_size="2"),
            runs(logging_level="DEBUG"),
            decides(type="token"),
            whole(gateway_responses=(GatewayResponse(response_type="DEFAULT_3XX"),)),
        ],
        [whole(endpoint_type="REGIONAL"), whole(endpoint_type="${Kind}"), runs(logging_level="INFO"), decides(type="JWT")],
    ),
    "B2": Case(
        [
            whole(minimum_compression_size=-1),
            whole(minimum_compression_size=10_485_761),
            runs(throttling_rate_limit=-0.5),
            decides(result_ttl_seconds=3_601),
            whole(cors=(dataclasses.replace(EVERY, max_age_seconds=-2),)),
        ],
        [whole(minimum_compression_size=0), runs(throttling_rate_limit=0.5), decides(result_ttl_seconds=Reference("T"))],
    ),
    "C2-time": Case([runs(cache_ttl_seconds=3_601), runs(cache_ttl_seconds=-1)], [runs(cache_ttl_seconds=3_600)]),
    "C2-cluster": Case(
        [runs(caching_enabled=True)],
        [
            whole(cache_cluster_enabled=True, method_settings=(MethodSettings(caching_enabled=True),)),
            runs(caching_enabled=False),
            whole(cache_cluster_enabled=Reference("C"), method_settings=(MethodSettings(caching_enabled=True),)),
        ],
    ),
    "B3": Case(
        [whole(endpoint_type="PRIVATE", ip_address_type="ipv4")],
        [whole(endpoint_type="PRIVATE", ip_address_type="dualstack"), whole(endpoint_type="REGIONAL", ip_address_type="ipv4")],
    ),
    "B3-endpoints": Case(
        [whole(vpc_endpoint_ids=("vpce-1",)), whole(endpoint_type="REGIONAL", vpc_endpoint_ids=("vpce-1",))],
        [
            whole(endpoint_type="PRIVATE", vpc_endpoint_ids=("vpce-1",)),
            whole(endpoint_type="${Kind}", vpc_endpoint_ids=("vpce-1",)),
        ],
    ),
    "B3-policy": Case([whole(endpoint_type="PRIVATE")], [whole(endpoint_type="PRIVATE", policy="{}"), whole()]),
    "T7": Case(
        [
            whole(at("/", request_models={"application/json": "Order"})),
            whole(at("/", responses=(MethodResponse(response_models={"application/json": "Order"}),))),
        ],
        [
            whole(at("/", request_models={"application/json": "Order"}), models=(Model(name="Order"),)),
            whole(at("/", request_models={"application/json": "Empty", "text/plain": "${Model}"})),
        ],
    ),
    "T5-declared": Case(
        [whole(at("/", authorization_type="CUSTOM", authorizer="reader"), authorizers=(READERS,))],
        [
            whole(at("/", authorization_type="CUSTOM", authorizer="readers"), authorizers=(READERS,)),
            whole(at("/", authorization_type="CUSTOM", authorizer="${Other}"), authorizers=(READERS,)),
            whole(at("/", authorization_type="CUSTOM", authorizer="abc123")),
        ],
    ),
    "T5-kind": Case(
        [
            whole(at("/", authorization_type="COGNITO_USER_POOLS", authorizer="readers"), authorizers=(READERS,)),
            whole(at("/", authorization_type="CUSTOM", authorizer="staff"), authorizers=(STAFF,)),
            whole(at("/", authorizer="readers"), authorizers=(READERS,)),
        ],
        [
            whole(at("/", authorization_type="CUSTOM", authorizer="readers"), authorizers=(READERS,)),
            whole(at("/", authorization_type="COGNITO_USER_POOLS", authorizer="staff"), authorizers=(STAFF,)),
        ],
    ),
    "T5-once": Case(
        [
            whole(authorizers=(READERS, READERS)),
            whole(cors=(EVERY, EVERY)),
            whole(models=(Model(name="A"), Model(name="A"))),
            whole(method_settings=(MethodSettings(), MethodSettings())),
        ],
        [whole(authorizers=(READERS, STAFF), method_settings=(MethodSettings(), MethodSettings(path="/books", method="GET")))],
    ),
    "T5-complete": Case(
        [
            decides(function=None),
            whole(authorizers=(dataclasses.replace(STAFF, provider_arns=()),)),
            decides(identity_sources=()),
            decides(type="REQUEST", identity_sources=()),
        ],
        [decides(), whole(authorizers=(STAFF,)), decides(type="REQUEST", identity_sources=(), result_ttl_seconds=0)],
    ),
    "T5-uri": Case([decides(uri=INVOKE)], [decides(), decides(function=None, uri=INVOKE)]),
    "I15-large": Case([whole(gateway_responses=(GatewayResponse(response_type="REQUEST_TOO_LARGE"),))], [whole()]),
    "I15-status": Case(
        [whole(gateway_responses=(GatewayResponse(status_code="99"),))],
        [whole(gateway_responses=(GatewayResponse(status_code="${S}"), GatewayResponse(response_type="THROTTLED")))],
    ),
    "I15-source": Case(
        [whole(gateway_responses=(GatewayResponse(response_parameters={"gatewayresponse.header.A": "*"}),))],
        [
            whole(gateway_responses=ON_ERRORS),
            whole(gateway_responses=(GatewayResponse(response_parameters={"gatewayresponse.header.A": "context.requestId"}),)),
        ],
    ),
    "Z4": Case(
        [runs(path="books"), runs(path="/books/{id}"), runs(path="/books", method="POST")],
        [runs(), runs(path="/books", method="GET"), runs(path="/*", method="GET"), runs(path="/${Path}")],
    ),
    "Z5": Case([runs(logging_level="INFO")], [runs(logging_level="OFF"), runs()]),
    "Z6": Case(
        [whole(access_log_format="$context.status")],
        [whole(access_log_format="$context.requestId"), whole(access_log_format='{"id":"$context.extendedRequestId"}')],
    ),
    "Z6-destination": Case(
        [
            whole(access_log_destination="arn:aws:firehose:eu-west-1:111122223333:deliverystream/books"),
            whole(access_log_destination="arn:aws:s3:::books"),
        ],
        [
            whole(access_log_destination="arn:aws:firehose:eu-west-1:111122223333:deliverystream/amazon-apigateway-books"),
            whole(access_log_destination="arn:aws:logs:eu-west-1:111122223333:log-group:books"),
            whole(access_log_destination="${Logs.Arn}"),
        ],
    ),
    "Z6-both": Case(
        [whole(access_log_destination="${Logs.Arn}"), whole(access_log_format="$context.requestId")],
        [whole(access_log_destination="${Logs.Arn}", access_log_format="$context.requestId")],
    ),
    "I13-cors": Case(
        [
            whole(at("/a", "GET", HTTP, OK), at("/a", "OPTIONS", Mock(), ALLOWED)),
            whole(at("/a", "GET", HTTP, OK), cors=(EVERY,)),
        ],
        [
            whole(at("/a", "GET", HTTP, ALLOWED), cors=(EVERY,)),
            whole(at("/a", "GET", HTTP_PROXY, OK), cors=(EVERY,)),
            whole(at("/a", "GET", HTTP, OK), at("/b", "OPTIONS", Mock(), ALLOWED)),
        ],
    ),
    "I15": Case(
        [
            whole(at("/a"), at("/a", "OPTIONS", Mock(), ALLOWED)),
            whole(at("/a"), at("/b"), cors=(dataclasses.replace(EVERY, gateway_responses=False),)),
        ],
        [
            whole(at("/a"), at("/a", "OPTIONS", Mock(), ALLOWED), gateway_responses=ON_ERRORS),
            whole(at("/a"), at("/b"), cors=(EVERY,)),
            whole(at("/a"), at("/b")),
        ],
    ),
    "I13-method": Case(
        [
            whole(at("/a", "POST"), cors=(dataclasses.replace(EVERY, allow_methods=("GET",)),)),
            whole(cors=(dataclasses.replace(EVERY, allow_methods=("get",)),)),
        ],
        [
            whole(at("/a", "POST"), cors=(EVERY,)),
            whole(at("/a", "POST"), cors=(dataclasses.replace(EVERY, path="/b", allow_methods=("GET",)),)),
        ],
    ),
    "I13-credentials": Case(
        [whole(cors=(dataclasses.replace(EVERY, allow_credentials=True),))],
        [whole(cors=(Cors(allow_origins=("https://a.example",), allow_credentials=True),))],
    ),
    "I13-origin": Case(
        [whole(cors=(Cors(allow_origins=(text,)),)) for text in ("a.example", "https://a.example/", "https://*.example", "")]
        + [whole(cors=(Cors(allow_origins=("*", "https://a.example")),))],
        [whole(cors=(Cors(allow_origins=("https://a.example:8443", "${Site}")),)), whole(cors=(EVERY,))],
    ),
    "Q1": Case(
        [many(40), many(60, allow_test_invoke=False)],
        [
            many(10),
            many(60, scope_permission_to_method=False),
            whole(*(at(f"/a{n}", "GET", Lambda(function=f"f{n}")) for n in range(60))),
        ],
    ),
    "Z9": Case(
        [
            whole(*(at(f"/a{number}") for number in range(300))),
            whole(authorizers=tuple(dataclasses.replace(READERS, name=f"r{number}") for number in range(11))),
            whole(policy=" " * 8_193),
        ],
        [whole(*(at(f"/a{number}") for number in range(299))), whole(authorizers=(READERS,), policy="{}")],
    ),
}
CASES |= WHOLE
