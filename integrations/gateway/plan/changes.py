"""Two states of an API → what differs between them, by route and option, as people read it."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from integrations.gateway.account import AccountState, Answer
from integrations.gateway.calls import Joined, Ref, calls_of
from integrations.gateway.definition import Api, Integration, Lambda, MethodSettings, Route, with_defaults
from integrations.gateway.diff import BACKEND_WORDS, diff, pointer, words
from integrations.gateway.observed import SETTINGS, observed
from integrations.gateway.options import options_of
from integrations.gateway.plan.things import CHOSEN, Key, Thing, ignored_by, pseudo, wanted
from integrations.gateway.plan.value import Change

KINDS: Mapping[str, Literal["add", "change", "remove"]] = {"added": "add", "removed": "remove", "changed": "change"}


def as_held(api: Api, state: AccountState) -> Api:
    """A definition, values in place, as it would be read back from that account: to be compared with what is `observed`."""
    return observed(imagined(wanted(calls_of(api), pseudo(state)), state), stage_name=api.stage_name)[0]


def imagined(things: Mapping[Key, Thing], state: AccountState) -> AccountState:
    """The account as if it held exactly these things. What AWS would number has the name of the call that makes it as its id."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("models", "validators", "authorizers", "gateway_responses")}
    lists = {
        "create_model": "models",
        "create_request_validator": "validators",
        "create_authorizer": "authorizers",
        "put_gateway_response": "gateway_responses",
    }
    api: dict[str, Any] = {"id": "{api}"}
    resources: dict[str, dict[str, Any]] = {}
    stages: list[dict[str, Any]] = []
    policies: dict[str, list[Answer]] = {}
    for key, thing in things.items():
        said = {name: _literal(value) for name, value in (thing.call.parameters if thing.call else thing.says).items()}
        name = thing.call.name if thing.call else ""
        match key:
            case ("create_rest_api",):
                api |= said
            case (operation, *_) if operation in lists:
                found[lists[operation]].append({"id": name, **said})
            case ("create_stage", stage):
                stages.append({**said, "stageName": stage})
            case ("update_stage", _):
                _settle(stages[-1], said["patchOperations"])
            case ("add_permission", function, _):
                condition = {"ArnLike": {"AWS:SourceArn": said["SourceArn"]}}
                policies.setdefault(function, []).append({"Effect": "Allow", "Condition": condition})
            case (operation, verb, path, *status) if operation.startswith("put_"):
                resource = resources.setdefault(path, {"id": path, "path": path, "resourceMethods": {}})
                _put(operation, resource["resourceMethods"].setdefault(verb, {}), status, said)
    return replace(
        state,
        api=api,
        resources=tuple(resources.values()),
        stages=tuple(stages),
        deployments=(),
        exports={},
        policies={function: tuple(statements) for function, statements in policies.items()},
        models=tuple(found["models"]),
        validators=tuple(found["validators"]),
        authorizers=tuple(found["authorizers"]),
        gateway_responses=tuple(found["gateway_responses"]),
    )


def _put(operation: str, method: dict[str, Any], status: list[str], said: dict[str, Any]) -> None:
    """One put into a method, in the shape of `get_method`'s answer."""
    said = {name: value for name, value in said.items() if name not in ("restApiId", "resourceId", "httpMethod", "statusCode")}
    match operation:
        case "put_method":
            method |= said
        case "put_method_response":
            method.setdefault("methodResponses", {})[status[0]] = said
        case "put_integration":
            if "integrationHttpMethod" in said:
                said["httpMethod"] = said.pop("integrationHttpMethod")
            method["methodIntegration"] = {**said, "integrationResponses": {}}
        case "put_integration_response":
            method["methodIntegration"]["integrationResponses"][status[0]] = said


def _settle(stage: dict[str, Any], operations: list[dict[str, Any]]) -> None:
    """What patches make of a stage, in the shape of `get_stage`'s answer."""
    names = {option.boto3: SETTINGS[name] for name, option in options_of(MethodSettings).items() if option.boto3}
    for one in operations:
        first, *rest = one["path"].removeprefix("/").split("/")
        if first == "accessLogSettings":
            stage.setdefault("accessLogSettings", {})[rest[0]] = one["value"]
        else:
            held = stage.setdefault("methodSettings", {}).setdefault(f"{first}/{rest[0]}", {})
            held[names["/".join(rest[1:])]] = _typed(one["value"])


def _typed(value: str) -> Any:
    """A patch's text as the answer has it."""
    if value in ("true", "false"):
        return value == "true"
    try:
        return json.loads(value)
    except ValueError:
        return value


def _literal(value: Any) -> Any:
    """A value of a wanted call, the names of calls in the place of their answers."""
    match value:
        case Ref("api", "id"):
            return "{api}"
        case Ref(call, _):
            return call
        case Joined(parts):
            return "".join(str(_literal(part)) for part in parts)
        case dict():
            return {key: _literal(inner) for key, inner in value.items()}
        case list():
            return [_literal(inner) for inner in value]
        case _:
            return value


# --- Differences -----------------------------------------------------------------------------------


