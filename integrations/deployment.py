"""What an integration is to be in an environment, what the account holds of it, and the plan that gets it there."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from integrations.aws import Account, AwsError, connect
from integrations.gateway.account import AccountState
from integrations.gateway.definition import Api, DeploymentParameter, Route, dumps, loads, parameters_of, with_defaults
from integrations.gateway.diff import Order, Spot, merge
from integrations.gateway.formats import openapi
from integrations.gateway.formats.export import UnreadableText
from integrations.gateway.observed import observed
from integrations.gateway.plan import (
    Plan,
    as_held,
    bound_to,
    from_json,
    functions_of,
    make_plan,
    plan_destroy,
    plan_rollback,
    to_json,
)
from integrations.gateway.plan.value import sha256
from integrations.models import (
    Deployment,
    Environment,
    Integration,
    Operation,
    Placement,
    Proposal,
    Purpose,
    Revision,
    State,
    placements_of,
)
from integrations.recovery import settle

DEPLOYS = (Purpose.DEPLOY, Purpose.ADOPT)
"""Purposes that put a definition there."""


def placed(api: Api, placement: Placement) -> Api:
    """The definition at the path that the placement has there; an API keeps its paths."""
    if not placement.path or placement.integration.is_api:
        return api
    return replace(api, routes=(replace(api.routes[0], path=placement.path),))


def nothing(environment: Environment) -> AccountState:
    """The environment's account before anything of it was read."""
    return AccountState(account=environment.account, region=environment.region)


