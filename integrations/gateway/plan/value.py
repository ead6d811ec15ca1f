"""A plan as a value: its calls, what they change, what to know first; to and from canonical JSON."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, cast

from integrations.gateway.calls import Call, Given, Joined, Ref, Value


class Phase(StrEnum):
    """When a call runs. Until STAGE has run, callers get what they got before."""

    PREPARE = "prepare"
    """The API, and what its methods refer to."""
    CONFIGURATION = "configuration"
    """The methods. API Gateway answers from a deployment, so nobody sees a change yet."""
    BEFORE_STAGE = "before-stage"
    """Permissions that the new deployment needs, and the deployment."""
    STAGE = "stage"
    """The stage moves: one call."""
    AFTER_STAGE = "after-stage"
    """What the former deployment alone needed goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One call, when it runs and what for."""

    call: Call
    """Its parameters are literal, save for Refs into the answers of calls before it."""
    phase: Phase
    words: str
    """What it does, for people: "Change the integration of POST /orders"."""
    route: str = ""
    """`POST /orders`; empty where it serves the whole API."""
    options: tuple[str, ...] = ()
    """The parameters of the call in which the account differs, in boto3's names; empty where the thing is new or goes."""
    destructive: bool = False
    """Whether it takes away what cannot be had back by calling again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one option is in the account, and what it will be."""

    route: str
    """`POST /orders`; empty for a setting of the API."""
    kind: Literal["add", "change", "remove"]
    option: str
    """Its place in the route or the API, as a JSON Pointer: `/integration/timeout_ms`."""
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:
    """Something to know before the plan is applied."""

    message: str
    route: str = ""
    level: Literal["warning", "info"] = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What applying it will take."""

    calls: int = 0
    seconds: float = 0.0
    """At least, under AWS's rates for the control plane."""
    permission_bytes: Mapping[str, int] = field(default_factory=dict)
    """Function → the size that its resource policy will have; Lambda takes 20,480 bytes."""


type Purpose = Literal["deploy", "adopt", "destroy", "roll_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will happen, in order. The plan that is shown is the plan that runs."""

    purpose: Purpose
    account: str
    region: str
    api_id: str
    """The REST API; empty where the plan makes it."""
    stage_name: str
    calls: tuple[PlannedCall, ...] = ()
    changes: tuple[Change, ...] = ()
    warnings: tuple[Warning, ...] = ()
    forecast: Forecast = Forecast()
    unchanged: int = 0
    """How many routes stay as they are."""
    former_deployment: str = ""
    """What the stage points to now: where a roll back would bring it."""
    content: str = ""
    """Twelve hexadecimal digits of all that the deployment holds of the definition: its description carries them."""
    methods: Mapping[str, str] = field(default_factory=dict)
    """The methods that are not the definition's → a digest of each: what a later plan tells changes of others by."""
    definition: str = ""
    """Canonical JSON of what will be live, values in place; empty where nothing will be."""
    definition_hash: str = ""
    bindings_hash: str = ""
    state_hash: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 over what the plan was made of: definition, bindings, account state. Another one is another plan."""
        return sha256([self.purpose, self.stage_name, self.definition_hash, self.bindings_hash, self.state_hash])

    @property
    def is_empty(self) -> bool:
        """Whether the account is as it should be."""
        return not self.calls

    @property
    def destructive(self) -> tuple[PlannedCall, ...]:
        """The calls that take something away."""
        return tuple(call for call in self.calls if call.destructive)

    @property
    def routes(self) -> dict[str, tuple[Change, ...]]:
        """The changes by route, in the order of the plan; those of the API stand under the empty text."""
        found: dict[str, list[Change]] = {}
        for change in self.changes:
            found.setdefault(change.route, []).append(change)
        return {route: tuple(changes) for route, changes in found.items()}


class PlanError(ValueError):
    """There is no plan: every reason, each saying what to do. Nothing was called."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(" ".join(self.reasons))


# --- Canonical JSON --------------------------------------------------------------------------------


def dumps(plan: Plan) -> str:
    """Canonical JSON of a plan."""
    return canonical(to_json(plan))


def loads(text: str) -> Plan:
    """The plan of its JSON."""
    return from_json(json.loads(text))


def to_json(plan: Plan) -> dict[str, Any]:
    """The JSON value of a plan."""
    plain = {name: getattr(plan, name) for name in _PLAIN}
    return plain | {
        "calls": [_call_to_json(one) for one in plan.calls],
        "changes": [{name: getattr(one, name) for name in Change.__slots__} for one in plan.changes],
        "warnings": [{name: getattr(one, name) for name in Warning.__slots__} for one in plan.warnings],
        "forecast": {name: getattr(plan.forecast, name) for name in Forecast.__slots__},
    }


def from_json(value: Mapping[str, Any]) -> Plan:
    """The plan of its JSON value."""
    return Plan(
        **{name: value[name] for name in _PLAIN},
        calls=tuple(map(_call_from_json, value["calls"])),
        changes=tuple(Change(**one) for one in value["changes"]),
        warnings=tuple(Warning(**one) for one in value["warnings"]),
        forecast=Forecast(**value["forecast"]),
    )


_PLAIN = (
    "purpose",
    "account",
    "region",
    "api_id",
    "stage_name",
    "unchanged",
    "former_deployment",
    "content",
    "methods",
    "definition",
    "definition_hash",
    "bindings_hash",
    "state_hash",
)


def _call_to_json(planned: PlannedCall) -> dict[str, Any]:
    call = planned.call
    return {
        "service": call.service,
        "operation": call.operation,
        "parameters": {key: value_to_json(value) for key, value in call.parameters.items()},
        "name": call.name,
        "phase": planned.phase,
        "words": planned.words,
        "route": planned.route,
        "options": list(planned.options),
        "destructive": planned.destructive,
    }


def _call_from_json(value: Mapping[str, Any]) -> PlannedCall:
    parameters = {key: value_from_json(inner) for key, inner in value["parameters"].items()}
    return PlannedCall(
        call=Call(service=value["service"], operation=value["operation"], parameters=parameters, name=value["name"]),
        phase=Phase(value["phase"]),
        words=value["words"],
        route=value["route"],
        options=tuple(value["options"]),
        destructive=value["destructive"],
    )


def value_to_json(value: Value) -> Any:
    """A value of a call. What is an object in it carries what it is, so that a map of the user's is never taken for a Ref."""
    match value:
        case Ref(call, key):
            return {"ref": [call, key]}
        case Joined(parts):
            return {"joined": [value_to_json(part) for part in parts]}
        case Given(name, kind):
            return {"given": [name, kind]}
        case dict():
            return {"map": {key: value_to_json(inner) for key, inner in value.items()}}
        case list():
            return [value_to_json(inner) for inner in value]
        case _:
            return value


def value_from_json(value: Any) -> Value:
    """The value that `value_to_json` wrote."""
    match value:
        case {"ref": [call, key]}:
            return Ref(call, key)
        case {"joined": parts}:
            return Joined(tuple(cast(Any, value_from_json(part)) for part in parts))
        case {"given": [name, kind]}:
            return Given(name, kind)
        case {"map": inner}:
            return {key: value_from_json(one) for key, one in inner.items()}
        case list():
            return [value_from_json(inner) for inner in value]
        case _:
            return cast(Value, value)


def canonical(value: Any) -> str:
    """The one JSON text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def sha256(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, in hex."""
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()
