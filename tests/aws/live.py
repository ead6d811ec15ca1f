"""Definitions that are deployed to LocalStack and called, and what is compared with their Trace."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrations.gateway.definition import (
    Api,
    AwsService,
    Backend,
    Http,
    Integration,
    IntegrationResponse,
    Mock,
    Model,
    Route,
    Template,
)
from integrations.gateway.simulator import Answer, Request

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gateway"
OK = IntegrationResponse(status_code="200")
JSON = {"Content-Type": ("application/json",)}
BOOK = Request(
    method="POST", path="/books/b-1", headers=JSON, body=b'{"title": "D\xc3\xbcne", "tags": ["a", "b"], "n": {"m": 1.5}}'
)
ANSWERED = Answer(
    headers={"Content-Type": ("application/json",), "X-Backend": ("yes",)}, body=b'{"id": 7, "list": [1, {"a": null}]}'
)
ALL = '{"body": $input.json("$"), "id": "$input.params("id")", "q": "$input.params("q")", "stage": "$context.stage"}'
RENDERED = (
    '{"status": "$context.responseOverride.status", "id": $input.json("$.id"), "raw": "$util.escapeJavaScript($input.body)"}'
)


@dataclass(frozen=True)
class Case:
    """One definition, one call, and what the backend answers where that is the tests' own."""

    api: Api
    request: Request = BOOK
    answer: Answer = ANSWERED

    @property
    def kind(self) -> str:
        """The type of its integration, and the service behind it."""
        integration = self.api.routes[0].integration
        service = getattr(integration.backend, "service", "")
        return f"{integration.type} {service}".strip()


def case(
    backend: Backend, request: Request = BOOK, answer: Answer = ANSWERED, route: Mapping[str, Any] | None = None, **said: Any
) -> Case:
    """A case of POST /books/{id}. `said`: fields of the integration or of the API."""
    of_api = {
        name: said.pop(name)
        for name in list(said)
        if name in ("models", "stage_variables", "binary_media_types", "gateway_responses")
    }
    said = {"integration_responses": (OK,), **said}
    texts = said.get("request_templates")
    if texts:
        said["request_templates"] = {key: Template(text) for key, text in texts.items()}
    made = Route(**{"method": "POST", "path": "/books/{id}", **(route or {})}, integration=Integration(backend=backend, **said))
    return Case(Api(name="live", stage_name="live", routes=(made,), **of_api), request, answer)


def response(
    status: str = "200", pattern: str | None = None, templates: Mapping[str, str] | None = None, **said: Any
) -> IntegrationResponse:
    """An integration response."""
    texts = {key: Template(text) for key, text in (templates or {}).items()}
    return IntegrationResponse(status_code=status, selection_pattern=pattern, response_templates=texts, **said)


def header(name: str, value: str) -> dict[str, str]:
    """The mapping of one response header."""
    return {f"method.response.header.{name}": value}


def to(**targets: str) -> dict[str, str]:
    """Request parameters: header_X, querystring_X, path_X → expression."""
    return {f"integration.request.{name.replace('_', '.', 1).replace('__', '-')}": value for name, value in targets.items()}


def asked(**said: Any) -> Request:
    """The usual request, with other fields."""
    return replace(BOOK, **said)


# --- MOCK ------------------------------------------------------------------------------------------

FINE = {"application/json": '{"statusCode": 200}'}
ORDER = Model(name="Order", schema='{"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}')

