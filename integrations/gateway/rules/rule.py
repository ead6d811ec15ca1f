"""The declaration of a rule: a code, one severity, its evidence, and a small generator of remarks about a route or an API."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, cast

from integrations.gateway.definition import Api, Integration, MethodResponse, Route
from integrations.gateway.findings import EVIDENCE, Path, Severity
from integrations.gateway.grammar import (
    IntegrationUri,
    Parameter,
    Segment,
    Source,
    known,
    parse_integration_uri,
    parse_invocation,
    parse_request_source,
    parse_request_target,
    segments,
)
from integrations.gateway.selection import Reading


class Remark(NamedTuple):
    """What to do, and where. `fix`: the label of its mend where it differs from the rule's; empty where it has none."""

    path: Path
    """Within the route, or within the API for a rule of the API."""
    message: str
    fix: str | None = None


type Remarks = Iterable[tuple[Path, str] | tuple[Path, str, str | None]]
"""What a rule yields: path, message, and maybe a label of its own for the mend."""
type Fix = Callable[[Api, Path], Api]
"""The API in which what was found at a path (from the API on) is mended, and nothing else is changed."""


@dataclass(frozen=True)
class Facts:
    """One route and what follows from it, worked out once for all rules."""

    route: Route
    api: Api
    patterns: Mapping[str, Reading]
    """What is known of each selection pattern of the API."""

    @property
    def integration(self) -> Integration:
        """The route's integration."""
        return self.route.integration

    @cached_property
    def type(self) -> str:
        """AWS, AWS_PROXY, HTTP, HTTP_PROXY, MOCK, or any wrong text."""
        return self.integration.type

    @cached_property
    def uri(self) -> str:
        """As PutIntegration takes it, in reference notation."""
        return self.integration.uri

    @cached_property
    def uri_parts(self) -> tuple[Segment, ...]:
        """The URI's literals, references and stage variables."""
        return segments(self.uri)

    @cached_property
    def aws_uri(self) -> IntegrationUri | None:
        """The URI's parts, where it is one of an AWS service."""
        return parse_integration_uri(self.uri)

    @cached_property
    def invocation(self) -> tuple[str, bool] | None:
        """(function, streaming) of a Lambda invocation."""
        uri = self.aws_uri
        if uri is None or uri.service != "lambda" or uri.kind != "path":
            return None
        return parse_invocation(uri.rest.removeprefix("/"))  # path//2015-03-31/… was recorded as accepted

    @cached_property
    def matched(self) -> Literal["status", "message", ""]:
        """What a selection pattern is matched against: the backend's status, or a function's error message; empty: not known."""
        if self.type in ("HTTP", "MOCK"):
            return "status"
        if self.type == "AWS" and self.integration.is_lambda:
            return "message"
        return "status" if self.type == "AWS" and self.aws_uri is not None and known(self.aws_uri.service) else ""

    @cached_property
    def parameters(self) -> Mapping[str, bool]:
        """The method's request parameters in effect."""
        return self.route.request_parameters

    @cached_property
    def method_responses(self) -> Mapping[str, MethodResponse]:
        """The method's responses in effect, by status."""
        return {response.status_code: response for response in self.route.method_responses}

    @cached_property
    def targets(self) -> Mapping[str, Parameter | None]:
        """Each key of the integration's request parameters, parsed."""
        return {key: parse_request_target(key) for key in self.integration.request_parameters}

    @cached_property
    def sources(self) -> Mapping[str, Source | None]:
        """The value of each key of the integration's request parameters, parsed."""
        return {key: parse_request_source(value) for key, value in self.integration.request_parameters.items()}


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds (`title`, the first line of the docstring), how it is known, and who finds where it does not."""

    code: str
    severity: Severity
    title: str
    docs: str
    evidence: str
    aws: str
    find: Callable[[Facts], Remarks] | None
    """Finds faults of one route."""
    find_in_api: Callable[[Api], Remarks] | None
    """Finds faults between routes, or of the stage; a rule has either."""
    fix: Fix | None
    fix_label: str

    @property
    def module(self) -> str:
        """The module of its topic."""
        return cast(Callable[..., Remarks], self.find or self.find_in_api).__module__

    def remarks(self, facts: tuple[Facts, ...], api: Api) -> list[Remark]:
        """Every remark on the API, with paths from the API on and the label of its mend."""
        if self.find is None:
            return [self._remark((), *found) for found in self.find_in_api(api)] if self.find_in_api else []
        find = self.find
        return [self._remark(("routes", index), *found) for index, one in enumerate(facts) for found in find(one)]

    def _remark(self, prefix: Path, path: Path, message: str, fix: str | None = None) -> Remark:
        label = self.fix_label if fix is None else fix
        return Remark((*prefix, *path), message, label if self.fix is not None else "")


RULES: dict[str, Rule] = {}


def rule[Find: Callable[[Facts], Remarks]](
    code: str, severity: Severity, *, docs: str, evidence: str, aws: str = "", fix: Fix | None = None, fix_label: str = ""
) -> Callable[[Find], Find]:
    """Declare a rule of one route.

    An error needs evidence recorded on AWS; `aws` is AWS's answer where it is known. `fix` mends what was found, and
    `fix_label` names the result ("Set 29,000 ms"); a remark may carry a label of its own, or an empty one: no mend here.
    """

    def declare(find: Find) -> Find:
        _declare(Rule(code, severity, _title(find), docs, evidence, aws, find, None, fix, fix_label))
        return find

    return declare


def api_rule[Find: Callable[[Api], Remarks]](
    code: str, severity: Severity, *, docs: str, evidence: str, aws: str = "", fix: Fix | None = None, fix_label: str = ""
) -> Callable[[Find], Find]:
    """Declare a rule of the whole API, as `rule` does; its paths start at the API."""

    def declare(find: Find) -> Find:
        _declare(Rule(code, severity, _title(find), docs, evidence, aws, None, find, fix, fix_label))
        return find

    return declare


def _title(find: Callable[..., Remarks]) -> str:
    return (find.__doc__ or "").strip().splitlines()[0]


def _declare(declared: Rule) -> None:
    code, tags = declared.code, declared.evidence
    if declared.severity is Severity.ERROR and not any(EVIDENCE[tag].recorded for tag in tags.split()):
        raise ValueError(f"{code}: only what is recorded on AWS is an error, and {tags} is not.")
    if code in RULES:
        raise ValueError(f"{code} is declared twice.")
    RULES[code] = declared
