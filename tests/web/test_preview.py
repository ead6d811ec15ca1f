"""What the preview says of an export: the place of each line, its marks and colours, and how much is shown."""

import dataclasses
import json
import re
from difflib import SequenceMatcher
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

from integrations import preview as module
from integrations.gateway.definition import (
    Api,
    AwsService,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Route,
    Template,
)
from integrations.gateway.findings import Finding, Path, Severity
from integrations.gateway.formats import FORMATS
from integrations.gateway.options import options_of
from integrations.models import Integration as Entry
from integrations.models import Team
from integrations.places import Block, indented, parsed, token, tokens
from integrations.preview import Line, Preview, coloured, comparison, preview

ORDERS = Api(
    name="orders-to-sqs",
    routes=(
        Route(
            method="POST",
            path="/orders",
            integration=Integration(
                backend=AwsService(service="sqs", path="111122223333/intake"),
                credentials_role="arn:aws:iam::111122223333:role/send",
                request_parameters={
                    "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
                    "integration.request.querystring.Version": "'2012-11-05'",
                },
                request_templates={"application/json": Template('Action=SendMessage##\n#if("a: b")\n&Body=$input.body\n#end')},
                timeout_ms=29_000,
                integration_responses=(
                    IntegrationResponse(status_code="202"),
                    IntegrationResponse(
                        status_code="400",
                        selection_pattern=r"4\d{2}",
                        response_parameters={"method.response.header.X-Id": "integration.response.header.x-id"},
                        response_templates={"application/json": Template("{}\n[]")},
                    ),
                ),
            ),
        ),
    ),
)


def with_integration(api: Api, **changes: Any) -> Api:
    route = api.routes[0]
    return dataclasses.replace(
        api, routes=(dataclasses.replace(route, integration=dataclasses.replace(route.integration, **changes)),)
    )


def with_route(api: Api, **changes: Any) -> Api:
    return dataclasses.replace(api, routes=(dataclasses.replace(api.routes[0], **changes),))


def lines_of(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


# --- Places: judged by what a change of the option changes in the text ------------------------------

PLACED: list[tuple[str, Path, Api, Api]] = []
"""Name, place, a definition without the option, one with it."""
for _owner in (Lambda, Http, AwsService):
    for _name, _option in options_of(_owner).items():
        _without = with_integration(ORDERS, backend=_owner())
        _with = with_integration(ORDERS, backend=_owner(**{_name: _option.example}))
        PLACED.append((f"{_owner.__name__}.{_name}", ("routes", 0, "integration", "backend", _name), _without, _with))
for _name, _option in options_of(Integration).items():
    _unset = type(_option.example)() if isinstance(_option.example, tuple | dict) else None
    _bare = with_integration(ORDERS, **{_name: _unset})
    PLACED.append((_name, ("routes", 0, "integration", _name), _bare, with_integration(_bare, **{_name: _option.example})))
for _name, _option in options_of(IntegrationResponse).items():
    PLACED.append(
        (
            f"response.{_name}",
            ("routes", 0, "integration", "integration_responses", 1, _name),
            with_integration(
                ORDERS,
                integration_responses=(
                    IntegrationResponse(status_code="202"),
                    IntegrationResponse(status_code="500", selection_pattern=None if _name == "selection_pattern" else "5.."),
                ),
            ),
            with_integration(
                ORDERS,
                integration_responses=(
                    IntegrationResponse(status_code="202"),
                    IntegrationResponse(**{"status_code": "500", "selection_pattern": "5..", _name: _option.example}),
                ),
            ),
        )
    )
for _name, _option in options_of(Route).items():
    PLACED.append((f"route.{_name}", ("routes", 0, _name), ORDERS, with_route(ORDERS, **{_name: _option.example})))
for _name, _option in ((name, option) for name, option in options_of(Api).items() if not option.shared):
    PLACED.append((f"api.{_name}", (_name,), ORDERS, dataclasses.replace(ORDERS, **{_name: _option.example})))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("name", "place", "without", "present"), PLACED, ids=[name for name, *_ in PLACED])
def test_a_line_that_an_option_writes_is_found_by_it(format: str, name: str, place: Path, without: Api, present: Api) -> None:
    old, new = (lines_of(FORMATS[format].dump(api).text) for api in (without, present))
    written = {
        number
        for kind, _, _, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if kind in ("insert", "replace")
        for number in range(start, end)
    }
    shown = preview(present, None, format).lines
    lit = {number for number, line in enumerate(shown) if token(place) in tokens(line.places).split()}
    print(*(f"{'*' if n in written else ' '}{'>' if n in lit else ' '}{line}" for n, line in enumerate(new)), sep="\n")
    assert lit or not written
    if place[-1] != "responses":  # those that the integration implies stand among them
        assert not written or all(run & written for run in runs(lit))