MOCKS = {
    "answers": case(Mock(), request_templates=FINE),
    "has-a-body": case(Mock(), request_templates=FINE, integration_responses=(response(templates={"application/json": ALL}),)),
    "reads-loose-json": case(Mock(), request_templates={"application/json": "{statusCode: 200}"}),
    "gives-a-text": case(Mock(), request_templates={"application/json": '{"statusCode": "200"}'}),
    "gives-nothing": case(Mock(), request_templates={"application/json": "{}"}),
    "has-no-template": case(Mock()),
    "chooses-by-status": case(
        Mock(),
        request_templates={
            "application/json": '#if($input.params("id") == "b-1"){"statusCode": 404}#else{"statusCode": 200}#end'
        },
        integration_responses=(OK, response("404", "4..", {"application/json": "none"})),
    ),
    "has-no-default": case(Mock(), request_templates=FINE, integration_responses=(response("404", "404"),)),
    "maps-headers": case(
        Mock(),
        request_templates=FINE,
        stage_variables={"v": "one"},
        integration_responses=(
            response(
                response_parameters={
                    **header("X-Static", "'a b'"),
                    **header("X-Stage", "context.stage"),
                    **header("X-Variable", "stageVariables.v"),
                    **header("X-None", "stageVariables.none"),
                }
            ),
        ),
    ),
    "sets-the-status": case(
        Mock(),
        request_templates={
            "application/json": "#set($context.responseOverride.status = 418)#set($context.responseOverride.header.X = 'y')"
            '{"statusCode": 200}'
        },
        integration_responses=(response(templates={"application/json": RENDERED}),),
    ),
    "refuses-a-media-type": case(
        Mock(), asked(headers={"Content-Type": ("text/plain",)}), request_templates=FINE, passthrough_behavior="NEVER"
    ),
    "refuses-when-there-are-templates": case(
        Mock(), asked(headers={"Content-Type": ("text/plain",)}), request_templates=FINE, passthrough_behavior="WHEN_NO_TEMPLATES"
    ),
    "validates-a-body": case(
        Mock(),
        asked(body=b'{"name": 1}'),
        route={"validate_request_body": True, "request_models": {"application/json": "Order"}},
        models=(ORDER,),
        request_templates=FINE,
    ),
    "takes-a-valid-body": case(
        Mock(),
        route={"validate_request_body": True, "request_models": {"application/json": "Order"}},
        models=(ORDER,),
        request_templates=FINE,
    ),
    "asks-for-parameters": case(
        Mock(),
        route={
            "validate_request_parameters": True,
            "declared": {"method.request.header.X-Needed": True, "method.request.querystring.q": True},
        },
        request_templates=FINE,
    ),
    "loops": case(
        Mock(),
        request_templates=FINE,
        integration_responses=(
            response(templates={"application/json": '[#foreach($i in [1..3])"$i"#if($foreach.hasNext), #end#end]'}),
        ),
    ),
    "answers-by-accept": case(
        Mock(),
        asked(headers={**JSON, "Accept": ("text/html",)}),
        request_templates=FINE,
        integration_responses=(
            response(
                templates={"application/json": "{}", "text/html": "<p>$input.params('id')</p>"},
                response_parameters=header("Content-Type", "'text/html'"),
            ),
        ),
    ),
}


# --- HTTP ------------------------------------------------------------------------------------------


def http(name: str, path: str = "", method: str = "POST", *, proxy: bool = False) -> Http:
    """The recording backend, by the name of its case; its address is put in before it is deployed."""
    return Http(url=f"http://BACKEND/{name}{path}", proxy=proxy, http_method=method)


TEXT = Answer(headers={"Content-Type": ("text/plain",)}, body="dünn".encode())
PNG = Answer(headers={"Content-Type": ("image/png",)}, body=b"\x89PNG\r\n\x00\xff")

