"""Methods that exist in an account, made in some other way → integrations of the catalog, and what became of each."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.utils.text import slugify

from integrations.deployment import WAITS, enter, route_names
from integrations.gateway.account import AccountState
from integrations.gateway.definition import Api, Route
from integrations.gateway.findings import Finding, tally
from integrations.gateway.grammar import path_parts
from integrations.gateway.observed import Remark, observed
from integrations.gateway.rules import check
from integrations.models import (
    SLUG_LENGTH,
    Environment,
    Integration,
    Placement,
    backend_and_target,
    free_slug,
)

WORDS = {
    "GET": "get",
    "POST": "create",
    "PUT": "put",
    "PATCH": "change",
    "DELETE": "delete",
    "HEAD": "head",
    "OPTIONS": "options",
    "ANY": "any",
}
"""How the name of a method's integration begins."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method that could be brought into the catalog."""

    name: str
    """`GET /books`."""
    api: Api
    """Alone, as the catalog would keep it."""
    remarks: tuple[Remark, ...]
    findings: tuple[Finding, ...]
    known: Integration | None
    """The integration that Gatehouse has for it already."""

    @property
    def route(self) -> Route:
        """The method."""
        return self.api.routes[0]

    @property
    def backend(self) -> str:
        """The backend, as lists call it."""
        return backend_and_target(self.api)[0]

    @property
    def target(self) -> str:
        """Where it leads."""
        return backend_and_target(self.api)[1]

    @property
    def counts(self) -> dict[str, int]:
        """Its findings by severity."""
        return tally(self.findings)


@dataclass(frozen=True, slots=True)
class Found:
    """A REST API of an account, method by method."""

    state: AccountState
    candidates: tuple[Candidate, ...]
    left: tuple[Remark, ...]
    """What no integration holds: methods without one, settings of the API."""


def look(environment: Environment, api_id: str, person: str) -> Found:
    """What stands in a REST API. Raises AwsError."""
    state = enter(environment, person, WAITS).account_state(api_id, stage_name=environment.stage_name)
    whole, remarks = observed(state, stage_name=environment.stage_name)
    known = {
        (route.method, placement.path or route.path): placement.integration
        for placement in Placement.objects.filter(environment=environment, rest_api_id=api_id).select_related("integration")
        for route in placement.integration.latest.api.routes
    }
    names = frozenset(route_names(whole))
    candidates = []
    for route in whole.routes:
        api = by_itself(whole, route)
        name = f"{route.method} {route.path}"
        own = tuple(remark for remark in remarks if remark.route == name)
        candidates.append(Candidate(name, api, own, tuple(check(api)), known.get((route.method, route.path))))
    return Found(state, tuple(candidates), tuple(remark for remark in remarks if remark.route not in names))


def by_itself(whole: Api, route: Route) -> Api:
    """One method of an API as an integration: with the models and stage variables that it refers to."""
    models = {*route.request_models.values(), *(name for one in route.responses for name in one.response_models.values())}
    text = repr(route)
    return Api(
        name=name_of(route),
        models=tuple(model for model in whole.models if model.name in models),
        stage_variables={name: value for name, value in whole.stage_variables.items() if f"stageVariables.{name}" in text},
        binary_media_types=whole.binary_media_types,
        authorizers=tuple(one for one in whole.authorizers if one.name == route.authorizer),
        routes=(route,),
    )


def name_of(route: Route) -> str:
    """What to call it, of its method and path: `get-books-id`."""
    parts = [part.variable or part.text for part in path_parts(route.path)]
    words = slugify(" ".join([WORDS.get(route.method, route.method.lower()), *parts, *([] if parts else ["root"])]))
    return words[:SLUG_LENGTH].strip("-") or "method"


def take(environment: Environment, found: Found, names: Iterable[str], by: User) -> list[Integration]:
    """Bring methods into the catalog, each as an integration that stands where it was found. For use in a transaction."""
    wanted, made = set(names), list[Integration]()
    stage = found.state.stage(environment.stage_name)
    title = str((found.state.api or {}).get("name", ""))
    for candidate in found.candidates:
        if candidate.name not in wanted or candidate.known:
            continue
        slug = free_slug(environment.team, candidate.api.name)
        api = replace(candidate.api, name=slug)
        entry = Integration(team=environment.team, slug=slug, created_by=by)
        message = f"Taken over from {title or found.state.api_id} in {environment.name}"
        revision = entry.save_revision(api, by, message)
        placement = Placement.objects.create(
            environment=environment, integration=entry, rest_api_id=found.state.api_id, whole=False
        )
        if stage and stage.get("deploymentId"):
            there = replace(api, stage_name=environment.stage_name)
            placement.went_live(str(stage["deploymentId"]), there, revision=revision, by=None, note="Was there before")
        made.append(entry)
    return made
