"""What can be told of mapping templates without running them: size, grammar, names, loops, a MOCK's status, overrides."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from integrations.gateway.definition import Api, Template
from integrations.gateway.findings import Path, Severity, placed
from integrations.gateway.grammar import Reference as DeploymentReference
from integrations.gateway.grammar import segments
from integrations.gateway.options import GUIDE
from integrations.gateway.rules.mend import put, rewriting, setting
from integrations.gateway.rules.request import CONTEXT, template_maps
from integrations.gateway.rules.rule import Facts, Remarks, rule
from integrations.gateway.velocity import TemplateError, parse, place
from integrations.gateway.velocity.nodes import (
    Block,
    Call,
    Define,
    Foreach,
    If,
    Index,
    Literal,
    MacroDefinition,
    Node,
    Property,
    Range,
    Reference,
    Set,
    Step,
    Text,
    walk,
)
from integrations.gateway.velocity.objects import Util

TEMPLATES = GUIDE + "models-mappings.html"
MOCK = GUIDE + "how-to-mock-integration.html"
OVERRIDES = GUIDE + "apigateway-override-request-response-parameters.html"
LIMITS = GUIDE + "api-gateway-execution-service-limits-table.html"
REQUEST = ("integration", "request_templates")
REFERENCE = GUIDE + "api-gateway-mapping-template-reference.html"
LARGEST = 300 * 1024
MOST = 1_000
"""Iterations of a #foreach."""
APPSYNC = (  # noqa: SIM905
    "appendError authType autoId autoKsuid autoUlid defaultIfNull defaultIfNullOrBlank defaultIfNullOrEmpty dynamodb error http "
    "isBoolean isList isMap isNull isNullOrBlank isNullOrEmpty isNumber isString list log map matches math qr quiet rds str time "
    "toJson transform typeOf unauthorized validate xml"
).split()
"""What people know from AppSync's $util."""
CONTEXT_MAPS = frozenset({"authorizer", "error", "identity", "identity.clientCert", "requestOverride", "responseOverride"})
"""The variables of $context that hold others."""


@rule("M2", Severity.FAILURE, docs=LIMITS, evidence="D")
def a_template_is_of_limited_size(facts: Facts) -> Remarks:
    """A template is 300 KB at most."""
    for path, templates in template_maps(facts):
        for key, template in templates.items():
            size = len(template.text.encode(errors="surrogatepass")) if len(template.text) * 4 > LARGEST else 0
            if size > LARGEST:
                yield (*path, key), f"Shorten it to {LARGEST:,} bytes; it has {size:,}."


class Reading(NamedTuple):
    """What a template's text shows: why it does not parse, and what in it API Gateway does not have; each with its place."""

    fault: str = ""
    functions: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    unescaped: tuple["Unescaped", ...] = ()
    """Read as JSON: where what was sent stands inside a text as it came."""


@lru_cache(maxsize=512)
def read(text: str) -> Reading:
    """Parse a template as API Gateway does, and look at its references and loops."""
    try:
        block, _ = parse(text)
    except TemplateError as error:
        return Reading(placed(error.message, error.line, error.column))
    nodes = list(walk(block))
    own = set(names_set(nodes))
    references = [node for node in nodes if isinstance(node, Reference) and node.name not in own]
    return Reading(
        "",
        tuple(_placed(text, node, said) for node in references if (said := unknown_function(node))),
        tuple(_placed(text, node, said) for node in references if (said := unknown_variable(node))),
        tuple(
            _placed(text, node, f"Loop {MOST:,} times or fewer.") for node in nodes if isinstance(node, Foreach) and is_long(node)
        ),
        tuple(said._replace(message=_placed(text, node, said.message)) for node, said in _Texts().unescaped(block)),
    )


def as_deployed(template: Template) -> str:
    """The text that API Gateway gets: the place of a reference is held by as many digits, which may stand anywhere."""
    if not template.substituted:
        return template.text
    return "".join(
        "1" * len(str(part)) if isinstance(part, DeploymentReference) else str(part) for part in segments(template.text)
    )


def _placed(text: str, node: Node, message: str) -> str:
    return placed(message, *place(text, node.position))


def names_set(nodes: Iterable[Node]) -> Iterator[str]:
    """The variables that a template makes itself."""
    for node in nodes:
        match node:
            case Set(target=Reference(name=name, steps=[])) | Foreach(name=name) | Define(name=name):
                yield name
            case MacroDefinition(parameters=parameters):
                yield from parameters


def unknown_function(reference: Reference) -> str:
    """What to write in place of a function that `$util` does not have; empty where it has it."""
    if reference.name in ("utils", "ctx"):
        return f"Write ${'util' if reference.name == 'utils' else 'context'}: ${reference.name} is AppSync's."
    if reference.name != "util" or not reference.steps or not isinstance(reference.steps[0], Property | Call):
        return ""
    name = reference.steps[0].name
    if name in Util.FUNCTIONS:
        return ""
    whose = "is AppSync's, and not here" if name in APPSYNC else "is unknown"
    return f"Use one of {', '.join(sorted(Util.FUNCTIONS))}: $util.{name} {whose}."


