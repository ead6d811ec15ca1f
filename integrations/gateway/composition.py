"""An API as the catalog keeps it, composed of integrations; with those in, the API fully resolved out."""

import dataclasses
import json
import re
import typing
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, cast

from integrations.gateway import definition, diff
from integrations.gateway.definition import (
    BACKENDS,
    SCHEMA,
    Api,
    DefinitionError,
    DeploymentParameter,
    Integration,
    Mock,
    Raw,
    Route,
    bind,
    from_json,
    of_route,
    parameters_of,
    referred,
    to_json,
)
from integrations.gateway.diff import ABSENT
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.grammar import Reference, whole_reference

FORMAT = 1
"""The number that a stored composition carries beside the definition's own schema."""

MOUNTED = Integration(backend=Mock())
"""What stands in a mount in the place of the integration that the catalog has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Which integration of the catalog is behind a route, and what this route has of its own."""

    integration: int
    """Its key in the catalog: slugs may change."""
    pin: int | None = None
    """The number of a revision; None follows the latest published one."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """JSON Pointer within the integration ("/timeout_ms", "/backend/url", "/request_templates/text~1plain") → its JSON value
    here. null unsets an option, and removes the row of a map. Lists are overridden as a whole."""
    bindings: Mapping[str, str] = field(default_factory=dict)
    """Parameter of the integration → what it is here: another parameter as `${Name}`, or a literal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """The settings and mounts of an API, and for each of its routes what is behind it."""

    api: Api
    """Its routes are mounts: each has MOUNTED as its integration. Its parameters are its own, not those of integrations."""
    uses: tuple[Use, ...] = ()
    """One for each route, in the same order."""

    def __post_init__(self) -> None:
        if len(self.uses) != len(self.api.routes):
            raise DefinitionError(f"{len(self.api.routes)} routes have {len(self.uses)} uses.", ("uses",))

    @property
    def integrations(self) -> frozenset[int]:
        """The keys of all that it uses."""
        return frozenset(use.integration for use in self.uses)

    def with_route(self, mount: Route, use: Use, index: int | None = None) -> "Composition":
        """With another route at the end, or in the place of the one at `index`."""
        routes, uses = list(self.api.routes), list(self.uses)
        at = slice(len(routes), None) if index is None else slice(index, index + 1)
        routes[at], uses[at] = [dataclasses.replace(mount, integration=MOUNTED)], [use]
        return Composition(api=dataclasses.replace(self.api, routes=tuple(routes)), uses=tuple(uses))

    def without_route(self, index: int) -> "Composition":
        """Without one of its routes."""
        routes, uses = list(self.api.routes), list(self.uses)
        del routes[index], uses[index]
        return Composition(api=dataclasses.replace(self.api, routes=tuple(routes)), uses=tuple(uses))

    def pinned(self, integration: int, to: int | None, pins: Iterable[int | None] | None = None) -> "Composition":
        """With every route on that integration pinned to a revision, or following; `pins` names the pins that are moved."""
        moved = None if pins is None else set(pins)
        uses = tuple(
            dataclasses.replace(use, pin=to) if use.integration == integration and (moved is None or use.pin in moved) else use
            for use in self.uses
        )
        return dataclasses.replace(self, uses=uses)


# --- Stored ----------------------------------------------------------------------------------------


def dumps(composition: Composition) -> str:
    """Canonical JSON (ASCII, no spaces)."""
    value = {
        "composition": FORMAT,
        "api": {"schema": SCHEMA} | to_json(composition.api),
        "uses": [_use_to_json(use) for use in composition.uses],
    }
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _use_to_json(use: Use) -> dict[str, Any]:
    found: dict[str, Any] = {"integration": use.integration}
    rest = {"pin": use.pin, "overrides": dict(use.overrides), "bindings": dict(use.bindings)}
    return found | {name: value for name, value in rest.items() if value is not None and value != {}}


def is_composition(text: str) -> bool:
    """Whether a stored text is a composition, not a definition."""
    return text.startswith('{"composition":')


def loads(text: str) -> Composition:
    """The composition that `dumps` wrote. Raises DefinitionError."""
    value = json.loads(text)
    if value.get("composition") != FORMAT:
        raise DefinitionError(f"This version reads compositions of format {FORMAT}.", ("composition",))
    api = definition.loads(json.dumps(value["api"]))
    return Composition(api=api, uses=tuple(Use(**use) for use in value["uses"]))


# --- Overrides -------------------------------------------------------------------------------------


