"""A definition and what an account holds → the plan that turns the one into the other."""

import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from integrations.gateway.account import AccountState, Answer
from integrations.gateway.calls import Call, Ref, Value, calls_of, joined
from integrations.gateway.definition import (
    Api,
    DefinitionError,
    Route,
    bind,
    digest,
    dumps,
    parameters_of,
)
from integrations.gateway.findings import Severity
from integrations.gateway.grammar import path_parts
from integrations.gateway.observed import MARK, methods, observed, unpublished
from integrations.gateway.observed import texts as reading_texts
from integrations.gateway.plan.changes import (
    added,
    as_held,
    changes_between,
    changes_of_stage,
    imagined,
    removed,
    route_changes,
    settings_changes,
    tag_changes,
)
from integrations.gateway.plan.forecast import forecast
from integrations.gateway.plan.things import (
    METHOD_PARTS,
    Key,
    Thing,
    content,
    differing,
    held,
    patches,
    pseudo,
    settled,
    wanted,
)
from integrations.gateway.plan.value import (
    Change,
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


def make_plan(
    api: Api,
    state: AccountState,
    *,
    values: Mapping[str, str],
    stage_name: str,
    applied: Sequence[Api] = (),
    last: Plan | None = None,
    whole: bool = True,
) -> Plan:
    """What makes the account hold and serve the definition.

    `values`: what the environment gives for parameters; one that has neither a value nor a default is an error. `applied`:
    the definitions that Gatehouse has applied to this API, or begun to, values in place: what they made and this one does not
    have is deleted, and nothing else. `last`: the plan that was last carried out there; it knows what the other methods were.
    `whole`: whether the API's own settings are Gatehouse's; otherwise the definition's methods alone are. Raises PlanError.
    """
    bound = bound_to(api, values, state, stage_name)
    making = _Making(bound, state, stage_name, applied=applied, last=last, whole=whole)
    making.prepare()
    for route, things in making.by_route().items():
        making.configure(route, things)
    making.delete()
    making.permit()
    making.deploy()
    making.forbid()
    making.tag()
    return making.plan("deploy" if whole else "adopt", values)


def plan_destroy(
    state: AccountState,
    *,
    stage_name: str,
    applied: Sequence[Api],
    last: Plan | None = None,
    whole: bool = True,
) -> Plan:
    """What takes away all that Gatehouse made, and only that: the REST API with everything in it where nobody else has added to
    it, else its methods, and the stage moves to what is left."""
    making = _Making(Api(stage_name=stage_name), state, stage_name, applied=applied, last=last, whole=whole)
    making.destroy()
    return making.plan("destroy", {})


def plan_rollback(
    state: AccountState,
    *,
    stage_name: str,
    deployment_id: str,
    former: Api | None = None,
    current: Api | None = None,
) -> Plan:
    """What brings a stage back to a deployment that is still there: one call, after the permissions that it needs.

    `former` and `current`: the definitions, values in place, of that deployment and of the one that the stage serves now, where
    they are known. The API's configuration stays as it is. Raises PlanError.
    """
    stage = state.stage(stage_name)
    if stage is None or state.deployment(deployment_id) is None:
        what = f"stage {stage_name}" if stage is None else f"deployment {deployment_id}"
        raise PlanError([f"There is no {what} any more, and nothing was changed. Plan an older revision instead."])
    api = former or Api(stage_name=stage_name, stage_variables=reading_texts(stage.get("variables")))
    making = _Making(replace(api, stage_name=stage_name), state, stage_name, applied=tuple(filter(None, (former, current))))
    making.roll_back(deployment_id, former, current)
    return making.plan("roll_back", {})


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


FIXED = frozenset({"contentType"})
"""What a thing is made with, and no patch changes (AWS's reference of UpdateModel)."""


@dataclass
class _Making:
    """A plan while it is made."""

    api: Api
    state: AccountState
    stage_name: str
    _: dataclasses.KW_ONLY
    applied: Sequence[Api] = ()
    last: Plan | None = None
    whole: bool = True
    calls: list[PlannedCall] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)

    def __post_init__(self) -> None:
        given = pseudo(self.state)
        self.held = held(self.state)
        self.wanted = wanted(calls_of(self.api), given)
        self.removed: set[Key] = set()
        self.known: dict[str, Answer] = {}
        for key, thing in self.wanted.items():
            if thing.call is not None and thing.call.name and key in self.held:
                self.known[thing.call.name] = self.held[key].answer
        if self.state.api is not None:
            self.known["api"] = self.held["create_rest_api",].answer
        self.owned = {
            key for api in self.applied for key, thing in wanted(calls_of(api), given).items() if self.is_own(key, thing)
        }
        self.content = content(self.wanted)
        self.will_be = imagined(self.wanted, self.state)

    def is_own(self, key: Key, applied: Thing) -> bool:
        """Whether what was applied is Gatehouse's to change and to delete. In somebody's API its settings never are, nor what
        methods share where it is not as it was applied: it was there before, and stayed."""
        if self.whole or not applied.kind.shared:
            return True
        if key[0] in ("create_rest_api", "update_stage"):
            return False
        return key not in self.held or not differing(self.held[key], applied, self.known)

    # --- The order --------------------------------------------------------------------------------

    def plan(self, purpose: Purpose, values: Mapping[str, str]) -> Plan:
        """What was planned, as a value."""
        phases = list(Phase)
        calls = tuple(sorted(self.calls, key=lambda planned: phases.index(planned.phase)))
        stage = self.state.stage(self.stage_name) or {}
        text = dumps(self.api) if self.api.routes else ""
        touched = {change.route for change in self.changes}
        return Plan(
            purpose=purpose,
            account=self.state.account,
            region=self.state.region,
            api_id=self.state.api_id,
            stage_name=self.stage_name,
            calls=calls,
            changes=tuple(self.changes),
            warnings=tuple(self.warnings),
            forecast=forecast(calls, self.state),
            unchanged=sum(route not in touched for route in self.by_route()),
            former_deployment=str(stage.get("deploymentId", "")),
            content=self.content,
            methods=self.methods(),
            definition=text,
            definition_hash=digest(text),
            bindings_hash=sha256(dict(values)),
            state_hash=self.state.digest,
        )

    def methods(self) -> dict[str, str]:
        """Each method that the API will hold → a digest of what it says."""
        gone = {planned.route for planned in self.calls if planned.call.operation == "delete_method"}
        wanted = self.by_route()
        found = {f"{verb} {resource['path']}": sha256(dict(method))[:12] for verb, resource, method in methods(self.state)}
        return {name: mark for name, mark in found.items() if name not in gone and name not in wanted}

    def prepare(self) -> None:
        """The API, resources, and what methods refer to."""
        for key, thing in self.wanted.items():
            if key[0] in METHOD_PARTS or key[0] in ("add_permission", "create_deployment", "create_stage", "update_stage"):
                continue
            if key not in self.held:
                if key[0] == "create_resource":
                    self.make_room(key[1])
                self.make(thing, Phase.PREPARE)
            elif names := differing(self.held[key], thing, self.known):
                if self.whole or key in self.owned or not thing.kind.shared:
                    self.update(thing, names, Phase.PREPARE)
                elif key[0] == "create_rest_api":
                    self.miss_media_types()
                else:
                    what = thing.words[0].upper() + thing.words[1:]
                    message = f"{what} is the API's own and another one than the definition's: it stays as it is."
                    self.warnings.append(Warning(message=message))
        self.changes += self.changes_of_api()

    def miss_media_types(self) -> None:
        """Of an API that is somebody's, the one setting that a method depends on."""
        there = (self.state.api or {}).get("binaryMediaTypes") or ()
        if missing := [kind for kind in self.api.binary_media_types if kind not in there]:
            message = f"The API does not take {_listed(missing)} as binary, and stays so: bodies of that type will be text."
            self.warnings.append(Warning(message=message))

    def make_room(self, path: str) -> None:
        """API Gateway takes one variable part under a parent: another one there has to go first."""
        parts = path_parts(path)
        if not parts or parts[-1].variable is None:
            return
        parent = path.rpartition("/")[0]
        for key in [key for key in self.held if key[0] == "create_resource" and key not in self.wanted]:
            other = path_parts(key[1])
            if len(other) != len(parts) or other[-1].variable is None or key[1].rpartition("/")[0] != parent:
                continue
            below = [thing for one, thing in self.held.items() if _is_under(one, key[1])]
            if any(thing.key not in self.owned or thing.key in self.wanted for thing in below):
                raise PlanError(
                    [
                        f"{path} cannot be made: {key[1]} is there and is not Gatehouse's, and API Gateway takes one variable "
                        f"part there. Use {other[-1].text} in the path, or remove that resource first."
                    ]
                )
            for thing in sorted(below, key=lambda one: (one.key[0] == "create_resource", [-ord(c) for c in one.key[-1]])):
                self.remove(thing, Phase.PREPARE)
            self.changes += [removed(thing.route) for thing in below if thing.key[0] == "put_method"]

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
            self.changes += self.changes_of_route(route, is_new=method.key not in old)
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
        gone = [
            thing for key, thing in self.held.items() if key in self.owned and key not in self.wanted and key not in self.removed
        ]
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
        if fixed := FIXED.intersection(names):
            what = f"{thing.words[0].upper()}{thing.words[1:]} cannot have another {' or '.join(sorted(fixed))}"
            raise PlanError([f"{what}: API Gateway keeps that for good. Give the new one a name of its own."])
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
        self.removed.add(thing.key)
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
            self.refuse_unfinished()
            deployment = self.wanted["create_deployment",].call
            assert deployment is not None
            said = {"description": f"Gatehouse {self.content}"}
            deployment = replace(deployment, parameters={**deployment.parameters, **said})
            self.calls.append(self.call(deployment, Phase.BEFORE_STAGE, "Create the deployment"))
            self.published()
        if old is None:
            self.make(stage, Phase.STAGE)
            self.move(stage, None, "")
        else:
            self.move(stage, old, Ref("deployment", "id") if moves else "")
        if moves and not self.changes:
            before = f"deployment {old.answer.get('deploymentId', '')}" if old is not None else ""
            after, label = "a deployment of what is configured", f"Stage {self.stage_name}"
            kind: Literal["add", "change"] = "change" if before else "add"
            self.changes.append(Change(route="", kind=kind, option="/stage", label=label, before=before, after=after))

    def refuse_unfinished(self) -> None:
        """AWS deploys no API in which a method has no integration ("No integration defined for method")."""
        ours = self.by_route()
        unfinished = [
            thing.route
            for key, thing in self.held.items()
            if key[0] == "put_method"
            and key not in self.removed
            and thing.route not in ours
            and ("put_integration", *key[1:]) not in self.held
        ]
        if unfinished:
            have = "has" if len(unfinished) == 1 else "have"
            message = f"{_listed(unfinished)} {have} no integration, and AWS deploys no API with such a method."
            raise PlanError([f"{message} Nothing was called. Give it an integration in AWS, or delete it there."])

    def published(self) -> None:
        """Says what else a new deployment publishes: what others changed since the stage was last pointed to one."""
        current = self.state.deployment(str((self.state.stage(self.stage_name) or {}).get("deploymentId", "")))
        if current is None:
            return
        wanted, now = self.by_route(), self.methods()
        if self.last is not None and str(current.get("description", "")).startswith(f"Gatehouse {self.last.content}"):
            before = self.last.methods
            others = [name for name in dict.fromkeys((*before, *now)) if before.get(name) != now.get(name) and name not in wanted]
            others = [name for name in others if name in now or name not in self.last_routes()]
        elif self.stage_name in self.state.exports:
            others = [name for name in unpublished(self.state, self.stage_name) if name not in wanted]
        else:
            return
        others = [name for name in others if name not in {thing[1] + " " + thing[2] for thing in self.removed if len(thing) == 3}]
        if others:
            what = f"{len(others)} other change{'' if len(others) == 1 else 's'} made by others"
            message = f"Redeploying stage {self.stage_name} publishes {what}: {_listed(others)}."
            self.warnings.append(Warning(message=message))

    def last_routes(self) -> set[str]:
        """The methods that the definitions applied so far had."""
        return {" ".join(key[1:3]) for key in self.owned if key[0] == "put_method"}

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

    def move(self, stage: Thing, old: Thing | None, deployment: Ref | str) -> None:
        """The stage's one call: to a deployment, where one is given, with its variables, its access log and the settings of its
        methods. One that is new was made with its variables. A setting that the definition does not name stays as it is."""
        operations: list[Value] = []
        if deployment:
            operations.append({"op": "replace", "path": "/deploymentId", "value": deployment})
        names = differing(old, stage, self.known) if old is not None else ()
        for name in names:
            before: Any = old.says.get(name) if old is not None else None
            for operation in patches(name, before, self.said(stage, name)):
                if self.may(operation, before or {}):
                    operations.append(operation)
        settings, set_before = (things.get(("update_stage", self.stage_name)) for things in (self.wanted, self.held))
        if settings is not None and (self.whole or old is None):
            others = tuple(settings.says) if set_before is None else differing(set_before, settings, self.known)
            operations += [{"op": "replace", "path": name, "value": settings.says[name]} for name in others]
            names = (*names, *others)
        if operations:
            at: dict[str, Value] = {"restApiId": Ref("api", "id"), "stageName": self.stage_name}
            call = Call(service="apigateway", operation="update_stage", parameters=at | {"patchOperations": operations})
            what = f"Point stage {self.stage_name} to the deployment" if deployment else f"Change stage {self.stage_name}"
            self.calls.append(self.call(call, Phase.STAGE, what, options=names))
        said = {**(old.says if old is not None else {}), **(set_before.says if set_before is not None else {})}
        self.changes += changes_of_stage(said, operations)

    def may(self, operation: Mapping[str, Value], before: Mapping[str, Any]) -> bool:
        """Whether a stage variable is Gatehouse's to change."""
        path = str(operation["path"])
        if not path.startswith("/variables/"):
            return True
        name = path.removeprefix("/variables/").replace("~1", "/").replace("~0", "~")
        ours = {name for api in self.applied for name in api.stage_variables}
        if name not in before or name in ours or (self.whole and operation["op"] == "replace"):
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

    # --- Taking away, and back --------------------------------------------------------------------

    def destroy(self) -> None:
        """The whole API, or what Gatehouse made of it."""
        made = MARK in ((self.state.api or {}).get("tags") or {})
        others = [f"{verb} {resource['path']}" for verb, resource, _ in methods(self.state)]
        others = [name for name in others if name not in self.last_routes()]
        stages = [str(one["stageName"]) for one in self.state.stages if one.get("stageName") != self.stage_name]
        if self.whole and made and not others and not stages:
            thing = self.held["create_rest_api",]
            self.remove(thing, Phase.STAGE)
            self.changes += [removed(f"{verb} {resource['path']}") for verb, resource, _ in methods(self.state)]
        else:
            self.delete()
            if others and self.removed and self.state.stage(self.stage_name):
                self.deploy()
            elif not others and self.whole and (stage := self.held.get(("create_stage", self.stage_name))):
                self.remove(stage, Phase.STAGE)
            elif self.state.stage(self.stage_name):
                message = f"The API has no method left, so nothing can be deployed: stage {self.stage_name} serves what it did."
                self.warnings.append(Warning(message=message))
        self.forbid()

    def roll_back(self, deployment_id: str, former: Api | None, current: Api | None) -> None:
        """The stage's one call, and what that brings back."""
        stage = self.held["create_stage", self.stage_name]
        before = str(stage.answer.get("deploymentId", ""))
        if former is None:
            message = f"Gatehouse did not make deployment {deployment_id}: which permissions it needs is not known."
            self.warnings.append(Warning(message=message))
        else:
            self.permit()
        self.move(self.wanted[stage.key], stage, deployment_id if deployment_id != before else "")
        if former is not None and current is not None:
            self.changes += changes_between(as_held(current, self.state), as_held(former, self.state))
        if before != deployment_id:
            label = f"Stage {self.stage_name}"
            after = f"deployment {deployment_id}"
            self.changes.append(
                Change(route="", kind="change", option="/stage", label=label, before=f"deployment {before}", after=after)
            )
            message = "The API's configuration stays as it is: the next deployment brings it live again."
            self.warnings.append(Warning(message=message, level="info"))

    # --- What changes, for people -----------------------------------------------------------------

    def changes_of_api(self) -> Iterator[Change]:
        """The API's own settings, and what its methods share."""
        if self.state.api is None or not self.whole:
            return
        before = observed(replace(self.state, resources=(), stages=()))[0]
        after = observed(replace(self.will_be, resources=(), stages=()))[0]
        kept = {(key[0], key[-1]) for key in (*self.wanted, *self.owned)}
        ours = replace(
            before,
            models=tuple(one for one in before.models if ("create_model", one.name) in kept),
            authorizers=tuple(one for one in before.authorizers if ("create_authorizer", one.name) in kept),
            gateway_responses=tuple(
                one for one in before.gateway_responses if ("put_gateway_response", one.response_type) in kept
            ),
            tags={key: value for key, value in before.tags.items() if key in self.own_tags()},
        )
        yield from settings_changes(ours, after)

    def own_tags(self) -> set[str]:
        """The tags of the API that are Gatehouse's to change."""
        return {key for api in (self.api, *self.applied) for key in api.tags}

    def tag(self) -> None:
        """Tags have calls of their own."""
        if self.state.api is None or not self.whole:
            return
        path = f"/restapis/{self.state.api_id}"
        self.tag_one("API", path, self.state.api, self.wanted["create_rest_api",], self.own_tags())
        if stage := self.state.stage(self.stage_name):
            ours = {key for api in (self.api, *self.applied) for key in api.stage_tags}
            self.tag_one("stage", f"{path}/stages/{self.stage_name}", stage, self.wanted["create_stage", self.stage_name], ours)

    def tag_one(self, noun: str, path: str, held: Answer, thing: Thing, ours: Collection[str]) -> None:
        """Of one thing: what is missing or another, and what is Gatehouse's and no more wanted."""
        before, tags = held.get("tags") or {}, thing.at.get("tags")
        after = tags if isinstance(tags, dict) else {}
        at: dict[str, Value] = {"resourceArn": f"arn:{self.state.partition}:apigateway:{self.state.region}::{path}"}
        if new := {key: value for key, value in after.items() if before.get(key) != value}:
            call = Call(service="apigateway", operation="tag_resource", parameters=at | {"tags": new})
            self.calls.append(self.call(call, Phase.AFTER_STAGE, f"Tag the {noun}", options=("tags",)))
        if old := [key for key in before if key in ours and key not in after]:
            call = Call(service="apigateway", operation="untag_resource", parameters=at | {"tagKeys": list(old)})
            self.calls.append(self.call(call, Phase.AFTER_STAGE, f"Untag the {noun}", options=("tags",)))
        if noun == "stage":
            self.changes += tag_changes(before, after, ours)

    def changes_of_route(self, name: str, *, is_new: bool) -> Iterable[Change]:
        """One method, option by option: both sides read back from AWS's own terms, with the defaults of both written out."""
        before, after = None if is_new else self.read(name, self.state), self.read(name, self.will_be)
        assert after is not None
        return added(name, after) if before is None else route_changes(name, before, after)

    def read(self, name: str, state: AccountState) -> Route | None:
        """One method of an account as a route; None for one without integration, as a failed operation leaves it."""
        verb, _, path = name.partition(" ")
        resource = next(one for one in state.resources if one.get("path") == path)
        alone = {**resource, "resourceMethods": {verb: resource["resourceMethods"][verb]}}
        return next(iter(observed(replace(state, policies={}, resources=(alone,)))[0].routes), None)


def _permission(key: Key) -> str:
    """`prod/GET/books for arn:…`."""
    return f"{key[2].partition('{api}/')[2]} for {key[1]}"


def _is_under(key: Key, path: str) -> bool:
    """Whether it is a resource or a method at that path or below it."""
    return key[0] in ("create_resource", "put_method") and (key[-1] == path or key[-1].startswith(f"{path}/"))


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:3])
    rest = len(names) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