HTTPS: dict[str, Case] = {
    "passes-the-body": case(http("passes-the-body")),
    "maps-a-body": case(http("maps-a-body"), asked(query={"q": ("1", "2")}), request_templates={"application/json": ALL}),
    "maps-parameters": case(
        http("maps-parameters", "/{book}"),
        asked(query={"q": ("a b", "c&d")}, headers={**JSON, "X-In": ("one",)}),
        stage_variables={"v": "variable"},
        request_parameters=to(
            path_book="method.request.path.id",
            header_X__Out="method.request.header.X-In",
            header_X__Static="'static'",
            header_X__Variable="stageVariables.v",
            header_X__Stage="context.stage",
            header_X__Title="method.request.body.title",
            header_X__None="method.request.header.X-None",
            querystring_last="method.request.querystring.q",
            querystring_all="method.request.multivaluequerystring.q",
        ),
    ),
    "maps-a-number": case(http("maps-a-number"), request_parameters=to(querystring_m="method.request.body.n.m")),
    "maps-what-is-no-json": case(
        http("maps-what-is-no-json"), asked(body=b"{no"), request_parameters=to(header_X="method.request.body.a")
    ),
    "sets-headers": case(
        http("sets-headers"),
        request_templates={
            "application/json": "#set($context.requestOverride.header.X-Set = 'set')"
            "#set($context.requestOverride.querystring.s = 't')"
            '{"n": 1}'
        },
        request_parameters=to(header_X__Set="'mapped'"),
    ),
    "uses-stage-variables": case(http("uses-stage-variables", "/${stageVariables.v}/x"), stage_variables={"v": "v1"}),
    "gets": case(http("gets", method="GET"), asked(method="GET", headers={}, body=b""), route={"method": "GET"}),
    "repeats-the-verb": case(http("repeats-the-verb", method="ANY"), asked(method="PUT"), route={"method": "ANY"}),
    "has-a-form": case(
        http("has-a-form"),
        asked(headers={"Content-Type": ("application/x-www-form-urlencoded",)}, body=b"a=1&b=%20"),
        request_templates={"application/x-www-form-urlencoded": '{"form": "$util.urlDecode($input.body)"}'},
    ),
    "refuses-xml": case(
        http("refuses-xml"),
        asked(headers={"Content-Type": ("application/xml",)}, body=b"<a/>"),
        request_templates={"application/json": ALL},
        passthrough_behavior="NEVER",
    ),
    "passes-xml": case(
        http("passes-xml"),
        asked(headers={"Content-Type": ("application/xml",)}, body=b"<a/>"),
        request_templates={"application/json": ALL},
    ),
    "forbids-a-header": case(http("forbids-a-header"), request_parameters=to(header_Transfer__Encoding="'chunked'")),
    "drops-a-header": case(http("drops-a-header"), request_parameters=to(header_Expect="'x'", header_X="'y'")),
    "chooses-by-status": case(
        http("chooses-by-status"),
        answer=replace(ANSWERED, status=404),
        integration_responses=(
            OK,
            response("400", r"4\d{2}", {"application/json": '{"was": $input.json("$.id")}'}),
            response("502", r"5\d{2}"),
        ),
    ),
    "takes-the-default": case(http("takes-the-default"), answer=replace(ANSWERED, status=500)),
    "maps-response-headers": case(
        http("maps-response-headers"),
        integration_responses=(
            response(
                response_parameters={
                    **header("X-From", "integration.response.header.X-Backend"),
                    **header("X-Id", "integration.response.body.id"),
                    **header("X-Static", "'s'"),
                    **header("Server", "'mine'"),
                    **header("WWW-Authenticate", "'Basic'"),
                }
            ),
        ),
    ),
    "renders-the-answer": case(
        http("renders-the-answer"),
        integration_responses=(
            response(
                templates={
                    "application/json": '#set($root = $input.path("$"))'
                    '{"n": $root.list.size(), "first": $root.list[0], "all": $input.json("$.list")}'
                }
            ),
        ),
    ),
    "fails-to-render": case(http("fails-to-render"), integration_responses=(response(templates={"application/json": "#if("}),)),
    "answers-text": case(http("answers-text"), answer=TEXT),
    "answers-bytes": case(
        http("answers-bytes"), asked(headers={**JSON, "Accept": ("image/png",)}), PNG, binary_media_types=("image/png",)
    ),
    "answers-base64": case(http("answers-base64"), answer=PNG, binary_media_types=("image/png",)),
    "converts-the-answer": case(
        http("converts-the-answer"),
        answer=PNG,
        binary_media_types=("image/png",),
        integration_responses=(response(content_handling="CONVERT_TO_TEXT"),),
    ),
    "sends-bytes": case(
        http("sends-bytes"), asked(headers={"Content-Type": ("image/png",)}, body=PNG.body), binary_media_types=("image/png",)
    ),
    "sends-base64": case(
        http("sends-base64"),
        asked(headers={"Content-Type": ("image/png",)}, body=PNG.body),
        binary_media_types=("image/png",),
        content_handling="CONVERT_TO_TEXT",
    ),
    "sets-a-wrong-status": case(
        http("sets-a-wrong-status"),
        integration_responses=(response(templates={"application/json": '#set($context.responseOverride.status = 999)"x"'}),),
    ),
}

