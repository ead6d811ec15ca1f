"""What an account holds of one REST API, as `aws.account_state()` reads it: plain data, in the shapes of boto3's answers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

type Answer = Mapping[str, Any]
"""One thing as boto3 answers with it, dates as ISO 8601 texts, without ResponseMetadata."""

DATES = frozenset({"createdDate", "lastUpdatedDate"})
"""What changes without anything that a plan reads being another: no part of the digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """One REST API with all that hangs on it, and the permissions of the functions that it calls."""

    account: str
    """Twelve digits."""
    region: str
    partition: str = "aws"
    dns_suffix: str = "amazonaws.com"
    """What `AWS::URLSuffix` is there."""
    api: Answer | None = None
    """`get_rest_api`; None where there is none yet."""
    resources: tuple[Answer, ...] = ()
    """`get_resources(embed=["methods"])`: id, path, resourceMethods with their integrations and responses."""
    models: tuple[Answer, ...] = ()
    validators: tuple[Answer, ...] = ()
    authorizers: tuple[Answer, ...] = ()
    gateway_responses: tuple[Answer, ...] = ()
    """Those that were set; not the ones that API Gateway gives of itself (`defaultResponse`)."""
    deployments: tuple[Answer, ...] = ()
    stages: tuple[Answer, ...] = ()
    exports: Mapping[str, Answer] = field(default_factory=dict)
    """Stage → what is deployed there, as `get_export` writes it: OpenAPI 3.0 with API Gateway's extensions."""
    policies: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    """A function as it was asked for (an ARN, maybe with an alias) → the statements of its resource policy."""

    @property
    def api_id(self) -> str:
        """The REST API's id; empty where there is none yet."""
        return str(self.api["id"]) if self.api else ""

    @property
    def root_id(self) -> str:
        """The id of the resource `/`."""
        return next((str(resource["id"]) for resource in self.resources if resource.get("path") == "/"), "")

    def stage(self, name: str) -> Answer | None:
        """A stage by its name."""
        return next((stage for stage in self.stages if stage.get("stageName") == name), None)

    def deployment(self, id: str) -> Answer | None:
        """A deployment by its id."""
        return next((deployment for deployment in self.deployments if deployment.get("id") == id), None)

    @property
    def digest(self) -> str:
        """SHA-256 of all that calls are planned by, in hex: the same for two readings between which nothing was changed.

        Exports are no part of it: they follow from the deployment that a stage points to, and AWS writes them anew each time.
        """
        made_of = {name: value for name, value in to_json(self).items() if name != "exports"}
        return hashlib.sha256(_canonical(_undated(made_of)).encode("ascii")).hexdigest()


def to_json(state: AccountState) -> dict[str, Any]:
    """The JSON value of a state; things in an order of their own, for AWS promises none."""
    found: dict[str, Any] = {}
    for one in fields(AccountState):
        value = getattr(state, one.name)
        if isinstance(value, tuple):
            value = sorted(map(dict, value), key=_canonical)
        elif one.name == "policies":
            value = {function: sorted(map(dict, statements), key=_canonical) for function, statements in value.items()}
        found[one.name] = value
    return found


def from_json(value: Mapping[str, Any]) -> AccountState:
    """The state of its JSON value."""
    found: dict[str, Any] = {key: tuple(inner) if isinstance(inner, list) else inner for key, inner in value.items()}
    found["policies"] = {function: tuple(statements) for function, statements in value.get("policies", {}).items()}
    return AccountState(**found)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=dict)


def _undated(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _undated(inner) for key, inner in value.items() if key not in DATES}
    return [_undated(inner) for inner in value] if isinstance(value, list) else value
