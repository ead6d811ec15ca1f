"""What can be told of mapping templates without running them: size, blocks, a MOCK's status, overrides."""

import re
from functools import lru_cache

from integrations.gateway.definition import Api, Template
from integrations.gateway.findings import Path, Severity
from integrations.gateway.options import GUIDE
from integrations.gateway.rules.mend import put, rewriting, setting
from integrations.gateway.rules.request import template_maps
from integrations.gateway.rules.rule import Facts, Remarks, rule

TEMPLATES = GUIDE + "models-mappings.html"
MOCK = GUIDE + "how-to-mock-integration.html"
OVERRIDES = GUIDE + "apigateway-override-request-response-parameters.html"
LIMITS = GUIDE + "api-gateway-execution-service-limits-table.html"
REQUEST = ("integration", "request_templates")
LARGEST = 300 * 1024


@rule("M2", Severity.FAILURE, docs=LIMITS, evidence="D")
def a_template_is_of_limited_size(facts: Facts) -> Remarks:
    """A template is 300 KB at most."""
    for path, templates in template_maps(facts):
        for key, template in templates.items():
            size = len(template.text.encode(errors="surrogatepass")) if len(template.text) * 4 > LARGEST else 0
            if size > LARGEST:
                yield (*path, key), f"Shorten it to {LARGEST:,} bytes; it has {size:,}."


_VTL = re.compile(
    r"(?P<skip>\\#|#\[\[.*?\]\]#|#\*.*?\*#|##[^\n]*)"
    r"|#(?P<brace>\{)?(?P<name>end|elseif|else|if|foreach|define|macro|set)(?(brace)\}|(?![a-z]))(?P<open>[ \t]*\()?",
    re.DOTALL,
)
_ARGUMENT = re.compile(r"[()]|'[^']*'?|\"[^\"]*\"?")
_OPENING = frozenset({"if", "foreach", "define", "macro"})


@lru_cache(maxsize=256)
def fault_of(template: str) -> str:
    """What stops a Velocity parser: a block or a parenthesis left open, or a stray #end; empty where nothing is seen.

    Says nothing about references and expressions: parsing them is the simulator's. Linear in the template.
    """
    opened: list[str] = []
    at = 0
    while match := _VTL.search(template, at):
        at, name = match.end(), match["name"]
        if match["skip"] is not None:
            continue
        if name == "end":
            if not opened:
                return "Remove an #end: no block is open before it."
            opened.pop()
        elif name == "else" or (name == "elseif" and match["open"]):
            if not opened:
                return f"Put #{name} inside an #if: no block is open before it."
        elif match["open"]:
            if name in _OPENING:
                opened.append(name)
        elif name in ("if", "foreach", "set"):
            return f"Write ( after #{name}."
        if match["open"] and name not in ("end", "else"):
            closed = _closing(template, at)
            if closed is None:
                return f"Close the parenthesis after #{name}, or the text in quotes inside it."
            at = closed
    return f"Close #{opened[-1]} with #end." if opened else ""


def _closing(template: str, at: int) -> int | None:
    """Just after the parenthesis that closes the one before `at`."""
    depth = 1
    for match in _ARGUMENT.finditer(template, at):
        token = match[0]
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
            if not depth:
                return match.end()
        elif len(token) < 2 or token[-1] != token[0]:
            return None
    return None


@rule(
    "M3",
    Severity.FAILURE,
    docs=TEMPLATES,
    evidence="IS",
    aws="Execution failed due to configuration error: Unable to transform request",
)
def a_template_has_whole_blocks(facts: Facts) -> Remarks:
    """Each #if, #foreach and #define of a template is closed by an #end."""
    for path, templates in template_maps(facts):
        for key, template in templates.items():
            if len(template.text) <= LARGEST and "#" in template.text and (fault := fault_of(template.text)):
                yield (*path, key), fault


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
