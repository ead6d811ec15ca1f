"""Any definition, planned and carried out against a control plane that refuses what AWS refuses: it holds what was asked for."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings

from integrations.gateway.definition import Api, Raw
from integrations.gateway.observed import observed
from integrations.gateway.plan import as_held, changes_between, plan_destroy
from tests.aws.planes import Deployed
from tests.gateway.definitions import apis


def deployable(api: Api) -> Api:
    """Without what only the values of a deployment decide on: authorizers by id, and raw URIs."""
    routes = (route for route in api.routes if not isinstance(route.integration.backend, Raw))
    open_to_all: dict[str, Any] = {"authorization_type": None, "authorizer": None, "authorization_scopes": ()}
    return replace(api, routes=tuple(replace(route, **open_to_all) if route.authorizer else route for route in routes))


definitions = apis(routes=3).map(deployable).filter(lambda api: api.routes)


@settings(max_examples=12)
@given(definitions, definitions)
def test_it_is_there_and_then_another_one_is(first: Api, second: Api) -> None:
    deployed = Deployed()
    for api in (first, second):
        deployed.apply(deployed.plan(api))
        state = deployed.state()
        assert changes_between(as_held(deployed.applied[-1], state), observed(state, stage_name="test")[0]) == ()
        again = deployed.plan(api)
        assert ([planned.words for planned in again.calls], again.changes) == ([], ())
    deployed.apply(plan_destroy(deployed.state(), stage_name="test", applied=deployed.applied))
    left = deployed.state()
    assert ([one["path"] for one in left.resources[1:]], any(left.policies.values())) == ([], False)
