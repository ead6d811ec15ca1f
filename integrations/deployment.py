"""What an integration is to be in an environment: the definition there, its values and where they come from, and the plan."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from integrations.aws import connect
from integrations.gateway.account import AccountState
from integrations.gateway.definition import Api, DeploymentParameter, loads, parameters_of
from integrations.gateway.plan import Plan, functions_of, make_plan, to_json
from integrations.gateway.plan.making import bound_to
from integrations.gateway.plan.value import sha256
from integrations.models import Environment, Operation, Placement, Proposal, Revision


def placed(api: Api, placement: Placement) -> Api:
    """The definition at the path that the placement has there."""
    if not placement.path:
        return api
    return replace(api, routes=tuple(replace(route, path=placement.path) for route in api.routes))


def applied(placement: Placement) -> tuple[Api, ...]:
    """What Gatehouse has applied there, or begun to, values in place: what is its own to delete."""
    kept = placement.deployments.values_list("definition", flat=True)
    begun = Operation.objects.filter(placement=placement, started_at__isnull=False).exclude(definition="")
    texts = dict.fromkeys([*kept, *begun.values_list("definition", flat=True)])
    return tuple(loads(text) for text in texts)


def deploy_plan(placement: Placement, api: Api, state: AccountState) -> Plan:
    """What makes the account hold and serve `api` with the environment's values. Raises PlanError."""
    environment = placement.environment
    return make_plan(
        placed(api, placement),
        state,
        values=environment.values_for(placement.integration),
        stage_name=environment.stage_name,
        applied=applied(placement),
        whole=placement.whole,
    )


def bindings_hash(placement: Placement) -> str:
    """SHA-256 over the values that a deployment of the placement gets now, as a plan carries it."""
    return sha256(placement.environment.values_for(placement.integration))


# --- Values ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter of a definition, and what it is in an environment."""

    parameter: DeploymentParameter
    own: str | None
    """The integration's own value there."""
    shared: str | None
    """The environment's."""

    @property
    def value(self) -> str | None:
        """What a deployment gets; None where nothing gives it."""
        return next((value for value in (self.own, self.shared, self.parameter.default) if value is not None), None)

    @property
    def source(self) -> str:
        """Where it comes from."""
        if self.own is not None:
            return "own"
        if self.shared is not None:
            return "environment"
        return "default" if self.parameter.default is not None else "nothing"


def parameter_values(placement: Placement, api: Api) -> list[ParameterValue]:
    """The parameters of a definition, as they are in the placement's environment."""
    here = Q(integration=None) | Q(integration=placement.integration_id)
    bindings = list(placement.environment.bindings.filter(here))
    own = {one.name: one.value for one in bindings if one.integration_id == placement.integration_id}
    shared = {one.name: one.value for one in bindings if one.integration_id is None}
    return [ParameterValue(one, own.get(one.name), shared.get(one.name)) for one in parameters_of(api)]


def unbound(values: Iterable[ParameterValue]) -> list[str]:
    """The names that nothing gives a value."""
    return [one.parameter.name for one in values if one.value is None]


# --- Reading the account ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """What an account held, and who asked."""

    state: AccountState
    seen_as: str


def read(placement: Placement, api: Api, person: str) -> Reading:
    """The account as far as a plan for `api` needs it. Raises AwsError, and PlanError where a value is missing."""
    environment = placement.environment
    account = connect(environment, person=person)
    identity = account.identity()
    nothing = AccountState(account=identity.account, region=environment.region)
    bound = bound_to(placed(api, placement), environment.values_for(placement.integration), nothing, environment.stage_name)
    functions = functions_of(bound, nothing)
    state = account.account_state(placement.rest_api_id, stage_name=environment.stage_name, functions=functions)
    Environment.objects.filter(pk=environment.pk).update(seen_as=identity.arn, seen_at=timezone.now())
    return Reading(state, identity.arn)


def propose(placement: Placement, plan: Plan, reading: Reading, *, revision: Revision | None, by: User) -> Proposal:
    """Keep a plan as it is shown."""
    return Proposal.objects.create(
        placement=placement,
        revision=revision,
        plan=to_json(plan),
        plan_hash=plan.hash,
        seen_as=reading.seen_as,
        made_by=by,
    )