def runs(numbers: set[int]) -> list[set[int]]:
    """The numbers in sets without a gap."""
    found: list[set[int]] = []
    for number in sorted(numbers):
        if found and number - 1 in found[-1]:
            found[-1].add(number)
        else:
            found.append({number})
    return found


def test_what_is_not_an_option_has_no_place() -> None:
    lines = preview(ORDERS, None, "cloudformation-json").lines
    places = {text(line): tokens(line.places) for line in lines}
    assert places['"AWSTemplateFormatVersion": "2010-09-09",'] == ""
    assert places['"Type": "AWS::ApiGateway::Method",'] == ""
    assert places['"TimeoutInMillis": 29000,'] == "timeout_ms"
    assert (
        places['"SelectionPattern": "4\\\\d{2}",']
        == "integration_responses integration_responses.1 integration_responses.1.selection_pattern"
    )


def text(line: Line) -> str:
    return unescape(re.sub("<[^>]+>", "", line.html)).strip()


YAML = """\
"a: b": 1
Properties:
  Integration:
    Type: AWS
    RequestTemplates:
      application/json: |-
        Type: not a key

        StatusCode: neither
      'text/plain': x
    IntegrationResponses:
    - StatusCode: "200"
      SelectionPattern: ''
    - StatusCode: "400"
"""


def outline(blocks: list[Block]) -> list[Any]:
    return [(block.key, block.first, block.last, outline(block.inner)) for block in blocks]


def test_the_structure_of_yaml_is_its_indentation() -> None:
    assert outline(indented(lines_of(YAML))) == [
        ("a: b", 0, 0, []),
        (
            "Properties",
            1,
            13,
            [
                (
                    "Integration",
                    2,
                    13,
                    [
                        ("Type", 3, 3, []),
                        ("RequestTemplates", 4, 9, [("application/json", 5, 8, []), ("text/plain", 9, 9, [])]),
                        (
                            "IntegrationResponses",
                            10,
                            13,
                            [
                                ("", 11, 12, [("StatusCode", 11, 11, []), ("SelectionPattern", 12, 12, [])]),
                                ("", 13, 13, [("StatusCode", 13, 13, [])]),
                            ],
                        ),
                    ],
                )
            ],
        ),
    ]


PYTHON = '''\
BODY = """\\
{
timeout=1
"""


class Books(Stack):
    def __init__(self, scope, *, handler: IFunction) -> None:
        api.root.add_method(
            "GET",
            LambdaIntegration(
                handler,
                timeout=Duration.millis(50),
                request_templates={"application/json": BODY},
            ),
        )
'''


def test_the_structure_of_python_is_its_calls_and_a_name_leads_to_what_it_names() -> None:
    found = {(block.key, block.first, block.last) for block in all_of(parsed(PYTHON))}
    assert found >= {
        ("add_method", 8, 15),
        ("LambdaIntegration", 10, 14),
        ("timeout", 12, 12),
        ("request_templates", 13, 13),
        ("application/json", 13, 13),
        ("", 0, 3),
    }


def all_of(blocks: list[Block]) -> list[Block]:
    return [found for block in blocks for found in (block, *all_of(block.inner))]


@given(st.text())
def test_no_text_breaks_the_search_for_structure(text: str) -> None:
    for lines in (text.split("\n"), ["{", *text.split("\n"), "}"]):
        assert all(0 <= block.first <= block.last < len(lines) for block in all_of(indented(lines)))
    parsed(text)


# --- Colours ---------------------------------------------------------------------------------------

TEXTS = {"json": json.dumps({"a": [1, True, None, 'x"y'], "b": {"c": "d\n"}}, indent=2), "yaml": YAML, "python": PYTHON}


