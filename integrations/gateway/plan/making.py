"""A definition and what an account holds → the plan that turns the one into the other."""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from integrations.gateway import rates
from integrations.gateway.account import AccountState, Answer
from integrations.gateway.calls import Call, Ref, Value, calls_of, joined
from integrations.gateway.definition import (
    Api,
    DefinitionError,
    Integration,
    Lambda,
    Route,
    bind,
    digest,
    dumps,
    parameters_of,
    with_defaults,
)
from integrations.gateway.diff import BACKEND_WORDS, diff, pointer, words
from integrations.gateway.findings import Severity
from integrations.gateway.observed import Checks, checks_of, models_of, route_of
from integrations.gateway.plan.things import (
    METHOD_PARTS,
    Key,
    Thing,
    content,
    differing,
    held,
    ignored_by,
    patches,
    pseudo,
    settled,
    wanted,
)
from integrations.gateway.plan.value import (
    Change,
    Forecast,
    Phase,
    Plan,
    PlanError,
    PlannedCall,
    Purpose,
    Warning,
    canonical,
    sha256,
)
from integrations.gateway.rules import check

MARK = "gatehouse"
"""The tag of a REST API that an operation made."""
POLICY_BYTES = 20_480
"""What Lambda takes as the resource policy of one function (its developer guide, "Lambda quotas")."""


def make_plan(
    api: Api,
    state: AccountState,
    *,
    values: Mapping[str, str],
    stage_name: str,
    applied: Sequence[Api] = (),
    whole: bool = True,
) -> Plan:
    """What makes the account hold and serve the definition.

    `values`: what the environment gives for parameters; one that has neither a value nor a default is an error. `applied`:
    the definitions that Gatehouse has applied to this API, or begun to, values in place: what they made and this one does not
    have is deleted, and nothing else. `whole`: whether the API's own settings are Gatehouse's; otherwise the methods alone are.
    Raises PlanError.
    """
    bound = bound_to(api, values, state, stage_name)
    making = _Making(bound, state, stage_name, applied=applied, whole=whole)
    return making.plan("deploy" if whole else "adopt", values)


def bound_to(api: Api, values: Mapping[str, str], state: AccountState, stage_name: str) -> Api:
    """The definition with every value in place. Raises PlanError with what has none, what does not fit, and what AWS would
    refuse."""
    given = {one.name: one.default for one in parameters_of(api) if one.default is not None} | dict(values)
    missing = [one.name for one in parameters_of(api) if one.name not in given]
    if missing:
        raise PlanError(
            f"${{{name}}} has no value here. Give it one in the environment, for this API or for all, or give it a default."
            for name in missing
        )
    try:
        bound = bind(replace(api, stage_name=stage_name), given)
    except DefinitionError as error:
        raise PlanError([f"A value does not fit: {error}"]) from error
    refused = [finding for finding in check(bound) if finding.severity is Severity.ERROR]
    if refused:
        raise PlanError(f"{_where(bound, finding.path)}{finding.message}" for finding in refused)
    return bound


def _where(api: Api, path: Sequence[Any]) -> str:
    if len(path) > 1 and path[0] == "routes" and isinstance(path[1], int):
        route = api.routes[path[1]]
        return f"{route.method} {route.path}: "
    return ""


def functions_of(api: Api, state: AccountState) -> tuple[str, ...]:
    """The functions whose permission a bound definition needs, as `get_policy` takes them."""
    things = wanted(calls_of(api), pseudo(state))
    return tuple(dict.fromkeys(key[1] for key in things if key[0] == "add_permission"))


