"""Any definition, planned and carried out against a control plane that refuses what AWS refuses: it holds what was asked for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings

from integrations.aws import Account, AwsError
from integrations.gateway.account import AccountState
from integrations.gateway.definition import Api, Raw, parameters_of
from integrations.gateway.observed import observed
from integrations.gateway.plan import (
    Plan,
    as_held,
    bound_to,
    changes_between,
    dumps,
    functions_of,
    loads,
    make_plan,
    plan_destroy,
)
from tests.aws.conftest import Place, carried_out
from tests.aws.control_plane import ControlPlane, Refused
from tests.gateway.definitions import VALUES, apis


class Plane(Account):
    """An account whose answers come from the control plane, without a network between."""

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(Place("", account=plane.account, region=plane.region), "gatehouse")
        self.plane = plane

    def _send(self, service: str, operation: str, parameters: Mapping[str, Any], *, tries: int) -> dict[str, Any]:
        if operation == "get_export":
            raise AwsError("This control plane exports nothing.", "BadRequestException", 400)
        if operation == "add_permission":
            self.plane.functions.setdefault(parameters["FunctionName"], [])
        try:
            return self.plane.perform(service, operation, dict(parameters))
        except Refused as error:
            raise AwsError(str(error), error.code, error.status) from error


class Deployed:
    """One API of the control plane, and what was applied to it."""

    def __init__(self) -> None:
        self.account, self.id = Plane(ControlPlane()), ""
        self.applied: list[Api] = []

    def state(self) -> AccountState:
        place = self.account.account_state("")
        functions = {function for api in self.applied for function in functions_of(api, place)}
        return self.account.account_state(self.id, stage_name="test", functions=functions)

    def plan(self, api: Api) -> Plan:
        """Of a definition, with a value for each parameter."""
        values = {one.name: VALUES[one.kind][0] for one in parameters_of(api) if one.default is None}
        self.applied.append(bound_to(api, values, self.state(), "test"))
        return make_plan(api, self.state(), values=values, stage_name="test", applied=self.applied)

    def apply(self, plan: Plan) -> None:
        """Carry it out as it comes back from where it was kept."""
        self.id = carried_out(self.account, loads(dumps(plan)))


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
