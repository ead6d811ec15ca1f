"""What API Gateway adds to Velocity: its four objects, and what was recorded of undefined references and nulls."""

import pytest

from integrations.gateway.velocity import BudgetSpent, Given, TemplateError, render

BODY = '{"id": 7, "name": "A \\"b\\"", "tags": ["x", {"k": "a/b"}], "deep": {"list": [{"n": 1}]}, "none": null}'
GIVEN = Given(
    body=BODY,
    parameters={"path": {"id": "p"}, "querystring": {"id": "q", "page": "2"}, "header": {"Accept": "*/*"}},
    context={"requestId": "r-1", "identity": {"sourceIp": "127.0.0.1"}},
    stage_variables={"table": "books"},
)

TEXTS = {
    # $input
    "$input.body": BODY,
    "$input.json('$.id')": "7",
    "$input.json('$.name')": '"A \\"b\\""',
    "$input.json('$.tags')": '["x",{"k":"a/b"}]',
    "$input.json('$.missing')": '""',
    "$input.path('$.deep')": '{list=[{"n":1}]}',
    "$input.path('$.tags')": '["x",{"k":"a\\/b"}]',
    "$input.path('$.tags')[1]": "{k=a/b}",
    "$input.path('$.tags').size()": "2",
    "$input.path('$').name.length()": "5",
    "[$input.path('$.missing')]": "[]",
    "$input.params('id') $input.params('page') $input.params('Accept') [$input.params('nope')]": "p 2 */* []",
    "$input.params().querystring.page $input.params().get('path').id": "2 p",
    # $util
    "$util.escapeJavaScript('it\"s a/b')": 'it\\"s a\\/b',
    "$util.urlEncode('a b&ü')": "a+b%26%C3%BC",
    "$util.urlDecode('a+b%26')": "a b&",
    "$util.base64Encode('ü')": "w7w=",
    "$util.base64Decode('w7w=')": "ü",
    "$util.parseJson('{\"a\":[1]}').a[0]": "1",
    # $context, $stageVariables
    "$context.requestId $context.identity.sourceIp [$context.nope]": "r-1 127.0.0.1 []",
    "$stageVariables.table $stageVariables['table'] ${stageVariables.table}": "books books books",
    # what AWS does otherwise than Velocity
    "[$nope][$!nope][${nope.x}]": "[][][]",
    "#if($nope == '')t#{else}f#end#if($nope != '')t#{else}f#end": "tf",
    "#if($input.path('$.missing') == $null)t#end": "t",
    "#set($x = 1)#set($x = $input.path('$.missing'))[$x]": "[]",
    # numbers, lists and maps
    "#set($x = $input.path('$.id') + 1)$x": "8",
    "#foreach($t in $input.path('$.tags'))$foreach.index#if($foreach.hasNext),#end#end": "0,1",
}


@pytest.mark.parametrize(("template", "text"), TEXTS.items(), ids=list(TEXTS))
def test_a_template_renders(template: str, text: str) -> None:
    assert render(template, GIVEN).text == text


@pytest.mark.parametrize("body", ["", "{}"])
def test_an_empty_body_is_an_empty_object(body: str) -> None:
    assert render("$input.body $input.json('$')", Given(body=body)).text == "{} {}"


@pytest.mark.parametrize(
    "template",
    [
        '#set($context.requestOverride.header.via = "v")',
        '#set($context.requestOverride.header["via"] = "v")',
        '#set($n = "via")#set($context.requestOverride.header[$n] = "v")',
        '$!context.requestOverride.header.put("via", "v")',
    ],
)
def test_an_override_is_given_back(template: str) -> None:
    rendering = render(template, GIVEN)

    assert rendering.context["requestOverride"]["header"] == {"via": "v"}
    assert GIVEN.context == {"requestId": "r-1", "identity": {"sourceIp": "127.0.0.1"}}


def test_lines_say_which_line_wrote_what() -> None:
    rendering = render('{\n#if(true)\n "id": "$input.params("id")"\n#end\n}', GIVEN)

    lines = {start: line for start, line in rendering.lines}
    assert rendering.text == '{\n "id": "p"\n}'
    assert lines == {0: 1, 2: 3, 13: 5}


def test_what_is_evaluated_was_written_by_its_directive() -> None:
    rendering = render("a\n\n#evaluate('b $input.params(\"id\")') c", GIVEN)

    assert (rendering.text, rendering.lines) == ("a\n\nb p c", ((0, 1), (2, 2), (3, 3)))


ERRORS = {
    "#if(true)\n\n x": (3, 3, "Close #if with #end."),
    "a\n#end": (2, 1, "Remove #end: nothing is open here that it belongs to."),
    "#set($x = )": (1, 11, "Write a value here: a reference, a text in quotes, a number, a list or a map."),
    "#set($x 1)": (1, 9, 'Write "=" after the reference.'),
    "$input.json(": (1, 13, "The template ends inside of an expression."),
    "${input": (1, 8, 'Close the reference with "}".'),
    "#foreach($x of $y)#end": (1, 13, 'Write "in" between the item and the list.'),
    "x\n  #parse('a')": (2, 3, "Remove #parse: API Gateway has no other file to read."),
    "\n#set($x = 'a\"": (2, 11, "Close the text with a single quote."),
    '#set($x = "\n $y.f(")': (2, 8, "The template ends inside of an expression."),
    "ok\n #set($x = 'abc'.length())": (2, 17, None),
    "ok\n$input.params('id').substring(9)": (2, 21, "substring(9, 1) reaches outside of a text of 1 characters."),
    "ok\n $input.path('$[?(')": (2, 9, None),
    "ok\n#evaluate('#if(')": (2, 1, None),
}


@pytest.mark.parametrize(("template", "error"), ERRORS.items(), ids=list(ERRORS))
def test_an_error_has_its_line_and_column(template: str, error: tuple[int, int, str | None]) -> None:
    line, column, message = error
    with pytest.raises(TemplateError) as caught:
        render(template, GIVEN)

    assert not isinstance(caught.value, BudgetSpent)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert message in (None, caught.value.message)
    assert str(caught.value) == f"line {line}, column {column}: {caught.value.message}"
    assert caught.value.aws == "Execution failed due to configuration error: Unable to transform request"
