"""Templates and bodies that mean harm end with a clear error, within a counted budget; none reaches a Python attribute."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.gateway.velocity import Given, TemplateError, evaluate, render
from integrations.gateway.velocity.values import Scope

LOOP = "#foreach($i in [1..1000])"
SELF = "#set($l = [1])#set($l[0] = [$l])"

HOSTILE = {
    "a range of 10^8": "#foreach($i in [1..100000000])x#end",
    "a range to a huge number": "#set($x = [1..99999999999999999999])",
    "nested loops": LOOP * 4 + "x" + "#end" * 4,
    "nested loops that write nothing": LOOP * 3 + "#end" * 3,
    "doubling text": '#set($x = "0123456789")' + LOOP + '#set($x = "$x$x")#end',
    "doubling by +": '#set($x = "0123456789")' + LOOP + "#set($x = $x + $x)#end",
    "doubling by concat": '#set($x = "0123456789")' + LOOP + "#set($x = $x.concat($x))#end",
    "repeat": "$input.body.repeat(2000000000)",
    "large texts again and again": "#set($x = '0123456789')#foreach($i in [1..16])#set($x = $x + $x)#end"
    + LOOP
    + "#set($y = $x.toUpperCase())#end",
    "replaceAll of nothing": "#set($x = '0123456789')" + LOOP + "#set($x = $x.replaceAll('', '0123456789'))#end",
    "replace of nothing": "#set($x = '0123456789')" + LOOP + "#set($x = $x.replace('', '0123456789'))#end",
    "growing groups": "#set($x = '0123456789')" + LOOP + "#set($x = $x.replaceAll('(.*)', '$1$1$1$1'))#end",
    "splits": "#set($x = '0123456789')#foreach($i in [1..15])#set($x = $x + $x)#end" + LOOP + "#set($y = $x.split(''))#end",
    "a regular expression that backtracks": "#set($x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')$x.matches('(a|a|aa)+b')",
    "many of them": LOOP + "#set($x = 'aaaaaaaaaaaaaaaaaaaaaa!')#set($y = $x.replaceAll('(a|a|aa)+b', ''))#end",
    "many long ones": LOOP + "#set($p = '([a-z]?){300}$i')#set($y = $input.body.matches(\"([a-z]?){300}$i\"))#end",
    "doubling list": "#set($l = [1,2,3])" + LOOP + "$l.addAll($l)#end",
    "a list of lists": "#set($l = [1])" + LOOP + "#set($l = [$l, $l])#end$l",
    "equal lists of lists": "#set($l = [1])#set($m = [1])"
    + "#foreach($i in [1..60])#set($l = [$l, $l])#set($m = [$m, $m])#end#if($l == $m)#end",
    "printed lists of lists": "#set($l = [1])#foreach($i in [1..60])#set($l = [$l, $l])#end$l",
    "lists of lists in JSON": "#set($l = $util.parseJson('[1]'))#set($m = $util.parseJson('[1, 2]'))"
    + "#foreach($i in [1..60])#set($n = $util.parseJson('[1, 2]'))#set($n[0] = $m)#set($n[1] = $m)#set($m = $n)#end$m",
    "a list in itself": SELF + "$l",
    "a list in itself, compared": SELF + "#set($m = [1])#set($m[0] = [$m])#if($l == $m)#end",
    "a list in itself, asked": SELF + "#set($m = [1])#set($m[0] = [$m])$l.contains($m)",
    "a map in itself": "#set($m = {})#set($m.k = [$m])$m",
    "a huge number": "#set($x = 9)" + LOOP + "#set($x = $x * $x)#end$x",
    "a macro in itself": "#macro(f)#f()#f()#end#f()",
    "macros that double": "".join(f"#macro(f{n})#f{n + 1}()#f{n + 1}()#end" for n in range(19)) + "#macro(f19)x#end#f0()",
    "a text that evaluates itself": "#set($x = '#evaluate($x)')#evaluate($x)",
    "texts in texts": '#set($x = "$x")' + LOOP + "#evaluate('#evaluate($x)')" + LOOP + '#set($y = "$y.a")#end#end',
    "large texts, evaluated": "#set($x = '$ ')#foreach($i in [1..16])#set($x = $x + $x)#end" + LOOP + "#evaluate($x)#end",
    "large texts, parsed as JSON": "#set($x = '[],')#foreach($i in [1..15])#set($x = $x + $x)#end"
    + "#set($x = '[' + $x + '1]')#set($l = [])"
    + LOOP
    + "#set($y = $l.add($util.parseJson($x)))#end",
    "many paths": "#set($p = '$.a')" + LOOP + "#set($p = $p + '.abcdefghi')#set($x = $input.path($p))#end",
    "5,000 blocks": "#if(true)" * 5_000 + "#end" * 5_000,
    "5,000 lists": "#set($x = " + "[" * 5_000 + "]" * 5_000 + ")",
    "5,000 parentheses": "#set($x = " + "(" * 5_000 + "1" + ")" * 5_000 + ")",
    "5,000 nots": "#if(" + "!" * 5_000 + "true)#end",
    "5,000 indexes": "$x" + "[$x" * 5_000,
    "an open text": '#set($x = "' + "a" * 500_000,
    "a long filter": "$input.path('$[?(" + "(" * 3_000 + "')",
    "a megabyte": "x" * 1_000_000,
    "100,000 signs": "$ " * 100_000,
    "deep paths": LOOP + "#set($x = $input.path('$..*..*..*'))#end",
}


@pytest.mark.parametrize("template", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_template_is_stopped(template: str) -> None:
    body = '{"a":' * 60 + "1" + "}" * 60
    with pytest.raises(TemplateError) as stopped:
        render(template, Given(body=body))

    assert len(str(stopped.value)) < 300


HARMLESS = {
    "300 KB of text": ("x" * 307_200, "x" * 307_200),
    "300 KB of spaces": (" " * 307_199 + "x", " " * 307_199 + "x"),
    "(a+)+$": ("#set($x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')$x.matches('(a+)+$')", "false"),
    "a thousand iterations": (LOOP + "x#end", "x" * 1_000),
    "Python's own names": ("[$__globals__ $x.__class__ $input.__init__.__globals__ $input.class $util.format('x')]", None),
    "Python's methods": (
        "#set($x = 'a{0.__class__}')[$x.format($x)$x.__len__()$x.encode()$x.join('a')]",
        "[a{0.__class__}.__len__()]",
    ),
    "Java's way out": ("[$input.class.forName('java.lang.Runtime')$x.getClass().getClassLoader()]", "[]"),
}


@pytest.mark.parametrize(("template", "text"), HARMLESS.values(), ids=list(HARMLESS))
def test_a_harmless_template_only_looks_dangerous(template: str, text: str | None) -> None:
    rendered = render(template, Given()).text

    if text is not None:
        assert rendered == text
    assert "0x" not in rendered and "built-in" not in rendered


@pytest.mark.parametrize(
    "body",
    [
        "[" + "[]," * 2_000_000 + "1]",
        "[" * 100_000,
        '{"a":' * 100_000,
        "[" * 5_000 + "]" * 5_000,
        "1" * 1_000_000,
        '{"a":' * 90 + "1" + "}" * 90,
        "\ud800",
        "\0",
    ],
    ids=["empty lists", "brackets", "braces", "lists", "digits", "maps", "half a character", "null"],
)
def test_a_hostile_body_is_text_or_refused(body: str) -> None:
    for template in ("$input.json('$')", "$input.path('$')", "$input.json('$..a')", "$util.urlEncode($input.body)"):
        try:
            assert len(render(template, Given(body=body)).text) <= 3_000_000
        except TemplateError as refusal:
            assert refusal.line == 1


# --- Any text at all -------------------------------------------------------------------------------

SNIPPETS = (  # noqa: SIM905
    "$ { } ( ) [ ] . # ## #* *# ' \" \\ ! , : = == + - * / % < > && || 0 1 .. $x $input $util $context $x. ${x} $x[0] "
    "#if #elseif #else #end #set #set( #foreach( $i in $foreach #macro( #define( #evaluate( #break #stop #[[ ]]# #parse( "
    "__class__ __globals__ .__dict__ .get .call .property .text ._body json( path( params( size() keySet() replaceAll( "
    "split( matches( substring( put( add( parseJson( true false null \n \t ü \U0001f600"
).split(" ")


@given(st.lists(st.sampled_from(SNIPPETS) | st.text(string.printable, max_size=3), max_size=30).map("".join))
@example("#set($input = 1)$input.json('$')")
@example("#set($context = 1)")
def test_any_text_renders_or_is_refused(template: str) -> None:
    variables: dict[str, object] = {"x": [{"k": "v"}, 1, 1.5, None, True, "t"]}
    try:
        rendering = evaluate(template, variables)
    except TemplateError as refusal:
        assert refusal.line >= 1
        return

    assert isinstance(rendering.text, str)
    assert rendering.lines == tuple(sorted(rendering.lines))
    for value in variables.values():
        assert_only_values(value, 0)


def assert_only_values(value: object, depth: int) -> None:
    """Nothing but what JSON holds, and our own objects, is within a template's reach."""
    if depth > 5 or value is None or isinstance(value, str | int | float | bool | Scope):
        return
    assert isinstance(value, list | dict), type(value)
    for item in value if isinstance(value, list) else [*value, *value.values()]:
        assert_only_values(item, depth + 1)