PROXIES: dict[str, Case] = {
    "proxy-passes": case(
        http("proxy-passes", proxy=True), asked(query={"q": ("1", "2"), "e": ("",)}, headers={**JSON, "X-A": ("b",)})
    ),
    "proxy-greedy": case(
        http("proxy-greedy", "/{rest}", proxy=True),
        asked(path="/a/b%20c/d", query={"x": ("ä/ö",)}),
        route={"path": "/{rest+}"},
        request_parameters=to(path_rest="method.request.path.rest"),
    ),
    "proxy-maps": case(
        http("proxy-maps", proxy=True),
        asked(query={"q": ("own",)}, headers={**JSON, "X-A": ("own",)}),
        request_parameters=to(header_X__A="'mapped'", querystring_q="'mapped'", querystring_new="'n'"),
    ),
    "proxy-hides-headers": case(
        http("proxy-hides-headers", proxy=True),
        asked(
            headers={
                **JSON,
                "Max-Forwards": ("1",),
                "Content-MD5": ("x",),
                "WWW-Authenticate": ("y",),
                "Via": ("z",),
                "X": ("kept",),
            }
        ),
    ),
    "proxy-status": case(http("proxy-status", proxy=True), answer=replace(ANSWERED, status=418)),
    "proxy-redirect": case(
        http("proxy-redirect", proxy=True), answer=Answer(status=302, headers={"Location": ("https://books.example.com/",)})
    ),
    "proxy-text": case(http("proxy-text", proxy=True), answer=TEXT),
    "proxy-verb": case(
        http("proxy-verb", method="ANY", proxy=True), asked(method="DELETE", body=b"", headers={}), route={"method": "ANY"}
    ),
    "proxy-get": case(
        http("proxy-get", method="GET", proxy=True), asked(method="GET", body=b"", headers={}), route={"method": "GET"}
    ),
    "proxy-forbids": case(http("proxy-forbids", proxy=True), request_parameters=to(header_Content__Length="'1'")),
    "proxy-stage-variable": case(
        http("proxy-stage-variable", "/${stageVariables.v}", proxy=True),
        stage_variables={"v": "v2"},
        answer=replace(ANSWERED, headers={"Content-Type": ("application/xml",), "X-Many": ("1", "2")}),
    ),
    "proxy-bytes": case(
        http("proxy-bytes", proxy=True),
        asked(headers={"Content-Type": ("image/png",), "Accept": ("image/png",)}, body=PNG.body),
        PNG,
        binary_media_types=("image/png",),
    ),
}


# --- AWS services ----------------------------------------------------------------------------------

FORM = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
RESPONSES = (OK, response("400", r"4\d{2}"), response("502", r"5\d{2}"))
QUEUE, TOPIC, BUCKET, MACHINE = "live-queue", "live-topic", "live-bucket", "live-machine"
QUEUE_PATH = f"{ACCOUNT}/{QUEUE}"
TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:{TOPIC}"
MACHINE_ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{MACHINE}"


def service(name: str, **said: Any) -> AwsService:
    """A service of the account's own Region."""
    return AwsService(**{"service": name, **said})


def send(extra: str = "") -> dict[str, str]:
    """The template of SQS SendMessage."""
    return {"application/json": f"Action=SendMessage&MessageBody=$util.urlEncode($input.body){extra}"}