def overrides(base: Integration, wanted: Integration) -> dict[str, Any]:
    """What makes `wanted` of `base`, as sparse as it can be said; `overridden(base, overrides(base, wanted))` is `wanted`."""
    found = _differences(base, wanted, ("",))
    one, other = base.backend, wanted.backend
    if type(one) is not type(other):
        found["/backend"] = to_json(other)
    elif one != other:
        found |= _differences(one, other, ("", "backend"))
    return found


def _differences(base: Any, wanted: Any, prefix: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in dataclasses.fields(base):
        if each.name == "backend":
            continue
        before, after = to_json(getattr(base, each.name)), to_json(getattr(wanted, each.name))
        place = (*prefix[1:], each.name)
        if json.dumps(before) == json.dumps(after):
            continue
        rows = _changed_rows(before, after) if isinstance(before, dict) and len(place) == 1 else None
        if rows is None:
            found[diff.pointer(place)] = after
        else:
            found |= {diff.pointer((*place, key)): value for key, value in rows.items()}
    return found


def _changed_rows(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any] | None:
    """The rows of a map that differ; None where rows were moved, which only the whole map can say."""
    rows: dict[str, Any] = {key: None for key in before if key not in after}
    rows |= {key: value for key, value in after.items() if key not in before or before[key] != value}
    made = {key: rows.get(key, value) for key, value in before.items() if key in after} | {
        key: value for key, value in rows.items() if value is not None
    }
    return rows if list(made.items()) == list(after.items()) else None


class Misplaced(Exception):
    """An override that the integration has no place for any more."""


def overridden(base: Integration, changes: Mapping[str, Any]) -> tuple[Integration, dict[str, str]]:
    """The integration with its overrides, and which could not be applied → why; those are left out."""
    found, wrong = base, {}
    for name, value in changes.items():
        try:
            found = _with(found, _parts(name), value)
        except DefinitionError as error:
            wrong[name] = error.message
        except Misplaced as error:
            wrong[name] = str(error)
    return found, wrong


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in name.split("/")[1:])


def _with(integration: Integration, place: tuple[str, ...], value: Any) -> Integration:
    """The integration with one override."""
    match place:
        case ("backend",):
            backend = from_json(value, typing.get_type_hints(Integration)["backend"], place)
            return dataclasses.replace(integration, backend=backend)
        case ("backend", name):
            return dataclasses.replace(integration, backend=_field(integration.backend, name, value, place))
        case (name,):
            return cast(Integration, _field(integration, name, value, place))
        case (name, key):
            rows = getattr(integration, name, None)
            if not isinstance(rows, Mapping):
                raise Misplaced("The integration has no such option.")
            kept = {each: to_json(row) for each, row in rows.items() if each != key or value is not None}
            return cast(Integration, _field(integration, name, kept if value is None else kept | {key: value}, place))
        case _:
            raise Misplaced("No option stands there.")


def _field(owner: Any, name: str, value: Any, place: Path) -> Any:
    hints = typing.get_type_hints(type(owner))
    if name not in {each.name for each in dataclasses.fields(owner)}:
        what = "backend" if type(owner) in BACKENDS.values() else "integration"
        raise Misplaced(f"The {what} has no such option any more.")
    return dataclasses.replace(owner, **{name: from_json(value, hints[name], place)})


# --- Resolved --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """A revision of an integration, as a composition finds it in the catalog."""

    slug: str
    name: str
    number: int
    api: Api
    published: bool = True


