"""A control plane in the process, as an account: for plans that are carried out thousands of times."""

from collections.abc import Mapping
from typing import Any

from integrations.aws import Account, AwsError
from integrations.gateway.account import AccountState
from integrations.gateway.definition import Api, parameters_of
from integrations.gateway.plan import Plan, bound_to, dumps, functions_of, loads, make_plan
from tests.aws.conftest import Place, carried_out
from tests.aws.control_plane import ControlPlane, Refused
from tests.gateway.definitions import VALUES


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
        self.plans: list[Plan] = []

    def state(self) -> AccountState:
        place = self.account.account_state("")
        functions = {function for api in self.applied for function in functions_of(api, place)}
        return self.account.account_state(self.id, stage_name="test", functions=functions)

    def plan(self, api: Api) -> Plan:
        """Of a definition, with a value for each parameter."""
        values = {one.name: VALUES[one.kind][0] for one in parameters_of(api) if one.default is None}
        self.applied.append(bound_to(api, values, self.state(), "test"))
        return make_plan(api, self.state(), values=values, stage_name="test", applied=self.applied[:-1])

    def apply(self, plan: Plan) -> None:
        """Carry it out as it comes back from where it was kept."""
        self.id = carried_out(self.account, loads(dumps(plan)))
        self.plans.append(plan)
