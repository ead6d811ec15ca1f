"""Compositions: kept as they are, resolved on any revisions, overridden sparsely, merged."""

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings

from integrations.gateway import composition
from integrations.gateway.composition import Catalog, Composition, Source, Use, merge, overridden, overrides, prefix_of, resolve
from integrations.gateway.definition import (
    Api,
    AwsService,
    DeploymentParameter,
    Http,
    Integration,
    Intrinsic,
    Lambda,
    Mock,
    Route,
    Template,
    parameters_of,
)
from integrations.gateway.findings import Severity
from integrations.gateway.grammar import Reference
from tests.gateway.definitions import apis

QUIET = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
MOCK = Integration(backend=Mock())


def alone(integration: Integration, *parameters: DeploymentParameter) -> Api:
    return Api(name="one", parameters=parameters, routes=(Route(integration=integration),))


def source(slug: str, integration: Integration, *parameters: DeploymentParameter, number: int = 1) -> Source:
    return Source(slug, slug, number, alone(integration, *parameters))


def composed(*uses: Use, **settings: object) -> Composition:
    routes = tuple(Route(path=f"/r{number}", integration=MOCK) for number in range(len(uses)))
    return Composition(api=Api(name="whole", routes=routes, **settings), uses=uses)  # type: ignore[arg-type]


# --- Kept as it is ---------------------------------------------------------------------------------


@QUIET
@given(apis(routes=3))
def test_what_is_composed_of_the_parts_of_an_api_is_that_api(api: Api) -> None:
    sources: Catalog = {
        (number, None): Source(f"i{number}", "", 1, dataclasses.replace(api, routes=(route,)))
        for number, route in enumerate(api.routes)
    }
    whole = Composition(api=dataclasses.replace(api, routes=()))
    for number, route in enumerate(api.routes):
        whole = whole.with_route(route, Use(integration=number))
    kept = composition.loads(composition.dumps(whole))
    assert kept == whole
    assert resolve(kept, sources).api == api
    assert resolve(kept, sources).findings == ()


def test_what_is_stored_is_canonical_and_no_definition() -> None:
    whole = composed(Use(integration=7, pin=3, overrides={"/timeout_ms": 50}))
    text = composition.dumps(whole)
    assert json.loads(text)["uses"] == [{"integration": 7, "pin": 3, "overrides": {"/timeout_ms": 50}}]
    assert composition.is_composition(text) and text.isascii()
    assert composition.dumps(composition.loads(text)) == text


def test_each_route_has_a_use() -> None:
    with pytest.raises(ValueError, match="2 routes have 1 uses"):
        Composition(api=Api(routes=(Route(integration=MOCK),) * 2), uses=(Use(integration=1),))


# --- Overrides -------------------------------------------------------------------------------------


@QUIET
@given(apis(routes=2))
def test_overrides_make_any_integration_of_any_other(api: Api) -> None:
    one, other = (route.integration for route in api.routes)
    changes = overrides(one, other)
    assert overridden(one, json.loads(json.dumps(changes))) == (other, {})
    assert overrides(one, one) == {}
    assert overrides(other, overridden(one, changes)[0]) == {}


BASE = Integration(
    backend=Http(url="https://a.example.com", http_method="GET"),
    timeout_ms=5_000,
    request_templates={"application/json": Template("a"), "text/plain": Template("b")},
)


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        (dataclasses.replace(BASE, timeout_ms=None), {"/timeout_ms": None}),
        (dataclasses.replace(BASE, timeout_ms=Reference("Patience")), {"/timeout_ms": "${Patience}"}),
        (
            dataclasses.replace(BASE, backend=Http(url="https://b.example.com", http_method=None)),
            {"/backend/url": "https://b.example.com", "/backend/http_method": None},
        ),
        (dataclasses.replace(BASE, backend=Mock()), {"/backend": {"kind": "mock"}}),
        (
            dataclasses.replace(BASE, request_templates={"application/json": Template("a"), "a/b~c": Template("x", True)}),
            {"/request_templates/text~1plain": None, "/request_templates/a~1b~0c": {"substituted": "x"}},
        ),
        (
            dataclasses.replace(BASE, request_templates=dict(reversed([*BASE.request_templates.items()]))),
            {"/request_templates": {"text/plain": "b", "application/json": "a"}},
        ),
        (dataclasses.replace(BASE, request_templates={}), {"/request_templates/application~1json": None}),
    ],
    ids=["unset", "reference", "of the backend", "another backend", "rows", "moved", "emptied"],
)
def test_overrides_are_sparse(wanted: Integration, changes: dict[str, object]) -> None:
    assert changes.items() <= overrides(BASE, wanted).items()
    assert overridden(BASE, overrides(BASE, wanted)) == (wanted, {})


def test_an_override_without_its_option_is_left_out_and_said() -> None:
    whole = composed(Use(integration=1, overrides={"/backend/url": "https://x", "/nothing": 1, "/timeout_ms": "soon"}))
    found = resolve(whole, {(1, None): source("orders", Integration(backend=Lambda(function="f"), timeout_ms=70))})
    assert found.api.routes[0].integration == Integration(backend=Lambda(function="f"), timeout_ms=70)
    assert [(finding.severity, finding.path) for finding in found.findings] == [
        (Severity.FAILURE, ("routes", 0, "integration"))
    ] * 3