type Catalog = Mapping[tuple[int, int | None], Source]
"""The key of an integration and a pin → the revision; with None as the pin the latest published one, or, where nothing is
published, the latest with `published` False. Absent where the integration, or that revision, is gone."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """An API with its integrations in place, and what there is to say of how they got there."""

    api: Api
    findings: tuple[Finding, ...] = ()
    sources: tuple[Source | None, ...] = ()
    """The revision behind each route; None where there is none."""


def resolve(composition: Composition, catalog: Catalog) -> Resolved:
    """The API that a composition is, on these revisions. Pure; the routes keep their order and number.

    A parameter belongs to the integration that it comes from. Two of one name are one where kind, default and origin are
    equal; else the later one takes the slug of its integration as its prefix.
    """
    own = dataclasses.replace(composition.api, parameters=())
    structures = list(composition.api.structures)
    known = {parameter.name: parameter for parameter in composition.api.parameters}
    declared = set(known)
    known |= {name: DeploymentParameter(name=name, kind=kind) for name, kind in referred(own).items() if name not in known}
    routes: list[Route] = []
    sources: list[Source | None] = []
    findings: list[Finding] = []
    for index, (mount, use) in enumerate(zip(composition.api.routes, composition.uses, strict=True)):
        place: Path = ("routes", index, "integration")
        source = catalog.get((use.integration, use.pin))
        sources.append(source)
        if source is None:
            routes.append(mount)
            text = "The integration behind this route is gone. Choose another one, or remove the route."
            findings.append(_said(Severity.ERROR, place, text, "A route has an integration."))
            continue
        if use.pin is None and not source.published:
            text = f"Nothing of {source.name} is published, and r{source.number} is shown. Publish it, or pin the route."
            findings.append(_said(Severity.ERROR, place, text, "What a route follows is published."))
        integration, wrong = overridden(source.api.routes[0].integration, use.overrides)
        for name, reason in wrong.items():
            text = f"The override of {name} is left out. {reason} Remove it, or set it anew."
            findings.append(_said(Severity.FAILURE, place, text, "An override has its option."))
        try:
            integration = _renamed(integration, source, use, known, declared)
        except DefinitionError as error:
            text = f"What is bound here does not fit. {error.message}"
            findings.append(_said(Severity.ERROR, (*place, *error.path[3:]), text, "A binding fits the option that it is for."))
        structures += of_route(source.api.structures, 0, len(routes))
        routes.append(dataclasses.replace(mount, integration=integration))
    kept = tuple(parameter for name, parameter in known.items() if name in declared)
    api = dataclasses.replace(composition.api, routes=tuple(routes), parameters=kept, structures=tuple(structures))
    return Resolved(api, tuple(findings), tuple(sources))


def _renamed(
    integration: Integration, source: Source, use: Use, known: dict[str, DeploymentParameter], declared: set[str]
) -> Integration:
    """The integration with its parameters named as the API calls them; `known` learns those that are new, and `declared`
    which of them somebody declared. Raises DefinitionError for a bound literal that is no number or flag where one is wanted."""
    alone = Api(parameters=source.api.parameters, routes=(Route(integration=integration),))
    used = referred(alone)
    if not used:
        return integration
    named = {parameter.name for parameter in source.api.parameters}
    values: dict[str, str | Reference] = {}
    for parameter in parameters_of(alone):
        if parameter.name not in used:
            continue
        if parameter.name in use.bindings:
            bound = use.bindings[parameter.name]
            reference = whole_reference(bound)
            if reference is None:
                values[parameter.name] = bound
                continue
            name = reference.name
        else:
            name = _name_for(parameter, source.slug, known)
        if name not in known and parameter.name in named:
            declared.add(name)
        known.setdefault(name, dataclasses.replace(parameter, name=name))
        if name != parameter.name:
            values[parameter.name] = Reference(name)
    return bind(alone, values).routes[0].integration if values else integration


def _name_for(parameter: DeploymentParameter, slug: str, known: Mapping[str, DeploymentParameter]) -> str:
    """What the API calls a parameter: its name, unless another one has it."""
    name, number = parameter.name, 1
    while name in known and not same(known[name], parameter):
        name = f"{prefix_of(slug)}{parameter.name}" + (str(number) if number > 1 else "")
        number += 1
    return name


def same(one: DeploymentParameter, other: DeploymentParameter) -> bool:
    """Whether two parameters of one name are the same one."""
    return (one.kind, one.default, one.origin) == (other.kind, other.default, other.origin)


def prefix_of(slug: str) -> str:
    """A slug as the beginning of a parameter's name: OrdersToSqs."""
    words = "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", slug))
    return words if words[:1].isalpha() else f"I{words}"


def _said(severity: Severity, path: Path, message: str, title: str) -> Finding:
    return Finding(rule="composition", severity=severity, path=path, message=message, title=title)


# --- Compared and merged ---------------------------------------------------------------------------


def _visible(composition: Composition) -> Api:
    """The composition as one definition whose routes carry what is behind them, so that definitions' tools compare it."""
    routes = (
        dataclasses.replace(
            mount,
            integration=Integration(backend=Raw(raw_uri=json.dumps(_use_to_json(use), ensure_ascii=True, separators=(",", ":")))),
        )
        for mount, use in zip(composition.api.routes, composition.uses, strict=True)
    )
    return dataclasses.replace(composition.api, routes=tuple(routes))


