"""The CDK export: as black leaves it, and proven by a real synthesis to make what the CloudFormation export makes."""

import ast
import inspect
import itertools
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import black
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from integrations.gateway.definition import (
    Api,
    Authorizer,
    AwsService,
    Cors,
    DeploymentParameter,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Raw,
    Route,
    Template,
)
from integrations.gateway.formats import FORMATS
from integrations.gateway.grammar import Reference, escaped
from tests.gateway.definitions import BREAKOUTS, apis
from tests.gateway.formats.test_formats import OPTIONS, with_option
from tests.gateway.normal import normal, read

ROLE = "arn:aws:iam::111122223333:role/calls"
HTTP = Http(url="https://books.example.com")
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def source(api: Api, format: str = "cdk-python") -> str:
    return FORMATS[format].dump(api).text


def an_api(backend: Any = HTTP, *, mount: dict[str, Any] | None = None, **options: Any) -> Api:
    return Api(name="books", routes=(Route(integration=Integration(backend=backend, **options), **(mount or {})),))


# --- The source ------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["cdk-python", "cdk-snippet"])
@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(api=st.integers(1, 2).flatmap(lambda count: apis(routes=count, whole=True)))
def test_black_leaves_it_as_it_is(api: Api, format: str) -> None:
    text = source(api, format)

    assert black.format_str(text, mode=black.Mode()) == text


def test_a_preflight_of_the_root_alone_stands_behind_one_empty_line() -> None:
    text = source(replace(an_api(mount={"path": "/a"}), cors=(Cors(path="/", max_age_seconds=0),)))

    assert black.format_str(text, mode=black.Mode()) == text


BOOKS = Api(
    name="books",
    description="What readers see.",
    parameters=(DeploymentParameter(name="Books.Arn", kind="function", description="The function that knows the books."),),
    routes=(
        Route(
            path="/books/{id}",
            integration=Integration(
                backend=Lambda(function="${Books.Arn}", proxy=False),
                request_templates={"application/json": Template('#set($id = $input.params("id"))\n{"id": "$id"}\n')},
                passthrough_behavior="NEVER",
                timeout_ms=5_000,
                integration_responses=(
                    IntegrationResponse(status_code="200"),
                    IntegrationResponse(status_code="404", selection_pattern=r".*\[404\].*"),
                ),
            ),
        ),
    ),
)


def test_it_is_what_an_expert_would_write() -> None:
    assert (
        source(BOOKS)
        == '''\
# Needs aws-cdk-lib 2.0.0 or newer.
# Deploy it with what it refers to:
#   cdk deploy -c books=…

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


class BooksStack(Stack):
    """A REST API with its stage."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        # The function that knows the books.
        books: lambda_.IFunction,
        **kwargs,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name="books",
            description="What readers see.",
            cloud_watch_role=False,
        )

        integration = apigateway.LambdaIntegration(
            books,
            proxy=False,
            request_templates={
                "application/json": """#set($id = $input.params("id"))
{"id": "$id"}
""",
            },
            passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
            timeout=Duration.seconds(5),
            integration_responses=[
                apigateway.IntegrationResponse(status_code="200"),
                apigateway.IntegrationResponse(
                    status_code="404",
                    selection_pattern=r".*\\[404\\].*",
                ),
            ],
        )
        resource = api.root.resource_for_path("/books/{id}")
        resource.add_method(
            "GET",
            integration,
            request_parameters={"method.request.path.id": True},
            method_responses=[
                apigateway.MethodResponse(status_code="200"),
                apigateway.MethodResponse(status_code="404"),
            ],
        )


if __name__ == "__main__":
    app = App()
    existing = Stack()  # holds what is there already, and is never deployed
    BooksStack(
        app,
        "Books",
        books=lambda_.Function.from_function_attributes(
            existing,
            "Books",
            function_arn=app.node.get_context("books"),
            same_environment=True,
        ),
    )
    app.synth()
'''
    )


def test_the_snippet_is_the_integration_alone() -> None:
    api = an_api(Lambda(function="${Books.Arn}"), timeout_ms=1_500)

    assert source(api, "cdk-snippet") == ("integration = apigateway.LambdaIntegration(books, timeout=Duration.millis(1500))\n")


def test_the_release_that_it_needs_is_in_its_header() -> None:
    def first(**options: Any) -> str:
        return source(an_api(Lambda(function="f", **options))).partition("\n")[0]

    assert first() == "# Needs aws-cdk-lib 2.0.0 or newer."
    assert first(scope_permission_to_method=False) == "# Needs aws-cdk-lib 2.224.0 or newer."