# --- Parameters ------------------------------------------------------------------------------------

QUEUE = Integration(backend=AwsService(service="sqs", path="${AWS::AccountId}/${Queue}"))


def declared(**facts: object) -> DeploymentParameter:
    return DeploymentParameter(**{"name": "Queue"} | facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        (declared(), declared(), ["Queue"]),
        (declared(description="a"), declared(description="b"), ["Queue"]),
        (declared(default="a"), declared(default="b"), ["Queue", "PutOrderQueue"]),
        (declared(), declared(kind="number"), ["Queue", "PutOrderQueue"]),
        (
            declared(origin=Intrinsic.of({"Ref": "Queue"})),
            declared(origin=Intrinsic.of({"Fn::ImportValue": "Queue"})),
            ["Queue", "PutOrderQueue"],
        ),
    ],
    ids=["equal", "described otherwise", "another default", "another kind", "another origin"],
)
def test_namesakes_merge_when_they_are_the_same(one: DeploymentParameter, other: DeploymentParameter, names: list[str]) -> None:
    sources: Catalog = {(1, None): source("get-order", QUEUE, one), (2, None): source("put-order", QUEUE, other)}
    found = resolve(composed(Use(integration=1), Use(integration=2), Use(integration=2)), sources)
    assert [parameter.name for parameter in found.api.parameters] == names
    assert [parameter.name for parameter in parameters_of(found.api)] == names
    last = found.api.routes[2].integration.backend
    assert isinstance(last, AwsService) and last.path == f"${{AWS::AccountId}}/${{{names[-1]}}}"


def test_the_apis_own_parameter_keeps_its_name() -> None:
    whole = composed(Use(integration=1), parameters=(declared(kind="url"),), stage_variables={"q": "${Queue}"})
    found = resolve(whole, {(1, None): source("put-order", QUEUE, declared())})
    assert [parameter.name for parameter in found.api.parameters] == ["Queue", "PutOrderQueue"]


@pytest.mark.parametrize(
    ("bound", "path", "names"),
    [("orders", "${AWS::AccountId}/orders", []), ("${Orders}", "${AWS::AccountId}/${Orders}", ["Orders"])],
    ids=["literal", "another name"],
)
def test_a_parameter_is_bound_for_one_route(bound: str, path: str, names: list[str]) -> None:
    whole = composed(Use(integration=1, bindings={"Queue": bound}))
    found = resolve(whole, {(1, None): source("put-order", QUEUE, declared(default="q"))})
    backend = found.api.routes[0].integration.backend
    assert isinstance(backend, AwsService) and backend.path == path
    assert [(parameter.name, parameter.default) for parameter in found.api.parameters] == [(name, "q") for name in names]


def test_a_literal_that_does_not_fit_is_said() -> None:
    patient = Integration(backend=Http(url="https://a"), timeout_ms=Reference("Patience"))
    found = resolve(composed(Use(integration=1, bindings={"Patience": "long"})), {(1, None): source("a", patient)})
    assert [(finding.severity, finding.path) for finding in found.findings] == [
        (Severity.ERROR, ("routes", 0, "integration", "timeout_ms"))
    ]


@pytest.mark.parametrize(("slug", "prefix"), [("orders-to-sqs", "OrdersToSqs"), ("2fa", "I2fa"), ("a_b", "AB")])
def test_a_slug_is_a_prefix(slug: str, prefix: str) -> None:
    assert prefix_of(slug) == prefix


# --- What is missing -------------------------------------------------------------------------------


def test_what_follows_nothing_published_blocks() -> None:
    waiting = dataclasses.replace(source("a", BASE), published=False)
    found = resolve(composed(Use(integration=1), Use(integration=1, pin=1)), {(1, None): waiting, (1, 1): waiting})
    assert [(finding.path, finding.blocks) for finding in found.findings] == [(("routes", 0, "integration"), True)]
    assert [route.integration for route in found.api.routes] == [BASE, BASE]


def test_what_is_gone_blocks_and_leaves_the_mount() -> None:
    found = resolve(composed(Use(integration=9)), {})
    assert [finding.blocks for finding in found.findings] == [True]
    assert found.api.routes[0].integration == MOCK


# --- Two people ------------------------------------------------------------------------------------


def test_what_only_one_changed_is_merged() -> None:
    base = composed(Use(integration=1, pin=1), Use(integration=2))
    mine = base.pinned(1, 4)
    theirs = base.with_route(Route(method="PUT", path="/new", integration=MOCK), Use(integration=3))
    merged = merge(base, mine, theirs)
    assert merged.conflicts == ()
    assert merged.composition == theirs.pinned(1, 4)


def test_of_what_both_changed_mine_is_taken_and_said() -> None:
    base = composed(Use(integration=1, pin=1), Use(integration=2))
    merged = merge(base, base.pinned(1, 3), base.pinned(1, 2))
    assert merged.composition == base.pinned(1, 3)
    assert merged.conflicts == ("GET /r0",)


def test_pins_are_moved_by_number() -> None:
    base = composed(Use(integration=1, pin=1), Use(integration=1), Use(integration=1, pin=2), Use(integration=2, pin=1))
    assert [use.pin for use in base.pinned(1, 5, pins=[1, 2]).uses] == [5, None, 5, 1]
    assert [use.pin for use in base.pinned(1, None).uses] == [None, None, None, 1]