def _hidden(api: Api) -> Composition:
    uses = tuple(Use(**json.loads(cast(Raw, route.integration.backend).raw_uri or "")) for route in api.routes)
    routes = tuple(dataclasses.replace(route, integration=MOUNTED) for route in api.routes)
    return Composition(api=dataclasses.replace(api, routes=routes), uses=uses)


@dataclass(frozen=True, slots=True)
class Merged:
    """What two people made of one composition: mine where both changed the same."""

    composition: Composition
    conflicts: tuple[str, ...]
    """Where both changed the same differently, in words."""


def merge(base: Composition, mine: Composition, theirs: Composition) -> Merged:
    """What only one of the two changed is taken; where both did, mine, and said so."""
    merged = diff.merge(*map(_visible, (base, mine, theirs)))
    conflicts = merged.conflicts
    made = merged.resolved({spot.name: "mine" for spot in conflicts})
    words = (", ".join(label for label in spot.labels if label not in ("Backend", "URI")) for spot in conflicts)
    return Merged(_hidden(made), tuple(dict.fromkeys(each or "what is behind the route" for each in words)))


@dataclass(frozen=True, slots=True)
class UseChange:
    """A route whose integration, pin, overrides or bindings are other ones."""

    route: str
    before: Use | None
    after: Use | None


def use_changes(before: Composition, after: Composition) -> list[UseChange]:
    """Routes that came, went, or have something else behind them, by method and path."""
    one = {f"{mount.method} {mount.path}": use for mount, use in zip(before.api.routes, before.uses, strict=True)}
    other = {f"{mount.method} {mount.path}": use for mount, use in zip(after.api.routes, after.uses, strict=True)}
    names = dict.fromkeys((*one, *other))
    return [UseChange(name, one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)]


# --- Adopted ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Adopted:
    """A composition with what an account has at some spots, and what could not be taken into it."""

    composition: Composition
    refused: Mapping[str, str]
    """Spot.name → why a composition cannot say it; nothing of that was taken."""


def adopted(composition: Composition, catalog: Catalog, live: Api, there: Api, chosen: Set[str]) -> Adopted:
    """The composition with what `there` has at the chosen spots of its merge with what was `live`.

    An option of an integration becomes an override of the route, in the words of the integration: its parameters keep their
    names. What is the route's own, or the API's, becomes that. A route that is gone there goes here.
    """
    sources = [catalog.get((use.integration, use.pin)) for use in composition.uses]
    bases = [source.api.routes[0].integration if source else None for source in sources]
    mounts = composition.api.routes
    routes = [
        dataclasses.replace(mount, integration=overridden(base, use.overrides)[0]) if base else mount
        for mount, use, base in zip(mounts, composition.uses, bases, strict=True)
    ]
    merged = diff.merge(live, dataclasses.replace(composition.api, routes=tuple(routes)), there)
    spots = {spot.name: spot for spot in merged.spots}
    gone = {f"{mount.method} {mount.path}" for mount, source in zip(mounts, sources, strict=True) if source is None}
    refused = {name: reason for name in chosen if (reason := _unsayable(spots.get(name), gone))}
    wanted = chosen - refused.keys()
    found = merged.resolved({name: "theirs" if name in wanted else "mine" for name in spots})
    kept = defaultdict[tuple[str, str], list[Route]](list)
    for route in found.routes:
        kept[route.method, route.path].append(route)
    made = Composition(api=dataclasses.replace(found, routes=()))
    for mount, route, use, base in zip(mounts, routes, composition.uses, bases, strict=True):
        if not kept[mount.method, mount.path]:
            continue
        after = kept[mount.method, mount.path].pop(0)
        if base and after.integration != route.integration:
            left_out = {name: use.overrides[name] for name in overridden(base, use.overrides)[1]}
            use = dataclasses.replace(use, overrides=left_out | overrides(base, after.integration))
        made = made.with_route(after, use)
    return Adopted(made, refused)


def _unsayable(spot: diff.Spot | None, gone: Set[str]) -> str:
    """Why a composition cannot take what the account has at a spot; empty where it can. `gone`: routes without a source."""
    if spot is None:
        return "Your draft has something else in its place. Change it there."
    match spot.key:
        case ("routes", _) if spot.mine is ABSENT:
            return "Your draft has no such route. Where it answers preflights, change the CORS of the API."
        case ("routes", name, "integration", *_) if name in gone:
            return "The integration behind the route is gone. Choose another one in your draft first."
        case _:
            return ""
