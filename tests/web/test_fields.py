"""The form as the page shows it: every option has its place, remarks stand where they belong."""

from collections import Counter

import pytest

from integrations.fields import KINDS, LAYOUT, Page
from integrations.flow import flow
from integrations.forms import IntegrationForm, names_of
from integrations.gateway.definition import (
    BACKENDS,
    Api,
    AwsService,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Raw,
    Route,
    Template,
)
from integrations.gateway.rules import check


def an_api(integration: Integration, path: str = "/") -> Api:
    return Api(name="books", routes=(Route(path=path, integration=integration),))


def page(api: Api, touched: tuple[str, ...] = ()) -> Page:
    return Page(IntegrationForm.of(api), check(api), touched)


def test_every_option_stands_in_one_place() -> None:
    places = Counter(name for stage in LAYOUT for part in stage.parts for name in (*part.names, *part.rare, *part.made))

    assert places == Counter(names_of(IntegrationForm.kept))
    assert list(KINDS) == list(BACKENDS)


@pytest.mark.parametrize("kind", BACKENDS)
def test_only_what_the_type_uses_is_shown(kind: str) -> None:
    shown = page(an_api(Integration(backend=BACKENDS[kind]())))
    names = {field.name for section in shown.sections for part in section.fieldsets for field in (*part.fields, *part.rare)}
    type_ = shown.form.type

    assert {name.split("-")[1] for name in names if name.startswith("backend-")} <= {kind}
    for name in ("integration-vpc_link", "integration-request_templates", "integration-credentials_role"):
        unused = [option.name for section in shown.sections for option in section.unused]
        assert (name in names) is (name.removeprefix("integration-") not in unused), (type_, name)


def test_the_remarks_of_an_empty_field_wait_until_somebody_was_there() -> None:
    api = an_api(Integration(backend=Http()))

    assert page(api).slots["backend-http-url"].findings == []
    assert page(api).counts["error"] == 1
    assert page(api, ("backend-http-url",)).slots["backend-http-url"].is_invalid


def test_a_remark_on_an_entry_stands_at_its_row() -> None:
    mapped = {"integration.request.header.A": "method.request.header.a", "integration.request.header.B": "plain"}
    shown = page(an_api(Integration(backend=Http(url="https://a.example"), request_parameters=mapped)))

    assert [finding.rule for finding in shown.slots["integration-request_parameters-1"].findings] == ["P3"]
    assert shown.slots["integration-request_parameters-0"].findings == []
    assert [where for finding, _, where in shown.located if finding.rule == "P3"] == [
        "Integration request, Request parameters, row 2"
    ]


FLOWS = [
    (
        Integration(backend=Lambda(function="arn:aws:lambda:eu-west-1:111122223333:function:get-book:live")),
        {
            "bck": ("Lambda proxy", (("function", "get-book:live"),)),
            "irq": ("Integration request", (("event", "whole request"),)),
        },
    ),
    (
        Integration(backend=Http(url="https://a.example/x", proxy=False), connection_type="VPC_LINK", vpc_link="abc"),
        {"bck": ("Private HTTP", (("host", "a.example"), ("vpc link", "abc")))},
    ),
    (
        Integration(backend=AwsService(service="states", action="StartExecution"), credentials_role="arn:aws:iam::1:role/r"),
        {"bck": ("Step Functions StartExecution", (("role", "r"),))},
    ),
    (Integration(backend=Mock()), {"bck": ("MOCK", ())}),
    (Integration(backend=Raw(type="AWS")), {"bck": ("AWS", (("uri", "missing"),))}),
]


@pytest.mark.parametrize(("integration", "wanted"), FLOWS, ids=["lambda", "private", "states", "mock", "raw"])
def test_the_drawing_says_what_is_called(
    integration: Integration, wanted: dict[str, tuple[str, tuple[tuple[str, str], ...]]]
) -> None:
    nodes = {node.at: node for node in flow(an_api(integration)).nodes}

    assert list(nodes) == ["cli", "mrq", "irq", "bck", "irs", "mrs"]
    for at, (title, facts) in wanted.items():
        assert (nodes[at].title, nodes[at].facts) == (title, facts)


def test_the_drawing_says_how_answers_come_back() -> None:
    responses = (
        IntegrationResponse(status_code="200"),
        *(IntegrationResponse(status_code=f"40{n}", selection_pattern=f"40{n}") for n in range(4)),
    )
    templates = {"application/json": Template(""), "text/plain": Template(""), "text/csv": Template("")}
    drawn = flow(
        an_api(
            Integration(
                backend=Http(url="https://a.example/{id}", proxy=False),
                request_templates=templates,
                integration_responses=responses,
                timeout_ms=1_500,
            ),
            "/books/{id}",
        )
    )
    nodes = {node.at: dict(node.facts) for node in drawn.nodes}

    assert nodes["irs"] == {"default": "200", "400": "400", "and": "3 more"}
    assert nodes["irq"]["templates"] == "application/json, text/plain +1"
    assert nodes["mrq"]["declares"] == "path id"
    assert nodes["mrs"]["declares"] == "200 400 401 402 403"
    assert (drawn.via, drawn.time, drawn.called) == ("INTERNET", "1,500 ms", True)
    assert not flow(an_api(Integration(backend=Mock()))).called