@pytest.mark.parametrize("lexer", TEXTS)
def test_a_text_coloured_in_pieces_is_coloured_as_a_whole(lexer: str) -> None:
    """Judged by Pygments itself: the same characters have the same class."""
    lines = lines_of(TEXTS[lexer])
    html = highlight("\n".join(lines), get_lexer_by_name(lexer, stripnl=False, ensurenl=False), HtmlFormatter(nowrap=True))
    pieced, whole = (
        [
            (character, name.split(" ")[0])
            for name, plain in re.findall(r'(?:<span class="([^"]+)">)?([^<]+)(?:</span>)?', text)
            for character in unescape(plain)
            if not character.isspace()
        ]
        for text in ("\n".join(coloured(lexer, lines)), html)
    )
    quiet = {STANDARD_TYPES[kind] for kind in module.QUIET}
    assert pieced == [(character, "" if name in quiet else name) for character, name in whole]


@given(st.sampled_from(sorted(TEXTS)), st.text(st.sampled_from("ab \"'#:|-{}[]()\\\n\t<&>é\u2028\x00")))
def test_colours_change_no_character(lexer: str, text: str) -> None:
    lines = text.split("\n")
    assert [unescape(re.sub(r"</?span[^>]*>", "", html)) for html in coloured(lexer, lines)] == lines
    assert all(html.count("<span") == html.count("</span>") for html in coloured(lexer, lines))


