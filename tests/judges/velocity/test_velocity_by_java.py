"""Templates made at random, and those that people write, render as Apache Velocity 1.7 renders them.

GATEHOUSE_JAVA_EXAMPLES sets how many are made.
"""

import json
import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from integrations.gateway.velocity import BudgetSpent, TemplateError, evaluate
from tests.judges.velocity.conftest import Java

pytestmark = pytest.mark.java
EXAMPLES = int(os.environ.get("GATEHOUSE_JAVA_EXAMPLES", "400"))
VARIABLES = {"json": [1, "a/b", None, True, 1.5, ["x"]]}
PRELUDE = '#set($a=1)#set($b="bee")#set($t=true)#set($l=[1,2,"x"])#set($m={"k":"v","j":[1]})#set($q=["a", 2])#set($r={"k": [1]})'

DIFFERENT = {
    "ConcurrentModificationException": "Java refuses to change a map while it is walked; here the loop goes over what it was.",
}
"""Java's errors for what is rendered here, and why."""


def ours(template: str) -> str | None:
    """The text, None where it is refused."""
    variables = json.loads(json.dumps(VARIABLES))
    try:
        return evaluate(template, variables, as_aws=False).text
    except BudgetSpent:
        raise
    except TemplateError:
        return None


WRITTEN = r"""
{"a": "$a", "b": [#foreach($i in $l)"$i"#if($foreach.hasNext), #end#end]}
$5.00 $ x $$ #1 # x ##y
$a##\nx
$m.k##\nx
$m.k## $a
$m.k##
$l[0]##\nx
${a}##\nx
x##\ny
#set($k=1)## foo\nx
$l[0]a.b("x")z
$l[0]a.b[0].c y
$l.size()name.of.more
$l.get(0)#set($k=1)[
$l.get(0)#set($k=1)a.b
$l.get(0)#*c*#a.b
${l[0]}a.b
#set($k=$a)[1]
#set($k=(1))\n[1]
$} #set($k=1)
$a} #set($k=1)
$a. #set($k=1)
$!5 $!. $!x
$m.k(x).z
$m.k#set($z=1)(x)
$m.k${a}##x
$m.k#[[x]]#[1]
#if(true)$m.k#end(x)
#set($q[0]=$q)$q
$5 #set($k=1)
#set
$#set
$a.b.c $a. $a.. $a.1
${a}b ${a.b}
$!{a}$!nope$!{nope}${nope}
\#if(true)\#end \$a \\$a \\\$a \$nope
#[[ $a #if ]]#
#* c #if *#x
#set ($x = 1)$x
# set($x = 1)
#set($x=1) y
  #set($x=1)\n  y
x #set($x=1)\n  y
#if(true)\n x\n#end\n y
 #if(true) \n x\n #end \n y
#else
#end
#elseif
#if(true)
#foreach($i in $l)x#else none#end
#foreach($i in $nope)x#end
#foreach($i in x)#end
#foreach($i in "abc")$i#end
#foreach($i in $b.split("e"))$i,#end
#foreach($i in $l)#if($i==2)#break#end$i#end done
#foreach($i in $m.entrySet())$i.key:$i.value #end
#foreach($i in $l)$foreach.index $foreach.count $foreach.hasNext $foreach.first $foreach.last #end
#foreach($i in $l)#foreach($j in $l)$foreach.parent.index$foreach.index #end#end
$velocityCount
a#stop b
#include("x")
#parse("x")
#macro(f $x $y)[$x|$y]#end#f(1 2)#f($a "z$a")#f(1)
#macro(f $x)#set($x=5)$x#end#f($a)$a
#macro(f $x)#if($x>0)$x#set($k=$x - 1)#f($k)#end#end#f(3)
#macro(f)body#end#f()#f
#f(1)#macro(f $x)late $x#end
#macro(b)<$bodyContent>#end#@b()hi $a#end
#macro(f $x)#foreach($i in $x)$i,#end#end#f([1,2])#f($l)
#macro(f $x)$x.k #end#f($m)#f({"k":2})
#evaluate("x$a")#evaluate('#set($z=4)')$z
#evaluate($nope)
#define($d)<$a>#end$d#set($a=7)$d
#define($d)a$d#end$d
#set($s="a#if(true)b#end")$s
#set($x = -$a)$x
#set($x = 7 / 2)$x
#set($x = 7.0 / 2)$x
#set($x = -7 / 2)$x #set($x = -7 % 3)$x
#set($x = 2147483647 + 1)$x
#set($x = 9223372036854775807 + 1)$x
#set($x = 1e2)$x
#set($x = 1.50)$x
#set($x = 0.0001)$x
#set($x = 100000000.0)$x
#set($x = 1 / 0)$x
#set($x = "a" + 1 + 2)$x
#set($x = 1 + 2 + "a")$x
#set($x = $nope + "a")$x
#set($x = ($nope) + "a")$x
#set($x = $nope)$x
#set($a = $nope)$a
#set($x = "")#if($x)t#{else}f#end
#if($nope)t#{else}f#end#if(0)t#{else}f#end#if("")t#end#if([])t#end
#if($a == "1")t#end #if($a == 1.0)t#end#if("a" == 'a')t#end
#if($a && $b)t#end #if(!$nope)t#end #if(! $a)t#{else}f#end
#if($a > "0")t#{else}f#end
#if([1] == [1.0])t#{else}f#end#if({"a":1} == {"a":1})t#{else}f#end
#set($m.z = 5)$m.z#set($m["y y"]=6)$m
#set($l[0] = 9)$l
#set($l[9] = 9)$l
#set($nope.x = 5)$nope.x
#set($x = {"a":{"b":[1,{"c":2}]}})$x.a.b[1].c $x
#set($x = [1..3])$x#set($x=[3..1])$x
$b.contains("e") $b.startsWith("b") $b.endsWith("x") $b.isEmpty() $b.length() $b.trim() $b.hashCode()
$b.contains($nope)
$b.substring(9)
$b.substring(1) $b.substring(0,1) $b.charAt(0) $b.indexOf("e") $b.indexOf("e",2) $b.lastIndexOf("e") $b.indexOf("z")
$b.replace("e","$1") $b.replaceAll("(e)","<$1>") $b.replaceFirst("e","") $b.matches("b.*") $b.matches("b")
$b.replaceAll("e","$1")
$b.replaceAll("x*","-")
$b.toUpperCase().concat("x") $b.equalsIgnoreCase("BEE") $b.equals("bee") $b.compareTo("ba") $b.valueOf(5) $b.join(",",["a","b"])
#set($s="a1b22c")#foreach($i in $s.split("[0-9]+"))$i,#end#foreach($i in $s.split("",2))$i,#end
$l.get(9)
$l[9]
$l.size() $l.contains(2) $l.contains("2") $l.indexOf("x") $l.isEmpty() $l.empty $l.subList(0,2) $l[-1]
$l.add(4) $l.add(0,5)$l $l.remove(0) $l.remove("x") $l.set(0,"s") $l $l.addAll([8,9])$l $l.clear()$l
$m.get("k") $m.get($nope) $m.containsKey("k") $m.containsValue("v") $m.size() $m.isEmpty() $m.empty $m.getOrDefault("x",3)
$m.put(1,2)$m.get(1)$m[1]$m.put("k","w")$m.remove("k")$m.putAll({"p":1})$m
$m.keySet() $m.values() $m.entrySet() $m.keySet().get(0) $m.keySet()[0] $m.keySet().contains("k") $m.keySet().size()
$a.parseInt("15") $a.toString().length() $a.compareTo(2) $a.equals(1) $a.intValue() $a.doubleValue()
$a.parseInt("zz")
$json.toJSONString() $json $!json[5] $json.size() $json.contains("x")
""".strip().splitlines()