@dataclass
class _Making:
    """A plan while it is made."""

    api: Api
    state: AccountState
    stage_name: str
    _: dataclasses.KW_ONLY
    applied: Sequence[Api] = ()
    whole: bool = True
    calls: list[PlannedCall] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)

    def __post_init__(self) -> None:
        given = pseudo(self.state)
        self.held = held(self.state)
        self.wanted = wanted(calls_of(self.api), given)
        self.owned = {key for api in self.applied for key in wanted(calls_of(api), given)}
        self.known: dict[str, Answer] = {}
        for key, thing in self.wanted.items():
            if thing.call is not None and thing.call.name and key in self.held:
                self.known[thing.call.name] = self.held[key].answer
        if self.state.api is not None:
            self.known["api"] = self.held["create_rest_api",].answer
        self.content = content(self.wanted)

    # --- The order --------------------------------------------------------------------------------

    def plan(self, purpose: Purpose, values: Mapping[str, str]) -> Plan:
        """All of it."""
        self.prepare()
        for route, things in self.by_route().items():
            self.configure(route, things)
        self.delete()
        self.permit()
        self.deploy()
        self.forbid()
        phases = list(Phase)
        calls = tuple(sorted(self.calls, key=lambda planned: phases.index(planned.phase)))
        stage = self.state.stage(self.stage_name) or {}
        text = dumps(self.api)
        return Plan(
            purpose=purpose,
            account=self.state.account,
            region=self.state.region,
            api_id=self.state.api_id,
            stage_name=self.stage_name,
            calls=calls,
            changes=tuple(self.changes),
            warnings=tuple(self.warnings),
            forecast=self.forecast(calls),
            unchanged=len(self.api.routes)
            - len({change.route for change in self.changes if change.route} & set(self.by_route())),
            former_deployment=str(stage.get("deploymentId", "")),
            definition=text,
            definition_hash=digest(text),
            bindings_hash=sha256(dict(values)),
            state_hash=self.state.digest,
        )

    def prepare(self) -> None:
        """The API, resources, and what methods refer to."""
        for key, thing in self.wanted.items():
            if key[0] in METHOD_PARTS or key[0] in ("add_permission", "create_deployment", "create_stage"):
                continue
            if key not in self.held:
                self.make(thing, Phase.PREPARE)
            elif names := differing(self.held[key], thing, self.known):
                if self.whole or key in self.owned or not thing.kind.shared:
                    self.update(thing, names, Phase.PREPARE)
                else:
                    message = (
                        f"{thing.words.capitalize()} is the API's own and another one than the definition's: it stays as it is."
                    )
                    self.warnings.append(Warning(message=message))
        self.changes += self.changes_of_api()

    def by_route(self) -> dict[str, dict[Key, Thing]]:
        """The wanted things of each method."""
        found: dict[str, dict[Key, Thing]] = {}
        for key, thing in self.wanted.items():
            if key[0] in METHOD_PARTS:
                found.setdefault(thing.route, {})[key] = thing
        return found

    def configure(self, route: str, things: Mapping[Key, Thing]) -> None:
        """One method. What a response or an integration refers to is there before it, and goes after it."""
        before = len(self.calls)
        old = self.held_of(route)
        method = next(thing for key, thing in things.items() if key[0] == "put_method")
        integration = next((thing for key, thing in things.items() if key[0] == "put_integration"), None)
        put = integration is not None and (
            integration.key not in old or bool(differing(old[integration.key], integration, self.known))
        )
        late: list[PlannedCall] = []
        for key, thing in things.items():
            if key[0] in ("put_method", "put_method_response"):
                if key not in old:
                    self.make(thing, Phase.CONFIGURATION)
                elif names := differing(old[key], thing, self.known):
                    late += self.update(thing, names, Phase.CONFIGURATION, split=True)
        gone = [thing for key, thing in old.items() if key not in things]
        for thing in gone:
            if thing.key[0] == "put_integration_response":
                self.remove(thing, Phase.CONFIGURATION)
        if put and integration is not None:
            names = differing(old[integration.key], integration, self.known) if integration.key in old else ()
            self.make(integration, Phase.CONFIGURATION, names)
        for key, thing in things.items():
            if key[0] == "put_integration_response":
                names = differing(old[key], thing, self.known) if key in old else ()
                if put or names or key not in old:
                    self.make(thing, Phase.CONFIGURATION, names)
        self.calls += late
        for thing in gone:
            if thing.key[0] == "put_method_response":
                self.remove(thing, Phase.CONFIGURATION)
        if len(self.calls) > before:
            self.changes += self.changes_of_route(route, things, old)
            if method.key in old and method.key not in self.owned:
                message = "It was not made by Gatehouse: this plan takes it over."
                self.warnings.append(Warning(message=message, route=route))

    def held_of(self, route: str) -> dict[Key, Thing]:
        """The things of a method as they are."""
        if not hasattr(self, "_routes"):
            self._routes: dict[str, dict[Key, Thing]] = {}
            for key, thing in self.held.items():
                if key[0] in METHOD_PARTS:
                    self._routes.setdefault(thing.route, {})[key] = thing
        return self._routes.get(route, {})

    def delete(self) -> None:
        """What Gatehouse made and the definition does not have any more: methods, resources without methods, the rest."""
        gone = [thing for key, thing in self.held.items() if key in self.owned and key not in self.wanted]
        routes = {thing.route for thing in gone if thing.key[0] == "put_method"}
        for thing in gone:
            if thing.key[0] == "put_method":
                self.remove(thing, Phase.CONFIGURATION)
                self.changes.append(
                    Change(
                        route=thing.route, kind="remove", option="", label="Method and integration", before=thing.route, after=""
                    )
                )
        stays = {key[2] for key in self.held if key[0] == "put_method" and f"{key[1]} {key[2]}" not in routes}
        stays |= {key[1] for key in self.held if key[0] == "create_resource" and key not in self.owned}
        stays |= {key[1] for key in self.wanted if key[0] == "create_resource"}
        for thing in sorted(gone, key=lambda one: one.key, reverse=True):
            path = thing.key[-1]
            if thing.key[0] == "create_resource" and not any(one == path or one.startswith(f"{path}/") for one in stays):
                self.remove(thing, Phase.CONFIGURATION)
        for thing in gone:
            if thing.key[0] in ("create_model", "create_request_validator", "create_authorizer", "put_gateway_response"):
                self.remove(thing, Phase.CONFIGURATION)
        self.left_alone()

    def left_alone(self) -> None:
        """Says which methods somebody else made."""
        others = [
            thing.route
            for key, thing in self.held.items()
            if key[0] == "put_method" and key not in self.owned and key not in self.wanted
        ]
        if others and self.whole:
            message = f"{_listed(others)} {'was' if len(others) == 1 else 'were'} added by someone else and will stay."
            self.warnings.append(Warning(message=message, level="info"))

    # --- Calls ------------------------------------------------------------------------------------

    def call(self, call: Call, phase: Phase, words: str, **more: Any) -> PlannedCall:
        """A call of the plan, with all that is known in place."""
        parameters = {name: settled(value, {}, self.known) for name, value in call.parameters.items()}
        return PlannedCall(call=replace(call, parameters=parameters), phase=phase, words=words, **more)

    def make(self, thing: Thing, phase: Phase, names: Sequence[str] = ()) -> None:
        """Create it or put it."""
        assert thing.call is not None
        call = thing.call
        verb = "Change" if names else "Create" if call.operation.startswith("create") else "Put"
        self.calls.append(self.call(call, phase, f"{verb} {thing.words}", route=thing.route, options=tuple(names)))

    def update(self, thing: Thing, names: Sequence[str], phase: Phase, *, split: bool = False) -> list[PlannedCall]:
        """Patch it, or put it again. With `split`, what is taken away is given back, to come later; else it is planned too."""
        if not thing.kind.update:
            self.make(thing, phase, names)
            return []
        before = self.held[thing.key]
        operations = [one for name in names for one in patches(name, before.says.get(name), self.said(thing, name))]
        removals = [one for one in operations if one["op"] == "remove"] if split else []
        found = []
        for number, part in enumerate(([one for one in operations if one not in removals], removals)):
            if part:
                call = Call(
                    service="apigateway", operation=thing.kind.update, parameters={**before.at, "patchOperations": list(part)}
                )
                planned = self.call(call, phase, f"Change {thing.words}", route=thing.route, options=tuple(names))
                found.append((number, planned))
        self.calls += [planned for number, planned in found if number == 0]
        return [planned for number, planned in found if number == 1]

    def said(self, thing: Thing, name: str) -> Any:
        """What it will say, AWS's default where it says nothing."""
        return settled(thing.says.get(name, thing.kind.says[name]), {}, self.known)

    def remove(self, thing: Thing, phase: Phase) -> None:
        """Delete it."""
        is_permission = thing.key[0] == "add_permission"
        call = Call(service="lambda" if is_permission else "apigateway", operation=thing.kind.delete, parameters=thing.at)
        verb = "Remove" if is_permission else "Delete"
        self.calls.append(self.call(call, phase, f"{verb} {thing.words}", route=thing.route, destructive=True))

    # --- Permissions ------------------------------------------------------------------------------

    def permit(self) -> None:
        """What the new deployment needs, before the stage moves."""
        for key, thing in self.wanted.items():
            if key[0] == "add_permission" and key not in self.held and thing.call is not None:
                mark = hashlib.sha256(canonical(list(key[1:])).encode("ascii")).hexdigest()[:12]
                statement = joined("gatehouse-", Ref("api", "id"), f"-{mark}")
                call = replace(thing.call, parameters={**thing.call.parameters, "StatementId": statement})
                self.calls.append(self.call(call, Phase.BEFORE_STAGE, f"Add {thing.words}"))
                self.changes.append(
                    Change(route="", kind="add", option="/permissions", label="Permission", before="", after=_permission(key))
                )

    def forbid(self) -> None:
        """What nothing needs any more, after the stage moved. Where other stages exist, what they may need stays."""
        own = f"gatehouse-{self.state.api_id}-"
        scopes = (f"{{api}}/{self.stage_name}/", "{api}/test-invoke-stage/")
        alone = all(stage.get("stageName") == self.stage_name for stage in self.state.stages)
        for key, thing in self.held.items():
            if key[0] != "add_permission" or key in self.wanted or not str(thing.at["StatementId"]).startswith(own):
                continue
            if any(scope in key[2] for scope in scopes) or alone:
                self.remove(thing, Phase.AFTER_STAGE)
                self.changes.append(
                    Change(route="", kind="remove", option="/permissions", label="Permission", before=_permission(key), after="")
                )

    # --- Deployment and stage ---------------------------------------------------------------------

    def deploy(self) -> None:
        """The deployment, where what is configured is not served yet; and the stage: one call moves it with its variables."""
        stage = self.wanted["create_stage", self.stage_name]
        old = self.held.get(stage.key)
        configured = any(call.phase in (Phase.PREPARE, Phase.CONFIGURATION) for call in self.calls)
        moves = configured or old is None or not self.serves(str(old.answer.get("deploymentId", "")))
        if moves:
            deployment = self.wanted["create_deployment",].call
            assert deployment is not None
            said = {"description": f"Gatehouse {self.content}"}
            deployment = replace(deployment, parameters={**deployment.parameters, **said})
            self.calls.append(self.call(deployment, Phase.BEFORE_STAGE, "Create the deployment"))
        if old is None:
            self.make(stage, Phase.STAGE)
        else:
            self.move(stage, old, moves=moves)
        if moves and not self.changes:
            before = f"deployment {old.answer.get('deploymentId', '')}" if old is not None else ""
            after, label = "a deployment of what is configured", f"Stage {self.stage_name}"
            kind: Literal["add", "change"] = "change" if before else "add"
            self.changes.append(Change(route="", kind=kind, option="/stage", label=label, before=before, after=after))

    def serves(self, deployment_id: str) -> bool:
        """Whether a deployment holds the definition: its description says of what it was made.

        In somebody's API others deploy too: theirs hold it as well when they are later than one of ours.
        """
        current = self.state.deployment(deployment_id) or {}
        mark = f"Gatehouse {self.content}"
        if str(current.get("description", "")).startswith(mark):
            return True
        mine = [one for one in self.state.deployments if str(one.get("description", "")).startswith(mark)]
        return not self.whole and any(str(one.get("createdDate", "")) <= str(current.get("createdDate", "")) for one in mine)

    def move(self, stage: Thing, old: Thing, *, moves: bool) -> None:
        """The stage's one call."""
        operations: list[Value] = []
        if moves:
            operations.append({"op": "replace", "path": "/deploymentId", "value": Ref("deployment", "id")})
        names = differing(old, stage, self.known)
        for name in names:
            before: Any = old.says.get(name)
            for operation in patches(name, before, self.said(stage, name)):
                if self.may(operation, before or {}):
                    operations.append(operation)
        if operations:
            call = Call(service="apigateway", operation="update_stage", parameters={**old.at, "patchOperations": operations})
            what = f"Point stage {self.stage_name} to the deployment" if moves else f"Change stage {self.stage_name}"
            self.calls.append(self.call(call, Phase.STAGE, what, options=names))
        self.changes += self.changes_of_stage(old, operations)

    def may(self, operation: Mapping[str, Value], before: Mapping[str, Any]) -> bool:
        """Whether a stage variable is Gatehouse's to change."""
        path = str(operation["path"])
        if not path.startswith("/variables/"):
            return True
        name = path.removeprefix("/variables/")
        ours = {name for api in self.applied for name in api.stage_variables}
        if operation["op"] == "add" or name in ours or (self.whole and operation["op"] == "replace"):
            return True
        if operation["op"] == "replace":
            message = (
                f"Stage variable {name} is {before[name]!r} and stays so: it is the API's own. The integration wants another."
            )
            self.warnings.append(Warning(message=message))
        elif self.whole:
            message = f"Stage variable {name} was added by someone else and stays."
            self.warnings.append(Warning(message=message, level="info"))
        return False

    # --- What changes, for people -----------------------------------------------------------------

    def changes_of_api(self) -> Iterator[Change]:
        """The API's own settings and models."""
        if self.state.api is None or not (self.whole or self.owned):
            return
        answer = self.state.api
        names = {model.name for model in self.api.models}
        before = Api(
            name=str(answer.get("name", "")),
            description=str(answer.get("description") or ""),
            models=tuple(
                model
                for model in models_of(self.state.models)
                if model.name in names or ("create_model", model.name) in self.owned
            ),
            binary_media_types=tuple(sorted(answer.get("binaryMediaTypes") or ())),
        )
        after = replace(
            before,
            name=self.api.name or "api",
            description=self.api.description,
            models=tuple(sorted(self.api.models, key=lambda model: model.name)),
            binary_media_types=tuple(sorted(self.api.binary_media_types)),
        )
        yield from _changes("", before, after)

    def changes_of_stage(self, old: Thing, operations: Iterable[Value]) -> Iterator[Change]:
        """Its variables."""
        variables = old.says.get("variables") or {}
        assert isinstance(variables, dict)
        for one in operations:
            if isinstance(one, dict) and str(one["path"]).startswith("/variables/"):
                name = str(one["path"]).removeprefix("/variables/").replace("~1", "/").replace("~0", "~")
                before, after = str(variables.get(name, "")), str(one.get("value", ""))
                yield Change(
                    route="",
                    kind="remove" if one["op"] == "remove" else "change" if name in variables else "add",
                    option=f"/stage_variables/{name}",
                    label=f"Stage variable {name}",
                    before=before,
                    after=after,
                )

    def changes_of_route(self, route: str, things: Mapping[Key, Thing], old: Mapping[Key, Thing]) -> Iterator[Change]:
        """One method, option by option: both sides read back from AWS's own terms, with the defaults of both written out."""
        verb, _, path = route.partition(" ")
        checks = {str(one["id"]): checks_of(one) for one in self.state.validators}
        for thing in self.wanted.values():
            if thing.key[0] == "create_request_validator" and thing.call is not None:
                checks[f"the answer of {thing.call.name}"] = checks_of(thing.call.parameters)
        namespace = str(next((thing.at["resourceId"] for thing in old.values()), ""))
        after = self.route(verb, path, things, checks, namespace)
        if any(key[0] == "put_method" for key in old):
            before = self.route(verb, path, old, checks, namespace)
            yield from _changes(route, _alone(before), _alone(after), integration_type=after.integration.type)
            return
        backend = after.integration.backend
        said = words(backend) or BACKEND_WORDS[backend.kind]
        yield Change(route=route, kind="add", option="/integration/backend", label="Backend", before="", after=said)
        bare = Route(method=after.method, path=after.path, integration=Integration(backend=backend))
        for change in _changes(route, _alone(bare), _alone(after), integration_type=after.integration.type):
            yield replace(change, kind="add", before="")

    def route(self, verb: str, path: str, things: Mapping[Key, Thing], checks: Mapping[str, Checks], namespace: str) -> Route:
        """The things of one method as a route, permissions left out."""
        answer: dict[str, Any] = {"methodResponses": {}}
        for key, thing in things.items():
            said = {name: _literal(settled(value, {}, self.known)) for name, value in thing.says.items()}
            match key[0]:
                case "put_method":
                    answer |= said
                case "put_method_response":
                    answer["methodResponses"][key[3]] = said
                case "put_integration":
                    said["httpMethod"] = said.pop("integrationHttpMethod", None)
                    answer["methodIntegration"] = said | {"integrationResponses": {}}
                case "put_integration_response":
                    answer["methodIntegration"]["integrationResponses"][key[3]] = said
        return route_of(verb, path, answer, checks=checks, state=self.state, namespace=namespace)

    # --- Forecast ---------------------------------------------------------------------------------

    def forecast(self, calls: Sequence[PlannedCall]) -> Forecast:
        """Calls, seconds, and the size of each policy that grows. Raises PlanError where one grows too large."""
        sizes: dict[str, int] = {}
        for planned in calls:
            if planned.call.operation == "add_permission":
                function = str(planned.call.parameters["FunctionName"])
                sizes.setdefault(function, _size(self.state.policies.get(function, ())))
                sizes[function] += _statement_size(planned.call)
        for function, size in sizes.items():
            if size > POLICY_BYTES:
                raise PlanError(
                    [
                        f"The policy of {function} would have {size:,} bytes, and Lambda takes {POLICY_BYTES:,}. Turn off "
                        "'Scope permission to method' on its integrations, so that one permission serves the whole API."
                    ]
                )
        asked = [(planned.call.service, planned.call.operation) for planned in calls]
        return Forecast(calls=len(calls), seconds=round(rates.seconds(asked), 1), permission_bytes=sizes)