def test_a_long_text_stays_plain() -> None:
    lines = ["<a>"] * (module.COLOURED // 3 + 1)
    assert set(coloured("json", lines)) == {"&lt;a&gt;"}


# --- Marks -----------------------------------------------------------------------------------------


def marked(shown: Preview) -> dict[str, str]:
    return {text(line): line.mark for line in shown.lines if line.mark}


def test_lines_are_marked_against_the_base() -> None:
    new = with_integration(ORDERS, timeout_ms=3_000, passthrough_behavior="NEVER")
    shown = preview(new, ORDERS, "definition")
    assert marked(shown) == {'"timeout_ms": 3000,': "~", '"passthrough_behavior": "NEVER",': "+"}
    assert shown.changes == 2
    assert preview(ORDERS, ORDERS, "definition").changes == 0
    assert preview(ORDERS, None, "definition").changes is None


def test_lines_of_the_last_edit_are_told_apart() -> None:
    before = with_integration(ORDERS, timeout_ms=3_000)
    after = with_integration(before, cache_namespace="books")
    edited = {text(line): line.edited for line in preview(after, ORDERS, "definition", before).lines if line.edited or line.mark}
    assert edited == {'"timeout_ms": 3000,': False, '"cache_namespace": "books",': True}


def error(*path: str | int) -> Finding:
    return Finding(rule="I1", severity=Severity.ERROR, path=("routes", 0, "integration", *path), message="Mend it.")


def test_a_wrong_line_is_marked_before_it_is_marked_as_changed() -> None:
    name = "integration.request.header.Content-Type"
    new = with_integration(ORDERS, request_parameters={**ORDERS.routes[0].integration.request_parameters, name: "form"})
    shown = preview(new, ORDERS, "definition", findings=[error("request_parameters", name)])
    assert marked(shown) == {f'"{name}": "form",': "!"}
    assert shown.errors == 1


def test_an_error_of_what_is_missing_marks_where_it_belongs() -> None:
    assert marked(preview(ORDERS, None, "definition", findings=[error("integration_responses", 1, "content_handling")])) == {
        "{": "!"
    }
    assert marked(preview(ORDERS, None, "definition", findings=[error("vpc_link")])) == {}


def test_what_is_not_an_error_marks_nothing() -> None:
    advice = dataclasses.replace(error("timeout_ms"), severity=Severity.ADVICE)
    assert marked(preview(ORDERS, None, "definition", findings=[advice])) == {}


# --- The whole -------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_the_lines_are_the_export(format: str) -> None:
    shown = preview(ORDERS, None, format)
    assert "\n".join(unescape(re.sub(r"</?span[^>]*>", "", line.html)) for line in shown.lines) + "\n" == shown.export.text
    assert not shown.cut


def test_markup_in_a_definition_stays_text() -> None:
    evil = with_integration(ORDERS, request_parameters={'"><script>': "<img src=x onerror=alert(1)>"}, cache_namespace="</code>")
    span = re.compile(r'<span class="\w+">|<span class="ln"( data-(mark="."|for="[\w. ]*"|edited))*>|</span>')
    for format in FORMATS:
        html = preview(evil, ORDERS, format, findings=[error("cache_namespace")]).html
        assert "<" not in span.sub("", html)


def test_a_huge_text_is_cut_and_says_so() -> None:
    huge = with_integration(ORDERS, request_templates={"application/json": Template("x" * 1_000_000)})
    shown = preview(huge, ORDERS, "definition")
    assert shown.cut
    assert max(len(line.html) for line in shown.lines) < 5_000
    many = dataclasses.replace(ORDERS, stage_variables={f"v{n}": "1" for n in range(10_000)})
    assert len(preview(many, ORDERS, "definition").lines) == module.SHOWN["lines"]


def test_reads_back_is_said_only_where_it_was_checked() -> None:
    assert not preview(ORDERS, None, "definition").reads_back
    assert preview(ORDERS, None, "definition", reread=True).reads_back


def test_formats_are_chosen_by_family_and_notation() -> None:
    families = preview(ORDERS, None, "openapi-json").families
    names = {family.label: [(format.name, notation) for format, notation in family.notations] for family in families}
    assert names["OpenAPI"] == [("openapi", "YAML"), ("openapi-json", "JSON")]
    assert names["CloudFormation"] == [("cloudformation", "YAML"), ("cloudformation-json", "JSON")]
    assert names["Definition"] == []
    assert preview(ORDERS, None, "openapi-json").family.label == "OpenAPI"


def test_a_place_has_the_name_that_forms_use() -> None:
    assert token(("routes", 0, "integration", "timeout_ms")) == "timeout_ms"
    assert token(("routes", 0, "integration", "request_parameters", "integration.request.header.X")) == "request_parameters"
    assert token(("routes", 0, "integration", "backend", "action_parameters", "Version")) == "backend.action_parameters"
    assert token(("routes", 0, "path")) == "path"
    assert tokens((("routes", 0, "integration", "integration_responses", 1, "response_parameters", "a b"),)) == (
        "integration_responses integration_responses.1 integration_responses.1.response_parameters"
    )


# --- Two exports -----------------------------------------------------------------------------------


def rows(html: str) -> list[tuple[str, str, str]]:
    """Mark, number and text of each line."""
    found = []
    for piece in html.split('<span class="ln"')[1:]:
        head, _, text = piece.partition(">")
        facts = dict(re.findall(r'data-(mark|n)="([^"]*)"', head))
        found.append((facts.get("mark", ""), facts.get("n", ""), unescape(re.sub("<[^>]+>", "", text)).strip()))
    return found


SLOWER = with_integration(ORDERS, timeout_ms=3_000, credentials_role=None)


def test_two_exports_are_compared_line_by_line() -> None:
    found = comparison(ORDERS, SLOWER, "definition")
    changed = [row for row in rows(found.html) if row[0]]
    assert changed == [
        ("-", "24", '"credentials_role": "arn:aws:iam::111122223333:role/send",'),
        ("-", "25", '"timeout_ms": 29000,'),
        ("+", "24", '"timeout_ms": 3000,'),
    ]
    assert (found.added, found.removed) == (1, 2)
    gaps = [text for _, number, text in rows(found.html) if not number]
    assert [re.sub(r"\d+", "N", gap) for gap in gaps] == ["N equal lines", "N equal lines"]


def test_side_by_side_each_line_of_both_has_its_place() -> None:
    found = comparison(ORDERS, SLOWER, "definition", side=True, whole=True)
    pairs = [rows(pair) for pair in re.split(r'<span class="pair"(?: data-same)?>', found.html)[1:]]
    old, new = (lines_of(FORMATS["definition"].dump(api).text) for api in (ORDERS, SLOWER))
    assert [left[2] for left, _ in pairs if left[1]] == [line.strip() for line in old]
    assert [right[2] for _, right in pairs if right[1]] == [line.strip() for line in new]


def test_two_equal_exports_are_one_gap() -> None:
    found = comparison(ORDERS, ORDERS, "definition")
    assert (found.added, found.removed) == (0, 0)
    assert [text for _, _, text in rows(found.html)] == [f"{len(lines_of(found.export.text))} equal lines"]


@pytest.mark.parametrize("format", FORMATS)
def test_every_line_that_a_field_writes_is_lit_by_a_field_of_the_form(
    format: str, team: Team, editor: User, as_editor: Client
) -> None:
    Entry(team=team, slug="orders").save_revision(ORDERS, editor)
    html = as_editor.get(reverse("integration-edit", args=["storefront", "orders"]), {"format": format}).content.decode()
    fields = set(re.findall(r'data-opt="([^"]*)"', html))
    rows = {field.rpartition(".")[0] for field in fields if field.count(".") == 2}
    lit = {name for names in re.findall(r'data-for="([^"]*)"', html) for name in names.split()}
    assert lit
    assert lit <= fields | rows
