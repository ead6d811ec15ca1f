"""What a trace, or all traces of an integration's cases, show to be wrong: findings that need a sample."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from integrations.gateway.definition import Api
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.options import GUIDE
from integrations.gateway.simulator.rendering import json_fault
from integrations.gateway.simulator.selecting import ALSO
from integrations.gateway.simulator.trace import EndpointRequest, Rendered, Response, Stage, Trace

REFERENCE = GUIDE + "api-gateway-mapping-template-reference.html"
LIMITS = GUIDE + "api-gateway-execution-service-limits-table.html"
RESPONSES = GUIDE + "api-gateway-integration-settings-integration-response.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRule:
    """A rule of `rules` for what only a sample shows; its code is that rule's, with -sample or -case."""

    code: str
    severity: Severity
    title: str
    docs: str
    evidence: str
    aws: str = ""


SAMPLE_RULES = {
    rule.code: rule
    for rule in (
        SampleRule(
            code="M3-sample",
            severity=Severity.FAILURE,
            title="A template renders with the sample.",
            docs=REFERENCE,
            evidence="IS",
            aws="Execution failed due to configuration error: Unable to transform request",
        ),
        SampleRule(
            code="M3-json-sample",
            severity=Severity.FAILURE,
            title="What a template writes for the sample is JSON where the content type says so.",
            docs=REFERENCE,
            evidence="D",
        ),
        SampleRule(
            code="M4-sample",
            severity=Severity.FAILURE,
            title="A #foreach goes round 1,000 times at most with the sample.",
            docs=LIMITS,
            evidence="D",
        ),
        SampleRule(
            code="M8-sample",
            severity=Severity.FAILURE,
            title="The request template of a MOCK gives an integer statusCode for the sample.",
            docs=GUIDE + "how-to-mock-integration.html",
            evidence="IS LSi",
            aws="Unable to parse statusCode. It should be an integer that is defined in the request template.",
        ),
        SampleRule(
            code="I11-sample",
            severity=Severity.ADVICE,
            title="One pattern matches the sample's answer: which of two wins is not defined.",
            docs=RESPONSES,
            evidence="D",
        ),
        SampleRule(
            code="I10-case",
            severity=Severity.ADVICE,
            title="Every selection pattern is reached by a case.",
            docs=RESPONSES,
            evidence="D",
        ),
    )
}
"""Code → rule, in the order of a call."""


def findings(trace: Trace) -> list[Finding]:
    """What one call shows."""
    request, backend, response = trace.stages[1], trace.stages[2], trace.stages[3]
    return [
        _finding(*found) for found in (*_of_stage(request), *_of_mock(backend), *_of_stage(response), *_of_patterns(response))
    ]


def beyond(known: Iterable[Finding], trace: Trace) -> list[Finding]:
    """What one call shows beside what the rules found without it: a fault that they name at the same place is not named twice."""
    named = {(finding.rule.partition("-")[0], finding.path) for finding in known}
    return [finding for finding in findings(trace) if (finding.rule.partition("-")[0], finding.path) not in named]


def unreached(api: Api, traces: Iterable[Trace]) -> list[Finding]:
    """The patterns that none of these calls reached, of the routes that they called; none where there are no calls."""
    tried: dict[Path, bool] = {}
    for trace in traces:
        for pattern in trace.stages[3].patterns:
            if pattern.pattern:
                tried[pattern.path] = tried.get(pattern.path, False) or pattern.chosen
    message = "Add a case whose answer it matches, or remove it."
    return [_finding("I10-case", path, message) for path, chosen in tried.items() if not chosen]


def _finding(code: str, path: Path, message: str) -> Finding:
    rule = SAMPLE_RULES[code]
    return Finding(
        rule=code,
        severity=rule.severity,
        path=path,
        message=message,
        title=rule.title,
        aws=rule.aws,
        docs=rule.docs,
        evidence=rule.evidence,
    )


type _Found = Iterator[tuple[str, Path, str]]


def _of_stage(stage: Stage) -> _Found:
    """What the template of a stage shows."""
    rendered = stage.template
    if rendered is None:
        return
    if rendered.fault is not None:
        where = f" (line {rendered.fault.line}, column {rendered.fault.column})" if rendered.fault.line else ""
        yield "M3-sample", rendered.path, f"{rendered.fault.message}{where}"
    elif isinstance(stage.output, EndpointRequest | Response):
        yield from _of_output(rendered, stage.output)
    if rendered.iterations > 1_000:
        yield (
            "M4-sample",
            rendered.path,
            f"Loop 1,000 times or fewer: the sample makes it go round {rendered.iterations:,} times.",
        )


def _of_output(rendered: Rendered, output: EndpointRequest | Response) -> _Found:
    if fault := json_fault(rendered, output.headers, is_response=isinstance(output, Response)):
        yield "M3-json-sample", rendered.path, f"Write JSON, as the content type says: {fault}"


def _of_mock(stage: Stage) -> _Found:
    for step in stage.steps:
        if step.behaviour == "mock" and step.level == "error":
            yield "M8-sample", step.paths[0], 'Write an integer status for this request too: {"statusCode": 200}.'


def _of_patterns(stage: Stage) -> _Found:
    for pattern in stage.patterns:
        if pattern.said.startswith(ALSO):
            yield "I11-sample", pattern.path, f"Change it: it matches the answer too, and {_chosen(stage)} was chosen."


def _chosen(stage: Stage) -> str:
    return next((pattern.pattern for pattern in stage.patterns if pattern.chosen), "another")