@pytest.mark.parametrize("template", [line.replace(r"\n", "\n") for line in WRITTEN])
def test_what_people_write_renders_as_java_renders_it(java: Java, template: str) -> None:
    said = java.ask(template=PRELUDE + template, variables=json.dumps(VARIABLES))

    assert ours(PRELUDE + template) == said.get("answer"), said


# --- At random -------------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    """What stands between white space."""
    return text.split()


STEPS = words(
    """.k .b [0] ["k"] .size() .get(0) .toString() .length() [$a] .a-b .put("z",1) .nope .contains("a") .substring(1) .isEmpty()
    .keySet() .equals('x') .indexOf("e") .toUpperCase() .replaceAll("e","3") .values()"""
)
LITERALS = [
    *words("""1 0 -3 2.5 1e2 'q' '' true false [1,2] [] {} {"k":1} [1..3] [$a,"z"] "x""y" $a $b $m.k $l[1] "$!nope" 'it''s'"""),
    '"s $a t"',
    '"#if(true)y#end"',
    "(1 + 2)",
]
OPERATORS = words("+ - * / % == != < > <= >= && || and or eq lt ne")
TEXTS = [
    *words("""text } , #n a.b $5 \\n (x) [1] - ! #5 " ' \\#foo | @ ."""),
    '{"k": ',
    "#*c*#",
    "#[[ $a ]]#",
    "##c\n",
    "\n",
    "  ",
]
SPACES = ["", "", " ", "\n", "  \n", "\t", " \r\n"]
LISTS = words("""$l $m [1..3] [$a..2] $nope ["p","q"] {"u":1,"v":2} $a $m.keySet() $json""")


