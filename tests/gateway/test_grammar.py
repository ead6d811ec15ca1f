"""API Gateway's small languages: references, mapping expressions, ARNs, paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.gateway.grammar import (
    Body,
    Context,
    Parameter,
    Reference,
    StageVariable,
    Static,
    escaped,
    notation,
    parse_integration_uri,
    parse_invocation,
    parse_method_parameter,
    parse_request_source,
    path_variables,
    segments,
    uri_variables,
)

PIECES = ["${", "}", "!", "$", "{", "a", "stageVariables.x", "AWS::Region", ".", "Name", " "]
TEXTS = st.lists(st.sampled_from(PIECES)).map("".join)


@given(TEXTS)
def test_an_escaped_text_is_literal_to_the_letter(text: str) -> None:
    assert "".join(map(str, segments(escaped(text)))) == text
    assert all(isinstance(part, str) for part in segments(escaped(text)))


@given(TEXTS)
def test_notation_gives_back_the_same_segments(text: str) -> None:
    assert segments(notation(segments(text))) == segments(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("a${B.C}d", ("a", Reference("B.C"), "d")),
        ("${stageVariables.x}", (StageVariable("x"),)),
        ("${!x}", ("${x}",)),
        ("${a b}${", ("${a b}${",)),
        ("${AWS::Region}", (Reference("AWS::Region"),)),
    ],
)
def test_segments(text: str, parts: tuple[object, ...]) -> None:
    assert segments(text) == parts


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("'a b'", Static("a b")),
        ("'a'b'", None),
        ('"*"', None),
        ("*", None),
        ("context.requestId", Context("requestId")),
        ("stageVariables.x", StageVariable("x")),
        ("method.request.body", Body("method.request", "")),
        ("method.request.body.a[0].b", Body("method.request", "a[0].b")),
        ("method.request.header.X-A", Parameter("method.request", "header", "X-A")),
        ("method.request.multivaluequerystring.q", Parameter("method.request", "querystring", "q", multi_value=True)),
        ("method.request.querystring.filter[a]", None),
        ("integration.response.header.X", None),
    ],
)
def test_request_sources(text: str, source: object) -> None:
    assert parse_request_source(text) == source


def test_a_method_parameter_is_single_valued() -> None:
    assert parse_method_parameter("method.request.multivalueheader.X") is None


@pytest.mark.parametrize(
    "uri",
    [
        "arn:aws:apigateway:eu-west-1:sqs:path/111122223333/orders",
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:runtime.sagemaker:path/endpoints/a/invocations",
        "arn:aws:apigateway:eu-west-1:${Bucket.Name}.s3:path/{key}",
        "arn:aws:apigateway:eu-west-1:dynamodb:action/Query",
    ],
)
def test_an_integration_uri_is_written_back_as_it_was(uri: str) -> None:
    assert str(parse_integration_uri(uri)) == uri


@pytest.mark.parametrize("uri", ["arn:aws:lambda:eu-west-1:111122223333:function:f", "https://a.example", ""])
def test_what_is_no_integration_uri(uri: str) -> None:
    assert parse_integration_uri(uri) is None


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("2015-03-31/functions/a/invocations", ("a", False)),
        ("2021-11-15/functions/a/response-streaming-invocations", ("a", True)),
        ("2015-03-31/functions/a/response-streaming-invocations", None),
        ("random/value/a/invocations", None),
    ],
)
def test_lambda_invocations(rest: str, found: object) -> None:
    assert parse_invocation(rest) == found


def test_variables_of_paths_and_uris() -> None:
    assert path_variables("/books/{id}/{proxy+}") == ("id", "proxy")
    assert uri_variables("https://${stageVariables.host}/{id}") == ("id",)
