"""Values in the place of parameters: everywhere, literally, and of the kind that is wanted."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from integrations.gateway.definition import (
    Api,
    DefinitionError,
    DeploymentParameter,
    Http,
    Integration,
    Lambda,
    Route,
    Template,
    bind,
    leaves,
    parameters_of,
)
from integrations.gateway.grammar import Reference, references_in, segments
from tests.gateway.definitions import apis

QUIET = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
VALUES = ("5000", "a", "${x}", "${!x}", "${AWS::Region}", "'", "${stageVariables.x}")


def meaning(text: str, values: dict[str, str]) -> str:
    return "".join(values.get(part.name, str(part)) if isinstance(part, Reference) else str(part) for part in segments(text))


@QUIET
@given(apis(routes=2))
def test_every_reference_is_replaced_by_exactly_its_value(api: Api) -> None:
    values = {parameter.name: VALUES[number % len(VALUES)] for number, parameter in enumerate(parameters_of(api))}
    values |= {"Patience": "5000"}
    bound = bind(api, values)

    assert parameters_of(bound) == ()
    before = [leaf for leaf in leaves(api) if leaf.path[0] != "parameters"]
    after = list(leaves(bound))
    assert [leaf.path for leaf in before] == [leaf.path for leaf in after]
    for one, other in zip(before, after, strict=True):
        if isinstance(one.value, str) and one.substituted and not one.key and references_in(one.value):
            assert meaning(str(other.value), {}) == meaning(one.value, values)
        else:
            assert other.value == one.value
    assert bind(api, {}) == api


def an_api(**options: Any) -> Api:
    return Api(routes=(Route(integration=Integration(backend=Http(url="https://a.example"), **options)),))


def test_numbers_and_flags_take_their_kind() -> None:
    api = an_api(timeout_ms=Reference("A"), insecure_skip_verification=Reference("B"))

    assert bind(api, {"A": "50", "B": "True"}) == an_api(timeout_ms=50, insecure_skip_verification=True)
    with pytest.raises(DefinitionError, match="timeout_ms: Give a whole number here"):
        bind(api, {"A": "5 s"})
    with pytest.raises(DefinitionError, match="insecure_skip_verification: Give true or false here"):
        bind(api, {"B": "yes"})


def test_only_what_reads_references_is_touched() -> None:
    api = an_api(
        request_templates={"a/b": Template("${A}"), "c/d": Template("${A}${!B}", substituted=True)}, cache_namespace="${A}"
    )
    wanted = an_api(request_templates={"a/b": Template("${A}"), "c/d": Template("1${!B}", substituted=True)}, cache_namespace="1")

    assert bind(api, {"A": "1"}) == wanted


def test_other_parameters_stay() -> None:
    route = Route(integration=Integration(backend=Lambda(function="${F}"), credentials_role="${R}"))
    parameters = (DeploymentParameter(name="F", kind="function"), DeploymentParameter(name="R", kind="role"))

    bound = bind(Api(parameters=parameters, routes=(route,)), {"F": "orders"})

    assert bound.parameters == parameters[1:]
    assert bound.routes[0].integration == Integration(backend=Lambda(function="orders"), credentials_role="${R}")