def unknown_variable(reference: Reference) -> str:
    """What to write in place of a variable that `$context` does not have; empty where it has it."""
    properties = takewhile(lambda step: isinstance(step, Property), reference.steps)
    name = ".".join(step.name for step in properties if isinstance(step, Property))
    if reference.name != "context" or not name or CONTEXT.fullmatch(name) or name in CONTEXT_MAPS:
        return ""
    return f"Use a variable of $context, in its own case: $context.{name} is none."


def is_long(loop: Foreach) -> bool:
    """Whether a loop over a range of two numbers is longer than AWS allows."""
    match loop.source:
        case Range(first=Literal(held=int(first)), last=Literal(held=int(last))):
            return abs(last - first) >= MOST
    return False


class Unescaped(NamedTuple):
    """A reference inside of a text of JSON: what to write in its place, and where what it writes comes from."""

    message: str
    source: str
    """`params` is the caller's; `body` the caller's in a request and the backend's in a response; `json` either's."""


class _Texts:
    """Where the texts of a JSON template begin and end, followed through its text and its branches."""

    def __init__(self) -> None:
        self.inside = False
        self.escaped = False
        """The last character was a backslash inside of a text."""
        self.raw: dict[str, str] = {}
        """The variables that hold what was sent, as it came → where it comes from."""

    def unescaped(self, block: Block) -> Iterator[tuple[Reference, Unescaped]]:
        """The references inside of texts that write what was sent, as it came."""
        for node in block.nodes:
            match node:
                case Text(text=text):
                    self._pass(text)
                case Reference() if self.inside and (source := self._source(node)):
                    yield node, Unescaped(_in_place_of(node, source), source)
                case Set(target=Reference(name=name, steps=[]), source=value):
                    self.raw[name] = self._source(value)
                case Foreach(name=name, source=items, block=inner):
                    self.raw[name] = self._source(items)
                    yield from self.unescaped(inner)
                case If(branches=branches, otherwise=otherwise):
                    before, after = self.inside, []
                    for inner in [*(inner for _, inner in branches), *([otherwise] if otherwise else [])]:
                        self.inside = before
                        yield from self.unescaped(inner)
                        after.append(self.inside)
                    self.inside = after[0]

    def _pass(self, text: str) -> None:
        for character in text:
            if self.escaped:
                self.escaped = False
            elif character == '"':
                self.inside = not self.inside
            else:
                self.escaped = self.inside and character == "\\"

    def _source(self, node: Node) -> str:
        """Where a value comes from that nothing was done to: `params`, `body` or `json`; empty for another one."""
        if not isinstance(node, Reference):
            return ""
        if node.name != "input":
            return self.raw.get(node.name, "") if _only_reads(node.steps) else ""
        first = node.steps[0] if node.steps else None
        if not isinstance(first, Property | Call) or not _only_reads(node.steps[1:]):
            return ""
        return {"params": "params", "path": "body", "body": "body", "json": "json"}.get(first.name, "")


def _only_reads(steps: Sequence[Step]) -> bool:
    return all(isinstance(step, Property | Index) for step in steps)


def _in_place_of(reference: Reference, source: str) -> str:
    if source == "json":
        return "Remove the quotes around it: $input.json writes its own."
    return f"Write $util.escapeJavaScript({reference.source}) there: a quotation mark in the value would end the text."


def readings(facts: Facts) -> Iterator[tuple[Path, Reading]]:
    """What is known of each template that is not too large, with its path."""
    for path, templates in template_maps(facts):
        for key, template in templates.items():
            if len(template.text) <= LARGEST and ("#" in template.text or "$" in template.text):
                yield (*path, key), read(as_deployed(template))


@rule(
    "M3",
    Severity.FAILURE,
    docs=TEMPLATES,
    evidence="IS",
    aws="Execution failed due to configuration error: Unable to transform request",
)
def a_template_parses(facts: Facts) -> Remarks:
    """A template is Velocity that can be parsed: blocks are closed, references and expressions are whole."""
    for path, reading in readings(facts):
        if reading.fault:
            yield path, reading.fault


@rule("M3-util", Severity.FAILURE, docs=REFERENCE, evidence="D")
def a_function_of_util_exists(facts: Facts) -> Remarks:
    """A template calls functions that $util has; another one writes nothing."""
    for path, reading in readings(facts):
        yield from ((path, message) for message in reading.functions)


@rule("M3-context", Severity.FAILURE, docs=REFERENCE, evidence="D")
def a_variable_of_context_exists(facts: Facts) -> Remarks:
    """A template reads variables that $context has, in their own case; another one writes nothing."""
    for path, reading in readings(facts):
        yield from ((path, message) for message in reading.variables)


@rule("M4", Severity.FAILURE, docs=LIMITS, evidence="D")
def a_loop_ends_in_time(facts: Facts) -> Remarks:
    """A #foreach goes round 1,000 times at most."""
    for path, reading in readings(facts):
        yield from ((path, message) for message in reading.loops)