SERVICES: dict[str, Case] = {
    "sqs-path": case(service("sqs", path=QUEUE_PATH), request_parameters=FORM, request_templates=send(), credentials_role=ROLE),
    "sqs-attributes": case(
        service("sqs", path=QUEUE_PATH),
        asked(query={"q": ("ä b",)}),
        request_parameters=FORM,
        request_templates=send(
            "&MessageAttribute.1.Name=q&MessageAttribute.1.Value.DataType=String"
            "&MessageAttribute.1.Value.StringValue=$util.urlEncode($input.params('q'))"
        ),
        credentials_role=ROLE,
    ),
    "sqs-answer": case(
        service("sqs", path=QUEUE_PATH),
        request_parameters=FORM,
        request_templates=send(),
        credentials_role=ROLE,
        integration_responses=(
            response(
                "202",
                None,
                {"application/json": '{"md5": "$input.path("$.SendMessageResponse.SendMessageResult.MD5OfMessageBody")"}'},
            ),
        ),
    ),
    "sqs-refuses": case(
        service("sqs", path=QUEUE_PATH),
        request_parameters=FORM,
        request_templates={"application/json": "Action=NoSuchAction"},
        credentials_role=ROLE,
        integration_responses=(OK, response("400", r"4\d{2}", {"application/json": '{"refused": true}'})),
    ),
    "sns-publishes": case(
        service("sns", path="/"),
        request_parameters=FORM,
        request_templates={
            "application/json": f"Action=Publish&TopicArn=$util.urlEncode('{TOPIC_ARN}')&Message=$util.urlEncode($input.body)"
        },
        credentials_role=ROLE,
        integration_responses=(response("202", None, {"application/json": '{"sent": true}'}),),
    ),
    "sns-subject": case(
        service("sns", action="Publish"),
        request_parameters={**FORM},
        request_templates={
            "application/json": f"Action=Publish&TopicArn=$util.urlEncode('{TOPIC_ARN}')"
            "&Subject=$util.urlEncode($input.params('id'))&Message=$input.path('$.n.m')"
        },
        credentials_role=ROLE,
        integration_responses=(response("202", None, {"application/json": '{"sent": true}'}),),
    ),
    "s3-puts": case(
        service("s3", path=f"{BUCKET}/{{key}}", http_method="PUT"),
        asked(method="PUT"),
        route={"method": "PUT"},
        request_parameters=to(path_key="method.request.path.id"),
        credentials_role=ROLE,
        integration_responses=(response(response_parameters=header("ETag", "integration.response.header.ETag")),),
    ),
    "s3-puts-a-template": case(
        service("s3", path=f"{BUCKET}/templated", http_method="PUT"),
        request_templates={"application/json": '{"title": "$input.path("$.title")"}'},
        credentials_role=ROLE,
    ),
    "s3-puts-bytes": case(
        service("s3", path=f"{BUCKET}/bytes", http_method="PUT"),
        asked(headers={"Content-Type": ("image/png",)}, body=PNG.body),
        binary_media_types=("image/png",),
        credentials_role=ROLE,
    ),
    "s3-gets": case(
        service("s3", path=f"{BUCKET}/stands", http_method="GET"),
        asked(method="GET", headers={}, body=b""),
        route={"method": "GET"},
        credentials_role=ROLE,
        integration_responses=(response(response_parameters=header("Content-Type", "integration.response.header.Content-Type")),),
    ),
    "s3-misses": case(
        service("s3", path=f"{BUCKET}/none", http_method="GET"),
        asked(method="GET", headers={}, body=b""),
        route={"method": "GET"},
        credentials_role=ROLE,
        integration_responses=(OK, response("404", "404", {"application/json": '{"found": false}'})),
    ),
    "events-puts": case(
        service("events", action="PutEvents"),
        request_parameters={
            "integration.request.header.X-Amz-Target": "'AWSEvents.PutEvents'",
            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
        },
        request_templates={
            "application/json": '{"Entries": [{"Source": "live", "DetailType": "$input.params("id")", '
            r""" "Detail": "$util.escapeJavaScript($input.body).replaceAll("\\'", "'")"}]}"""
        },
        credentials_role=ROLE,
        integration_responses=(response("202", None, {"application/json": '{"failed": $input.path("$.FailedEntryCount")}'}),),
    ),
    "events-refuses": case(
        service("events", action="PutEvents"),
        request_parameters={
            "integration.request.header.X-Amz-Target": "'AWSEvents.PutEvents'",
            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
        },
        request_templates={"application/json": '{"Entries": []}'},
        credentials_role=ROLE,
        integration_responses=RESPONSES,
    ),
    "states-starts": case(
        service("states", action="StartExecution"),
        request_templates={
            "application/json": f'{{"stateMachineArn": "{MACHINE_ARN}", "input": "$util.escapeJavaScript($input.json("$"))"}}'
        },
        credentials_role=ROLE,
        integration_responses=(response("202", None, {"application/json": '{"started": true}'}),),
    ),
    "states-refuses": case(
        service("states", action="StartExecution"),
        request_templates={"application/json": f'{{"stateMachineArn": "{MACHINE_ARN}-none"}}'},
        credentials_role=ROLE,
        integration_responses=(OK, response("400", r"4\d{2}", {"application/json": '{"code": "$input.path("$.__type")"}'})),
    ),
}

CASES = {f"mock-{name}": found for name, found in MOCKS.items()} | HTTPS | PROXIES | SERVICES
"""Name → case."""