def _size(statements: Iterable[Answer]) -> int:
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": [dict(one) for one in statements]}
    return len(canonical(policy).encode("utf-8"))


def _statement_size(call: Call) -> int:
    """The bytes of the statement that a permission becomes; an API that is to be made will have an id of ten characters."""

    def text(value: Value) -> str:
        known = settled(value, {}, {"api": {"id": "a" * 10}})
        return str(known)

    statement = {
        "Sid": text(call.parameters["StatementId"]),
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": text(call.parameters["FunctionName"]),
        "Condition": {"ArnLike": {"AWS:SourceArn": text(call.parameters["SourceArn"])}},
    }
    return len(canonical(statement).encode("utf-8")) + 1


def _permission(key: Key) -> str:
    """`prod/GET/books for arn:…`."""
    return f"{key[2].partition('{api}/')[2]} for {key[1]}"


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:3])
    rest = len(names) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _literal(value: Any) -> Any:
    """A value for people: what only a later answer holds by the call that gives it."""
    if isinstance(value, Ref):
        return f"the answer of {value.call}"
    return value


def _alone(route: Route) -> Api:
    """The route with its defaults, and without what the account's policies say and it does not."""
    backend = route.integration.backend
    if isinstance(backend, Lambda):
        bare = replace(backend, allow_test_invoke=None, scope_permission_to_method=None, permission_functions=())
        route = replace(route, integration=replace(route.integration, backend=bare))
    return Api(routes=(with_defaults(route),))


def _changes(route: str, before: Api, after: Api, integration_type: str = "") -> Iterator[Change]:
    kinds = {"added": "add", "removed": "remove", "changed": "change"}
    ignored = ignored_by(integration_type) if integration_type else frozenset()
    depth = 2 if route else 0
    for one in diff(before, after):
        if one.kind == "moved" or (one.option is not None and one.option.boto3 and one.option.boto3 in ignored):
            continue
        option = pointer(one.key[depth:])
        yield Change(route=route, kind=kinds[one.kind], option=option, label=one.label, before=one.was, after=one.now)  # type: ignore[arg-type]