class Maker:
    """Makes templates out of a source of chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.pick = chance.choice

    def reference(self, *, text: bool) -> str:
        body = self.pick("abcdpqrlmt") + "".join(self.pick(STEPS) for _ in range(self.pick([0, 0, 0, 1, 1, 2])))
        escapes = self.pick(["", "", "", "", "\\", "\\\\"]) if text else ""
        mark = self.pick(["$", "$", "$!"])
        if self.chance.random() < 0.2:
            return escapes + mark + "{" + body + "}"
        # Velocity's lexer stays in a reference through directives that follow; what comes of the first is in WRITTEN.
        return escapes + mark + body + (self.pick(" ,\n") if text else "")

    def expression(self, depth: int = 0) -> str:
        kind = self.chance.random()
        if depth > 2 or kind < 0.5:
            return self.pick(LITERALS) if kind < 0.25 else self.reference(text=False)
        if kind < 0.85:
            return f"{self.expression(depth + 1)} {self.pick(OPERATORS)} {self.expression(depth + 1)}"
        if kind < 0.93:
            return self.pick(["!", "not "]) + self.expression(depth + 1)
        return f"({self.expression(depth + 1)})"

    def space(self) -> str:
        return str(self.pick(SPACES))

    def template(self, depth: int = 0) -> str:
        return "".join(self.space() + self.part(depth) for _ in range(self.chance.randint(1, 5)))

    def part(self, depth: int) -> str:
        kind = self.chance.random()
        if kind < 0.3:
            return str(self.pick(TEXTS))
        if kind < 0.55:
            return self.reference(text=True)
        if kind < 0.72 or depth > 2:
            target = self.pick(["$a", "$b", "$c", "$r.k", "$q[0]", '$r["q"]'])
            return f"#set({self.space()}{target} ={self.space()}{self.expression()}{self.space()})"
        if kind < 0.85:
            otherwise = self.pick(["", f"#elseif({self.expression()})x", f"#else{self.space()}y", f"#{{else}}{self.template(3)}"])
            end = self.pick(["#end", "#{end}"])
            return f"#if({self.expression()}){self.space()}{self.template(depth + 1)}{otherwise}{end}{self.space()}"
        if kind < 0.95:
            scope = self.pick(["$foreach.index", "$velocityCount", "$foreach.hasNext", "", "#break", "$foreach.count"])
            # A name for each depth: a loop at a null, inside which another loop uses its name, is null by turns in Java.
            item = "ijn"[depth]
            return f"#foreach(${item} in {self.pick(LISTS)}){self.space()}${item} {self.template(depth + 1)}{scope} #end"
        return f"#define($d){self.pick(TEXTS)}$a #end$d "


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(st.randoms(use_true_random=False))
def test_a_template_renders_as_java_renders_it(java: Java, chance: random.Random) -> None:
    template = PRELUDE + Maker(chance).template()
    said: dict[str, Any] = java.ask(template=template, variables=json.dumps(VARIABLES))
    assume(not any(name in said.get("error", "") for name in DIFFERENT))
    try:
        assert ours(template) == said.get("answer"), (template, said)
    except BudgetSpent:
        assume(False)