def changes_between(before: Api, after: Api) -> tuple[Change, ...]:
    """What differs, the API's own settings first, then route by route; defaults written out on both sides."""
    found = list(settings_changes(before, after))
    mine, theirs = ({f"{route.method} {route.path}": route for route in api.routes} for api in (before, after))
    for name in dict.fromkeys((*mine, *theirs)):
        if name not in theirs:
            found.append(removed(name))
        elif name not in mine:
            found += added(name, theirs[name])
        elif mine[name] != theirs[name]:
            found += route_changes(name, mine[name], theirs[name])
    return tuple(found)


def settings_changes(before: Api, after: Api) -> Iterator[Change]:
    """Of what is no route's."""
    yield from _changes("", replace(with_defaults(replace(before, routes=()))), with_defaults(replace(after, routes=())), "")


def route_changes(name: str, before: Route, after: Route) -> Iterator[Change]:
    """Of one method."""
    yield from _changes(name, _alone(before), _alone(after), after.integration.type)


def added(name: str, after: Route) -> Iterator[Change]:
    """A new method: its backend, and what is set."""
    backend = after.integration.backend
    said = words(backend) or BACKEND_WORDS[backend.kind]
    yield Change(route=name, kind="add", option="/integration/backend", label="Backend", before="", after=said)
    bare = Route(method=after.method, path=after.path, integration=Integration(backend=backend))
    for change in _changes(name, _alone(bare), _alone(after), after.integration.type):
        yield replace(change, kind="add", before="")


def removed(name: str) -> Change:
    """A method that goes."""
    return Change(route=name, kind="remove", option="", label="Method and integration", before=name, after="")


def changes_of_stage(before: Mapping[str, Any], operations: Iterable[Any]) -> Iterator[Change]:
    """What patches change of a stage. `before`: its parameters and settings as they are, by name and by path."""
    for one in operations:
        path, value = str(one["path"]), str(one.get("value", ""))
        if path == "/deploymentId":
            continue
        first, _, rest = path.removeprefix("/").partition("/")
        if first == "variables":
            name = rest.replace("~1", "/").replace("~0", "~")
            option, label, was = f"/stage_variables/{name}", f"Stage variable {name}", (before.get(first) or {}).get(name, "")
        elif path in SETTING_LABELS or first in STAGE_LABELS:
            option, label = STAGE_LABELS.get(first) or SETTING_LABELS[path]
            was = before.get(path, before.get(first, ""))
        else:
            method, _, name = rest.partition("/")
            resource = first.replace("~1", "/")
            option, label = SETTING_LABELS.get(name, (name, name))
            place = "all methods" if (resource, method) == ("*", "*") else f"{method} {resource}"
            option, label, was = f"/method_settings{option}", f"{label} of {place}", before.get(path, "")
        kind: Literal["add", "change", "remove"] = "remove" if one["op"] == "remove" else "change" if was != "" else "add"
        yield Change(route="", kind=kind, option=option, label=label, before=str(was), after=value)


def tag_changes(before: Mapping[str, Any], after: Mapping[str, Any], ours: Collection[str]) -> Iterator[Change]:
    """What changes of the tags of a stage."""
    for key in dict.fromkeys((*after, *(key for key in before if key in ours))):
        was, now = before.get(key), after.get(key)
        if was != now:
            kind: Literal["add", "change", "remove"] = "add" if was is None else "remove" if now is None else "change"
            option, label = f"/stage_tags/{key}", f"Stage tag {key}"
            yield Change(route="", kind=kind, option=option, label=label, before=str(was or ""), after=str(now or ""))


STAGE_LABELS = {
    one.boto3: (f"/{name}", one.label)
    for name, one in options_of(Api).items()
    if name in ("cache_cluster_enabled", "cache_cluster_size", "tracing_enabled", "stage_description")
}
SETTING_LABELS = {one.boto3: (f"/{name}", one.label) for name, one in options_of(MethodSettings).items() if one.boto3} | {
    f"/accessLogSettings/{key}": (f"/{name}", options_of(Api)[name].label)
    for key, name in (("destinationArn", "access_log_destination"), ("format", "access_log_format"))
}
"""What a patch of a stage names → the option, and what people call it."""


def _alone(route: Route) -> Api:
    """The route with its defaults, every parameter and response that is in effect, and without what only policies say."""
    backend = route.integration.backend
    if isinstance(backend, Lambda):
        bare = replace(backend, allow_test_invoke=None, scope_permission_to_method=None, permission_functions=())
        route = replace(route, integration=replace(route.integration, backend=bare))
    route = replace(route, declared=route.request_parameters, responses=route.method_responses, suppressed=())
    return Api(routes=(with_defaults(route),))


def _changes(route: str, before: Api, after: Api, type_: str) -> Iterator[Change]:
    """The differences as changes; rows that only moved, and what the integration's type ignores, are none."""
    depth, ignored = (2, ignored_by(type_)) if route else (0, frozenset[str]())
    for one in diff(before, after):
        name = one.option.boto3.partition(".")[0] if one.option is not None else ""
        chosen = one.option is not None and one.option.boto3.rpartition(".")[2] in CHOSEN and None in (one.before, one.after)
        if one.kind != "moved" and not chosen and not (name and name in ignored and "integration" in one.key):
            option = pointer(one.key[depth:])
            yield Change(route=route, kind=KINDS[one.kind], option=option, label=one.label, before=one.was, after=one.now)