@pytest.mark.parametrize(
    ("api", "path"),
    [
        (an_api(credentials_role=ROLE, credentials_passthrough=True), "credentials_passthrough"),
        (an_api(connection_type="VPC_LINK"), "vpc_link"),
        (an_api(connection_type="INTERNET", vpc_link="a"), "connection_type"),
        (an_api(vpc_link="a"), "connection_type"),
        (an_api(Mock(), connection_type="VPC_LINK", vpc_link="a"), "connection_type"),
        (an_api(timeout_ms=49), "timeout_ms"),
        (an_api(Raw(type="HTTP", raw_uri="https://a")), "http_method"),
        (an_api(Http(url="https://a", proxy=False), response_transfer_mode="STREAM"), "response_transfer_mode"),
        (an_api(AwsService(service="sqs", path="a", action="B")), "action"),
        (an_api(AwsService(service="sqs")), "action"),
        (an_api(mount={"method": "TRACE"}), "method"),
        (an_api(mount={"path": "/a,b"}), "path"),
    ],
)
def test_the_cdks_own_checks_refuse_this_export_alone(api: Api, path: str) -> None:
    assert [finding.path[-1] for finding in FORMATS["cdk-python"].dump(api).findings if finding.blocks] == [path]
    assert not FORMATS["cloudformation"].dump(api).refused
    with pytest.raises((RuntimeError, AssertionError, AttributeError)):
        assert synthesised(api) == normal(read(FORMATS["cloudformation"].dump(api).text))


@pytest.mark.parametrize(
    "api",
    [
        an_api(request_templates={"a/b": Template("${Token[TOKEN.42]}")}),
        an_api(request_templates={"a/b": Template("#{Token[TOKEN.1]}")}),
        an_api(request_templates={"$jsii.byref": Template("x")}),
        replace(an_api(), stage_variables={"__proto__": "x"}),
        an_api(cache_namespace="${AWS::NotificationARNs}"),
        an_api(content_handling="${One}", passthrough_behavior="${One}"),
        an_api(content_handling="${One}", cache_namespace="${One}"),
        an_api(content_handling="convert"),
    ],
)
def test_what_the_cdk_would_read_as_something_else_is_refused(api: Api) -> None:
    assert FORMATS["cdk-python"].dump(api).refused


# --- Judged by a real synthesis --------------------------------------------------------------------

_numbers = itertools.count()


def synthesised(api: Api) -> Any:
    """What the exported stack makes, by the CDK itself, when its arguments are what `supplied` says."""
    import aws_cdk as cdk

    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source(api), "<exported>", "exec"), namespace)
    [stack] = [found for name, found in namespace.items() if name.endswith("Stack") and found is not cdk.Stack]
    with tempfile.TemporaryDirectory(prefix="gatehouse-synth-") as outdir:
        app = cdk.App(
            analytics_reporting=False,
            tree_metadata=False,
            stack_traces=False,
            builtin_cloud_formation_validation=False,
            outdir=outdir,
        )
        stack(app, "Stack", synthesizer=cdk.BootstraplessSynthesizer(), **arguments(stack))
        return normal(app.synth().get_stack_by_name("Stack").template)


def parameters(stack: Any) -> list[inspect.Parameter]:
    return [found for found in inspect.signature(stack.__init__).parameters.values() if found.kind is found.KEYWORD_ONLY]


def values(kinds: list[Any]) -> list[Any]:
    """What a deployment supplies, by the kinds of the arguments; as plain values."""
    made = []
    for number, kind in enumerate(kinds):
        name = getattr(kind, "__name__", "")
        made.append(
            {
                "IFunction": f"arn:aws:lambda:us-east-2:123456789012:function:given{number}",
                "IRole": f"arn:aws:iam::123456789012:role/given{number}",
                "IVpcLink": f"given{number}",
                "int": 1_000 + number,
                "bool": True,
            }.get(name, f"given-{number}")
        )
    return made


def arguments(stack: Any) -> dict[str, Any]:
    """The same as what the CDK wants for them."""
    from aws_cdk import Stack
    from aws_cdk import aws_apigateway as apigateway
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_

    wanted = parameters(stack)
    found = {}
    existing = Stack()
    for parameter, value in zip(wanted, values([p.annotation for p in wanted]), strict=True):
        match getattr(parameter.annotation, "__name__", ""):
            case "IFunction":
                value = lambda_.Function.from_function_attributes(
                    existing, f"A{next(_numbers)}", function_arn=value, same_environment=True
                )
            case "IRole":
                value = iam.Role.from_role_arn(existing, f"A{next(_numbers)}", value, mutable=False)
            case "IVpcLink":
                value = apigateway.VpcLink.from_vpc_link_id(existing, f"A{next(_numbers)}", value)
        found[parameter.name] = value
    return found