@rule("M3-escape", Severity.ADVICE, docs=REFERENCE, evidence="D")
def what_the_caller_sent_is_escaped(facts: Facts) -> Remarks:
    """What the caller sent is escaped where a template for JSON writes it inside a text."""
    for path, reading in readings(facts):
        media_type = str(path[-1]).partition(";")[0]
        is_request = path[:-1] == REQUEST
        if media_type.endswith(("/json", "+json")) and not (facts.type == "MOCK" and is_request):
            theirs = ("params", "body", "json") if is_request else ("params", "json")
            yield from ((path, found.message) for found in reading.unescaped if found.source in theirs)


# --- MOCK ------------------------------------------------------------------------------------------


def _with_status(api: Api, path: Path) -> Api:
    return put(api, (*path, "application/json"), Template('{"statusCode": 200}'))


@rule(
    "M8",
    Severity.FAILURE,
    docs=MOCK,
    evidence="IS LSi",
    aws="statusCode should be an integer which defined in request template",
    fix=_with_status,
    fix_label='Add {"statusCode": 200}',
)
def a_mock_has_a_template(facts: Facts) -> Remarks:
    """A MOCK has a request template for application/json, which gives its status."""
    if facts.type == "MOCK" and "application/json" not in facts.integration.request_templates:
        yield REQUEST, 'Add an application/json template: {"statusCode": 200}.'


_STATUS = re.compile(r"""(["']?)statusCode\1\s*:\s*(["'])\s*([1-5]\d\d)\s*\2""", re.ASCII)
_TEXT_STATUS = re.compile(r"""(["']?)statusCode\1\s*:\s*["']""", re.ASCII)


def _with_number(template: Template) -> Template:
    return Template(_STATUS.sub(r"\1statusCode\1: \3", template.text), template.substituted)


@rule(
    "M8-status",
    Severity.FAILURE,
    docs=MOCK,
    evidence="IS LSi",
    aws="Unable to parse statusCode. It should be an integer that is defined in the request template.",
    fix=rewriting(_with_number),
    fix_label="Remove the quotes",
)
def a_mocks_status_is_a_number(facts: Facts) -> Remarks:
    """The template of a MOCK gives statusCode as a number."""
    if facts.type != "MOCK":
        return
    for key, template in facts.integration.request_templates.items():
        if "statusCode" not in template.text:
            if not re.search(r"[#$]", template.text):
                yield (*REQUEST, key), 'Give a status: {"statusCode": 200}.', ""
        elif _TEXT_STATUS.search(template.text):
            mendable = not _TEXT_STATUS.search(_with_number(template).text)
            yield (*REQUEST, key), "Write statusCode as a number, without quotes.", "Remove the quotes" if mendable else ""


@rule("M9", Severity.ADVICE, docs=MOCK, evidence="IS")
def a_mock_takes_other_media_types(facts: Facts) -> Remarks:
    """A MOCK that gets a body of another media type than its templates' answers 500, unless it passes none through."""
    integration = facts.integration
    takes_bodies = facts.route.method in ("POST", "PUT", "PATCH", "ANY")
    if (
        facts.type == "MOCK"
        and takes_bodies
        and integration.request_templates
        and integration.passthrough_behavior in (None, "WHEN_NO_MATCH")
    ):
        yield (
            ("integration", "passthrough_behavior"),
            "Choose NEVER, so that other media types are answered 415, or add their templates.",
        )


@rule(
    "M10",
    Severity.FAILURE,
    docs=GUIDE + "api-gateway-payload-encodings.html",
    evidence="IS",
    aws="Execution failed due to configuration error: Unable to transform request",
    fix=setting("CONVERT_TO_TEXT"),
    fix_label="Set CONVERT_TO_TEXT",
)
def a_mock_reads_text(facts: Facts) -> Remarks:
    """A MOCK converts its body to text where every media type is binary."""
    if facts.type == "MOCK" and "*/*" in facts.api.binary_media_types and facts.integration.content_handling is None:
        message = "Choose CONVERT_TO_TEXT: with */* among the binary media types the template fails."
        yield ("integration", "content_handling"), message


# --- Overrides -------------------------------------------------------------------------------------

_OVERRIDE = re.compile(r"#set\s*\(\s*\$\{?context\.((?:request|response)Override\.[A-Za-z0-9._-]+)", re.ASCII)


@rule("M11", Severity.FAILURE, docs=OVERRIDES, evidence="D")
def an_override_is_set_once(facts: Facts) -> Remarks:
    """A template sets each override once; the second time answers 5XX."""
    for path, templates in template_maps(facts):
        for key, template in templates.items():
            if "Override" not in template.text or re.search(r"#\{?(if|else|foreach)", template.text):
                continue  # in branches only one of them may be reached
            names = _OVERRIDE.findall(template.text)
            twice = next((name for name in dict.fromkeys(names) if names.count(name) > 1), None)
            if twice:
                yield (*path, key), f"Set $context.{twice} once."
