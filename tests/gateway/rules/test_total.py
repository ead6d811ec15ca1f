"""Any definition gets an answer: the rules never fail, point at what is there, and every mend they offer works."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from integrations.gateway.definition import LIMITS, Api, Intrinsic, Route, Template, dumps, loads
from integrations.gateway.findings import Severity
from integrations.gateway.grammar import Reference
from integrations.gateway.rules import apply_fix, check
from integrations.gateway.rules.mend import at
from tests.gateway.rules.cases import CASES, HTTP, LAMBDA_MAPPED, answer, of

PIECES = (  # noqa: SIM905
    "arn:|aws|aws-cn|:apigateway:|:lambda:|eu-west-1|cn-north-1|:path/|:action/|2015-03-31/functions/|/invocations|:function:|"
    "2021-11-15/functions/|/response-streaming-invocations|111122223333|s3|sqs|events|PutEvents|:iam::|role/|*:user/*|${X}|"
    "${X.Arn}|${AWS::Region}|${!x}|${stageVariables.x}|${stageVariables.|${|}|{id}|{id+}|{|/|//|https://|http:|:22|?a=|;|#| |"
    "method.request.|integration.request.|method.response.|integration.response.|header.|path.|querystring.|multivalueheader.|"
    "body|context.|requestId|stageVariables.|X|Content-Length|Content-Type|Server|a[b]|id|'|\"|*|application/json|text/html|"
    "; charset=utf-8|$default|GET|post|POST|MOCK|AWS|AWS_PROXY|HTTP|HTTP_PROXY|STREAM|stream|VPC_LINK|INTERNET|NEVER|never|"
    "CONVERT_TO_TEXT|CUSTOM|AWS_IAM|none|200|404|4\\d{2}|.*|(a+)+$|(|[|\\Q|\\p{Alpha}|(?<=a|{2,1}|#if(|#set($a|#end|#else|##|"
    '#*|\\#|{"statusCode": "200"}|{"statusCode": 200}|$context.responseOverride.status|-----BEGIN X PRIVATE KEY-----|'
    "Bearer 0123456789abcdef0123456789|\ud800|\x00|\u2028|é|\n|,|$|-|_|.|:|a"
).split("|")
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), st.text(max_size=8))


def values(wanted: Any) -> st.SearchStrategy[Any]:
    """Any value of a declared type, valid or not."""
    if isinstance(wanted, typing.TypeAliasType):
        wanted = wanted.__value__
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(st.none() if argument is type(None) else values(argument) for argument in arguments))
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(TEXTS, values(arguments[1]), max_size=3)
    if wanted is Template:
        return st.builds(Template, TEXTS, st.booleans())
    if wanted is Intrinsic:
        return st.just(Intrinsic('{"Ref":"X"}'))
    if wanted is Reference:
        return st.just(Reference("X"))
    if dataclasses.is_dataclass(wanted):
        hints = typing.get_type_hints(wanted)
        owner = typing.cast(type, wanted)
        return st.builds(owner, **{field.name: values(hints[field.name]) for field in dataclasses.fields(wanted)})
    by_type = {str: TEXTS, int: st.sampled_from([-1, 0, 49, 50, 29_000, 29_001, 300_001, 900_001]), bool: st.booleans()}
    by_type[float] = by_type[int]
    return typing.cast(st.SearchStrategy[Any], by_type[wanted])


WILD = st.one_of(
    values(Api),
    st.builds(Api, routes=values(Route).map(lambda route: (route,))),
    st.builds(
        lambda case, name, variables: dataclasses.replace(case, stage_name=name, stage_variables=variables),
        st.sampled_from([api for case in CASES.values() for api in case.faulty]),
        TEXTS,
        st.dictionaries(TEXTS, TEXTS, max_size=2),
    ),
)


REVEALING = {"S1", "S1-value", "S2-buffered", "T1"}
"""Rules whose mend lets API Gateway read what it did not before, such as the URI of a type that was none."""


@given(WILD)
@settings(max_examples=150, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
def test_any_definition_is_checked_and_every_mend_works(api: Api) -> None:
    before = check(api)
    errors = {finding.rule for finding in before if finding.severity is Severity.ERROR}

    for finding in before:
        at(api, finding.path)
        if finding.fix:
            mended = apply_fix(api, finding)
            after = check(mended)
            assert [one.rule for one in after].count(finding.rule) < [one.rule for one in before].count(finding.rule), finding
            if finding.rule not in REVEALING:
                assert {one.rule for one in after if one.severity is Severity.ERROR} <= errors, finding
            assert loads(dumps(mended)) == mended


LONG = "x" * 1_000_000
ROWS = range(LIMITS["rows"])


@pytest.mark.parametrize(
    "api",
    [
        of(HTTP, request_parameters={f"integration.request.header.h{row}": f"method.request.header.h{row}" for row in ROWS}),
        of(HTTP, integration_responses=tuple(answer(str(row), f"{row}.*") for row in ROWS)),
        of(HTTP, integration_responses=tuple(answer("200", f"(a+)+{row}$") for row in ROWS)),
        of(LAMBDA_MAPPED, integration_responses=tuple(answer("200", f"((a*)*)*b{row}") for row in ROWS)),
        of(HTTP, request_templates={f"a/b{row}": Template("#if(" * 100) for row in ROWS}),
        of(HTTP, request_templates={"application/json": Template(LONG), "a/b": Template("#" * 1_000_000)}),
        of(HTTP, request_templates={"application/json": Template("-eyJ" * 250_000)}),
        of(HTTP, request_templates={"application/json": Template("Bearer " * 140_000)}),
        of(HTTP, request_templates={"application/json": Template("${" * 500_000, substituted=True)}),
        of(HTTP, route={"path": "/{a}" * 20_000}),
        of(HTTP, route={"declared": {f"method.request.header.h{row}": True for row in ROWS}}),
        of(HTTP, cache_key_parameters=tuple(f"method.request.header.h{row}" for row in ROWS)),
        of(HTTP, integration_responses=(answer("200", "(" * 1_000_000), answer("201", LONG), answer("202", "(a{1000}){1000}"))),
        Api(routes=tuple(of(HTTP, route={"path": f"/{{v{row}}}"}).routes[0] for row in ROWS)),
    ],
    ids=[
        "mappings",
        "patterns",
        "nasty",
        "lambda",
        "templates",
        "long",
        "token",
        "bearer",
        "braces",
        "path",
        "declared",
        "keys",
        "regex",
        "routes",
    ],
)
def test_a_huge_definition_is_checked(api: Api) -> None:
    found = check(api)

    assert all(finding.path[0] in ("routes", "stage_variables") for finding in found)