def exported(api: Api) -> Any:
    """What the CloudFormation export makes with the same values for its parameters, which stand in the same order."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source(api), "<exported>", "exec"), namespace)
    [stack] = [found for name, found in namespace.items() if name.endswith("Stack") and name != "Stack"]
    template = read(FORMATS["cloudformation-json"].dump(api).text)
    wanted = [parameter.annotation for parameter in parameters(stack)]
    return normal(template, dict(zip(template.get("Parameters", {}), values(wanted), strict=True)))


def difference(api: Api) -> tuple[list[Any], list[Any]]:
    """What only the CDK makes, and what only the CloudFormation export makes."""
    made, said = synthesised(api), exported(api)
    return [json.loads(text) for text in made - said], [json.loads(text) for text in said - made]


CASES = int(os.environ.get("GATEHOUSE_SYNTHESIS", "200"))


@pytest.mark.synthesis
def test_a_synthesis_makes_what_the_cloudformation_export_makes() -> None:
    seen = 0

    @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=QUIET, phases=[Phase.generate])
    @given(api=apis(cdk=True, unique=True))
    def prove(api: Api) -> None:
        nonlocal seen
        seen += 1
        assert FORMATS["cdk-python"].dump(api).refused is False
        assert difference(api) == ([], [])

    prove()
    assert seen >= CASES


@pytest.mark.synthesis
def test_so_it_does_for_an_api_of_several_routes() -> None:
    @settings(
        max_examples=max(40, CASES // 4), deadline=None, database=None, suppress_health_check=QUIET, phases=[Phase.generate]
    )
    @given(api=apis(cdk=True, unique=True, routes=3, whole=True))
    def prove(api: Api) -> None:
        assert difference(api) == ([], [])

    prove()


@pytest.mark.synthesis
@pytest.mark.parametrize(("owner", "name"), OPTIONS, ids=lambda part: getattr(part, "__name__", part))
def test_a_synthesis_sees_the_change_of_each_option(owner: type, name: str) -> None:
    before, after = with_option(owner, name)
    export = FORMATS["cdk-python"].dump(after)
    if export.refused or name in FORMATS["cdk-python"].unsupported:
        assert len(export.findings) > len(FORMATS["cdk-python"].dump(before).findings)
        return

    assert difference(after) == ([], [])
    assert synthesised(after) != exported(before)


DECIDED = an_api(mount={"authorization_type": "CUSTOM", "authorizer": "staff"})
STAFF = Authorizer(name="staff", type="TOKEN", function="${Staff.Arn}", identity_sources=("method.request.header.Authorization",))


@pytest.mark.synthesis
@pytest.mark.parametrize(
    "api",
    [
        replace(DECIDED, authorizers=(STAFF,)),
        replace(DECIDED, authorizers=(STAFF, replace(STAFF, name="others", type="REQUEST"))),
        replace(an_api(), stage_name="${AWS::StackName}"),
        replace(an_api(), stage_name="${AWS::Region}-${Name}", tracing_enabled=True),
    ],
)
def test_an_argument_that_decides_and_a_stage_after_the_stack_are_made_as_cloudformation_makes_them(api: Api) -> None:
    assert FORMATS["cdk-python"].dump(api).refused is False
    assert difference(api) == ([], [])


def breakouts() -> Iterator[tuple[str, str, Api]]:
    """Each text that tries to break out, in each option that takes any text; references in it escaped."""
    for what, text in BREAKOUTS.items():
        literal = escaped(text).replace("'", "")
        yield what, "template", an_api(HTTP, request_templates={"a/b": Template(text), "a/c": Template(escaped(text), True)})
        yield what, "template with a reference", an_api(HTTP, request_templates={"a/b": Template(escaped(text) + "${R}", True)})
        yield what, "key of a template", an_api(HTTP, request_templates={text: Template("x")})
        yield what, "static value", an_api(HTTP, request_parameters={"integration.request.header.A": f"'{literal}'"})
        yield what, "name of a header", an_api(HTTP, request_parameters={f"integration.request.header.{text}": "'1'"})
        yield what, "url", an_api(Http(url=f"https://{escaped(text)}"))
        yield what, "function", an_api(Lambda(function=f"f{escaped(text).replace(':', '')}"))
        yield what, "path of a service", an_api(AwsService(service="sqs", path=f"a{escaped(text)}"))
        yield what, "action parameter", an_api(AwsService(service="sqs", action="A", action_parameters={text: escaped(text)}))
        yield what, "raw URI", an_api(Raw(type="HTTP", http_method="GET", raw_uri=f"a{escaped(text)}"))
        yield what, "cache namespace", an_api(cache_namespace=escaped(text))
        yield what, "cache key", an_api(cache_key_parameters=(text,))
        yield what, "role", an_api(credentials_role=f"{ROLE}{escaped(text)}")
        yield what, "VPC link", an_api(connection_type="VPC_LINK", vpc_link=f"a{escaped(text)}")
        yield what, "target", an_api(connection_type="VPC_LINK", vpc_link="a", integration_target=escaped(text))
        response = IntegrationResponse(
            selection_pattern=text, response_parameters={text: f"'{literal}'"}, response_templates={text: Template(text)}
        )
        yield what, "response", an_api(integration_responses=(response,))
        yield what, "enumeration", an_api(Raw(type=text, http_method=text), content_handling=text, connection_type=text)
        yield what, "authorization", an_api(mount={"authorization_type": text, "method": text})
        yield what, "operation", an_api(mount={"operation_name": text})
        yield what, "authorizer", an_api(mount={"authorization_type": "CUSTOM", "authorizer": escaped(text)})
        yield what, "scope", an_api(mount={"authorization_scopes": (escaped(text),)})
        yield what, "declared", an_api(mount={"declared": {text: True}})
        yield what, "model", an_api(mount={"request_models": {text: escaped(text)}})
        api = an_api()
        yield what, "name", replace(api, name=text)
        yield what, "description", replace(api, description=text)
        yield what, "stage variable", replace(api, stage_variables={text: escaped(text)})
        yield what, "stage", replace(api, stage_name=f"a{escaped(text)}")
        yield what, "media type", replace(api, binary_media_types=(text,))
        used = an_api(cache_namespace="${P}")
        declared = DeploymentParameter(name="P", description=text, default=text)
        yield what, "parameter", replace(used, parameters=(declared,))


ALL = list(breakouts())


@pytest.mark.parametrize("what", BREAKOUTS)
def test_no_text_changes_the_structure_of_the_source(what: str) -> None:
    for _, where, api in (case for case in ALL if case[0] == what):
        tree = ast.parse(source(api))
        shape = [type(node).__name__ for node in tree.body]

        assert {"ClassDef", "If"} == {name for name in shape if name not in ("ImportFrom",)}, where
        assert black.format_str(source(api), mode=black.Mode()) == source(api), where


@pytest.mark.synthesis
@pytest.mark.parametrize("what", BREAKOUTS)
def test_every_text_comes_out_of_a_synthesis_as_it_was_or_is_refused(what: str) -> None:
    for _, where, api in (case for case in ALL if case[0] == what):
        if not FORMATS["cdk-python"].dump(api).refused:
            assert difference(api) == ([], []), where


@pytest.mark.synthesis
def test_the_app_synthesises_as_a_program(tmp_path: Any) -> None:
    import subprocess
    import sys

    program = tmp_path / "books.py"
    program.write_text(source(BOOKS), encoding="utf-8")
    function = "arn:aws:lambda:eu-west-1:123456789012:function:given0"
    context = json.dumps({"books": function})
    done = subprocess.run(
        [sys.executable, str(program)],
        env=os.environ | {"CDK_OUTDIR": str(tmp_path / "out"), "CDK_CONTEXT_JSON": context},
        capture_output=True,
        timeout=120,
        check=False,
    )
    template = json.loads((tmp_path / "out" / "Books.template.json").read_text()) if done.returncode == 0 else {}

    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert template["Resources"].keys() > {"ApiF70053CD"}


def test_a_reference_is_an_argument_of_its_kind() -> None:
    integration = Integration(
        backend=Http(url="${Host}"),
        credentials_role="${Role.Arn}",
        connection_type="VPC_LINK",
        vpc_link="${Link}",
        timeout_ms=Reference("Patience"),
        content_handling="${Handling}",
    )
    api = Api(name="books", routes=(Route(integration=integration, api_key_required=Reference("Key")),))
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source(api), "<exported>", "exec"), namespace)

    assert {p.name: p.annotation.__name__ for p in parameters(namespace["BooksStack"])} == {
        "host": "str",
        "handling": "ContentHandling",
        "role": "IRole",
        "link": "IVpcLink",
        "patience": "int",
        "key": "bool",
    }