def values_of(placement: Placement, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Parameter → value, as a deployment of the placement gets it; `given` comes before what the environment has."""
    return placement.environment.values_for(placement.integration) | dict(given or {})


def bound(api: Api, placement: Placement, given: Mapping[str, str] | None = None) -> Api:
    """The definition as it will be there, values in place. Raises PlanError."""
    environment = placement.environment
    values = values_of(placement, given)
    return bound_to(placed(api, placement), values, nothing(environment), environment.stage_name)


def applied(placement: Placement) -> tuple[Api, ...]:
    """What Gatehouse has applied there, or begun to, values in place: what is its own to delete."""
    kept = placement.deployments.values_list("definition", flat=True)
    begun = Operation.objects.filter(placement=placement, started_at__isnull=False).exclude(definition="")
    texts = dict.fromkeys([*kept, *begun.values_list("definition", flat=True)])
    return tuple(loads(text) for text in texts)


def last_plan(placement: Placement) -> Plan | None:
    """The plan that was last applied there to its end."""
    done = Operation.objects.filter(placement=placement, purpose__in=DEPLOYS, state=State.DONE)
    found = done.order_by("-finished_at", "-pk").first()
    return from_json(found.plan) if found else None


def bindings_hash(placement: Placement) -> str:
    """SHA-256 over the values that a deployment of the placement gets now, as a plan carries it."""
    return sha256(values_of(placement))


# --- Plans -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """What an account held, and who asked."""

    state: AccountState
    seen_as: str


WAITS = 10.0
"""Seconds in which a page has the account read; what takes longer is said, and is for the command line."""


def enter(environment: Environment, person: str, within: float | None = None) -> Account:
    """The account, once AWS said that it is the environment's. Keeps who Gatehouse is there. `within`: see `aws.connect`. Raises
    AwsError."""
    account = connect(environment, person=person, within=within)
    environment.seen_as, environment.seen_at = account.identity().arn, timezone.now()
    environment.save(update_fields=["seen_as", "seen_at"])
    return account


def read(placement: Placement, person: str, api: Api | None = None, *, within: float | None = None) -> Reading:
    """The account, as far as a plan needs it that makes it hold `api` (values in place). Raises AwsError."""
    environment = placement.environment
    account = enter(environment, person, within)
    if placement.pk:
        settle(placement, account)
    functions = functions_of(api, nothing(environment)) if api else ()
    state = account.account_state(placement.rest_api_id, stage_name=environment.stage_name, functions=functions)
    if placement.pk:
        remember(placement, state)
    return Reading(state, environment.seen_as)


def plan_of_revision(
    placement: Placement,
    revision: Revision,
    person: str,
    given: Mapping[str, str] | None = None,
    *,
    within: float | None = None,
) -> tuple[Plan, Reading]:
    """What makes the account hold and serve a revision. `given`: values that the environment does not have yet. Raises AwsError
    and PlanError."""
    api = revision.api
    reading = read(placement, person, bound(api, placement, given), within=within)
    return deploying(placement, placed(api, placement), reading.state, given), reading


def deploying(placement: Placement, api: Api, state: AccountState, given: Mapping[str, str] | None = None) -> Plan:
    """What makes that state hold and serve `api` with the environment's values. Raises PlanError."""
    environment = placement.environment
    return make_plan(
        api,
        state,
        values=values_of(placement, given),
        stage_name=environment.stage_name,
        applied=applied(placement),
        last=last_plan(placement),
        whole=placement.whole,
    )


def plan_back_to(placement: Placement, deployment: Deployment, person: str) -> tuple[Plan, Reading]:
    """What brings the stage back to a deployment. Raises AwsError and PlanError."""
    reading = read(placement, person, deployment.api, within=WAITS)
    current = placement.live.api if placement.live else None
    plan = plan_rollback(
        reading.state,
        stage_name=placement.environment.stage_name,
        deployment_id=deployment.deployment_id,
        former=deployment.api,
        current=current,
    )
    return plan, reading


def plan_away(placement: Placement, person: str) -> tuple[Plan, Reading]:
    """What takes away all that Gatehouse made there. Raises AwsError and PlanError."""
    reading = read(placement, person, within=WAITS)
    plan = plan_destroy(
        reading.state,
        stage_name=placement.environment.stage_name,
        applied=applied(placement),
        last=last_plan(placement),
        whole=placement.whole,
    )
    return plan, reading


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


# --- What is there ---------------------------------------------------------------------------------


def remember(placement: Placement, state: AccountState) -> None:
    """Keep what the account held of the placement, and in how many options that is not what was deployed from here."""
    stage = placement.environment.stage_name
    live = placement.live.api if placement.live else None
    names = None if placement.whole else frozenset(route_names(live)) if live else frozenset[str]()
    configured = observed(state, stage_name=stage)[0]
    deployed = served(state, stage)
    placement.configured = dumps(narrowed(configured, names)) if state.api else ""
    placement.deployed = dumps(narrowed(deployed, names)) if deployed else ""
    placement.read_at = timezone.now()
    found = drift_of(placement)
    placement.differences = len(found) if found is not None else len(live.routes) if live else None
    Placement.objects.filter(pk=placement.pk).update(
        configured=placement.configured,
        deployed=placement.deployed,
        read_at=placement.read_at,
        differences=placement.differences,
    )


def served(state: AccountState, stage_name: str) -> Api | None:
    """What a stage serves, of its export; None where there is none, or none that says it."""
    export = state.exports.get(stage_name)
    if export is None:
        return None
    try:
        found = openapi.load(json.dumps(export)).apis
    except UnreadableText:
        return None
    return replace(found[0], stage_name=stage_name) if found else None


def narrowed(api: Api, names: frozenset[str] | None) -> Api:
    """The definition with these routes alone, and without what is the API's; all of it where there is no narrowing."""
    if names is None:
        return api
    return Api(stage_name=api.stage_name, routes=tuple(route for route in api.routes if f"{route.method} {route.path}" in names))


def route_names(api: Api) -> Iterable[str]:
    """The routes of a definition: `GET /books`."""
    return (f"{route.method} {route.path}" for route in api.routes)


@dataclass(frozen=True, slots=True)
class Drift:
    """What somebody else changed in the account since it was deployed from here, spot by spot."""

    placement: Placement
    saved: Api
    """The latest revision, at the path of the placement."""
    live: Api
    """As it was deployed, and as it is there now; both as they are read back."""
    there: Api

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Where the account differs. What is saved stands beside it: one may adopt into it."""
        found = merge(self.live, self.saved, self.there).spots
        return tuple(spot for spot in found if spot.state in ("theirs", "conflict", "same") and not is_reordered(spot))

    def __len__(self) -> int:
        """How many options differ, and methods were added."""
        return len(self.spots) + len(self.strangers)

    @property
    def strangers(self) -> tuple[str, ...]:
        """Methods that somebody else added to an API of Gatehouse's: `GET /books`."""
        if not self.placement.whole or not self.placement.configured:
            return ()
        own = set(route_names(self.live))
        return tuple(name for name in route_names(loads(self.placement.configured)) if name not in own)

    def adopted(self, chosen: Iterable[str]) -> Api:
        """What is saved, with what the account has at the chosen spots (Spot.name)."""
        wanted = set(chosen)
        merged = merge(self.live, self.saved, self.there)
        found = merged.resolved({spot.name: "theirs" if spot.name in wanted else "mine" for spot in merged.spots})
        original = self.placement.integration.latest.api
        if len(found.routes) != 1 or len(original.routes) != 1:
            return found
        return replace(found, routes=(replace(found.routes[0], path=original.routes[0].path),), stage_name=original.stage_name)

    def reverted(self, chosen: Iterable[str]) -> Api:
        """What the account has, with what was deployed at the chosen spots; values in place."""
        wanted = set(chosen)
        merged = merge(self.live, self.live, self.there)
        return merged.resolved({spot.name: "mine" if spot.name in wanted else "theirs" for spot in merged.spots})


def is_reordered(spot: Spot) -> bool:
    """Whether rows were only moved: AWS keeps none in an order."""
    return isinstance(spot.theirs, Order) or isinstance(spot.base, Order)


def drift_of(placement: Placement) -> Drift | None:
    """What was changed there; None where nothing was deployed from here, or nobody has read it since, or it is gone."""
    if placement.live is None or not placement.configured:
        return None
    live = held(placement.live.api, placement)
    there = narrowed(loads(placement.configured), frozenset(route_names(live)))
    there = replace(loads(placement.configured), routes=there.routes) if placement.whole else there
    return Drift(placement, placed(placement.integration.latest.api, placement), with_defaults(live), with_defaults(there))


def plan_reverting(placement: Placement, api: Api, person: str) -> tuple[Plan, Reading]:
    """What makes the account hold and serve a definition whose values are in place. Raises AwsError and PlanError."""
    reading = read(placement, person, api, within=WAITS)
    return deploying(placement, api, reading.state), reading


def held(api: Api, placement: Placement) -> Api:
    """A definition, values in place, as it would be read back from there."""
    names = None if placement.whole else frozenset(route_names(api))
    return narrowed(as_held(api, nothing(placement.environment)), names)


@dataclass(frozen=True, slots=True)
class Standing:
    """An integration in one environment."""

    environment: Environment
    placement: Placement | None
    latest_number: int
    operation: Operation | None = None
    """What is under way there, or waits for approval."""

    @property
    def live(self) -> Revision | None:
        """What was last deployed from here."""
        return self.placement.live.revision if self.placement and self.placement.live else None

    @property
    def is_live(self) -> bool:
        """Whether anything was."""
        return bool(self.placement and self.placement.live)

    @property
    def lags(self) -> bool:
        """Whether something is saved, or of what an API follows published, and not live."""
        return self.is_live and (self.live is None or self.live.number != self.latest_number or self.is_outrun)

    @property
    def is_outrun(self) -> bool:
        """Of an API: whether what is live is the latest revision, and what a route of it follows was published since."""
        latest = self.live is not None and self.live.number == self.latest_number
        return latest and self.placement is not None and self.placement.is_outrun

    @property
    def drifted(self) -> bool:
        """Whether AWS had something else when it was last read."""
        return bool(self.placement and self.placement.differences)


def standings(entries: Sequence[Integration], environments: Sequence[Environment]) -> dict[int, list[Standing]]:
    """Where these stand, in the order of the environments, by the key of the integration. In one query."""
    placements = placements_of(entries) if environments else {}
    return {
        entry.pk: [Standing(one, placements.get((entry.pk, one.pk)), entry.latest_number) for one in environments]
        for entry in entries
    }


# --- Testing a method ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MethodCall:
    """What TestInvokeMethod is asked."""

    method: str
    path: str
    """With what stands in the place of variables, and the query: `/orders/7?all=1`."""
    headers: Mapping[str, Sequence[str]]
    body: str


def invoke(placement: Placement, route: Route, call: MethodCall, person: str) -> Mapping[str, Any]:
    """What API Gateway answers to a call of the method as it is configured now, deployed or not; the real backend is called.
    Raises AwsError."""
    account = enter(placement.environment, person, within=30.0)
    api_id, position = placement.rest_api_id, dict[str, str]()
    resource = ""
    while not resource:
        page = account.ask("apigateway", "get_resources", restApiId=api_id, limit=500, **position)
        resource = next((one["id"] for one in page.get("items", ()) if one.get("path") == route.path), "")
        if not page.get("position"):
            break
        position = {"position": page["position"]}
    if not resource:
        raise AwsError(f"There is no {route.path} in the REST API {api_id}: nothing was called. Deploy it first.", "NotFound")
    variables = placement.live.api.stage_variables if placement.live else {}
    parameters = {
        "restApiId": api_id,
        "resourceId": resource,
        "httpMethod": call.method,
        "pathWithQueryString": call.path,
        "multiValueHeaders": {name: list(values) for name, values in call.headers.items()},
        "body": call.body,
        "stageVariables": dict(variables),
    }
    return account.perform("apigateway", "test_invoke_method", {name: value for name, value in parameters.items() if value})


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
