"""The words of templates: complete, and each one what a template can hold."""

import re

import pytest

from integrations.gateway.rules.request import CONTEXT as KNOWN
from integrations.gateway.rules.template import CONTEXT_MAPS, read
from integrations.gateway.velocity import Given, render
from integrations.gateway.velocity.objects import OVERRIDES, Util
from integrations.gateway.velocity.vocabulary import CONTEXT, DIRECTIVES, INPUT, LOOP, UTIL, WORDS, Word


def test_each_word_stands_once() -> None:
    names = [word.name for word in WORDS]
    assert len(names) == len(set(names))


def test_the_functions_are_those_of_util() -> None:
    assert {word.name.removeprefix("$util.") for word in UTIL} == Util.FUNCTIONS


@pytest.mark.parametrize("word", UTIL, ids=lambda word: word.name)
def test_each_function_gives_something(word: Word) -> None:
    assert render(f"{word.name}('YQ==')", Given()).text


def test_each_word_of_input_gives_something() -> None:
    given = Given(body='{"path": 7}', parameters={"header": {"name": "here"}})
    found = {word.name: render(word.form if "(" in word.form else word.name, given).text for word in INPUT}
    assert found == {"$input.body": '{"path": 7}', "$input.json": "7", "$input.path": "7", "$input.params": "here"}


def test_the_variables_are_those_that_the_rule_knows() -> None:
    names = {word.name.removeprefix("$context.") for word in CONTEXT}
    assert [
        name for name in names if not KNOWN.fullmatch(name) and name not in CONTEXT_MAPS and name.split(".")[0] not in OVERRIDES
    ] == []
    plain = {name for name in re.split(r"[|]", re.sub(r"\([^)]*\)", "", KNOWN.pattern)) if re.fullmatch("[A-Za-z]+", name)}
    assert plain - names == {"status", "xrayTraceId"}  # of access logs
    identity = re.search(r"identity\\\.\(([^)]*)\)", KNOWN.pattern)
    assert identity
    plain = {name for name in identity[1].split("|") if name.isalnum()}
    assert plain - {name.removeprefix("identity.") for name in names} == set()


def test_no_word_is_one_that_the_rules_remark() -> None:
    assert [
        word.name for word in WORDS if word.name.startswith("$") and (read(word.name).variables or read(word.name).functions)
    ] == []


USED = {
    "#set": ("#set($a = 1)$a", "1"),
    "#if": ("#if(true)a#end", "a"),
    "#elseif": ("#if(false)a#elseif(true)b#end", "b"),
    "#else": ("#if(false)a#{else}b#end", "b"),
    "#end": ("#if(true)a#{end}b", "ab"),
    "#foreach": ("#foreach($x in [1, 2])$x#end", "12"),
    "#break": ("#foreach($x in [1, 2])$x#break#end", "1"),
    "#stop": ("a#stop", "a"),
    "#define": ("#define($a)b#end$a", "b"),
    "#macro": ("#macro(twice $a)$a$a#end#twice(1)", "11"),
    "#evaluate": ("#set($a = 1)#evaluate('$a')", "1"),
}


def test_each_directive_does_something() -> None:
    assert [word.name for word in DIRECTIVES] == list(USED)
    assert {name: render(template, Given()).text for name, (template, _) in USED.items()} == {
        name: text for name, (_, text) in USED.items()
    }


def test_what_a_loop_has() -> None:
    template = "#foreach($x in [1, 2])" + " ".join(word.name for word in LOOP) + ";#end"
    assert render(template, Given()).text == "1 0 true 1;2 1 false 2;"
