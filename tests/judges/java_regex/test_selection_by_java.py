"""Patterns made at random mean to compile_pattern() what they mean to java.util.regex."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.gateway.selection import InvalidPattern, Undecided, compile_pattern
from tests.judges.java_regex.conftest import JavaRegex

pytestmark = pytest.mark.java

EXAMPLES = int(os.environ.get("GATEHOUSE_JAVA_EXAMPLES", "500"))
OTHERS = "\u00e9\u00c9\u00df\u1e9e\u017f\u212a\u0131\u0130\u03c3\u03a3\u03c2\u01c5\u0660\u4e00\U0001f600\u0301\u2028\x85"
LETTERS = "abABkKsS01_ -\n\r"
SUBJECTS = st.text(LETTERS + OTHERS + "cC2#&[]{}(),:;.\t\x0b\x1c", max_size=6)

# What stands for one character: the pattern, and something that it could match.
ESCAPES = {
    r"\d": "1",
    r"\D": "a",
    r"\s": " ",
    r"\S": "b",
    r"\w": "_",
    r"\W": "-",
    r"\h": " ",
    r"\H": "a",
    r"\v": "\n",
    r"\V": "a",
    r"\t": "\t",
    r"\n": "\n",
    r"\r": "\r",
    r"\f": "\f",
    r"\a": "\a",
    r"\e": "\x1b",
    r"\.": ".",
    r"\[": "[",
    r"\-": "-",
    r"\ ": " ",
    r"\#": "#",
    r"\x41": "A",
    r"\x{61}": "a",
    r"\x{1F600}": "\U0001f600",
    r"\u0062": "b",
    r"\ud83d\ude00": "\U0001f600",
    r"\060": "0",
    r"\0101": "A",
    r"\0400": " 0",
    r"\cM": "\r",
    r"\cm": "-",
}
PROPERTIES = (  # noqa: SIM905
    "Lower Upper ASCII Alpha Digit Alnum Punct Graph Print Blank Cntrl XDigit Space L Lu Ll Lt Lm Lo M Mn N Nd P Pd S Sm Z "
    "Zs C Cc Cn LC LD L1 all IsAlphabetic "
    "IsLatin IsGreek IsHan IsGrek IsL IsLu IsLowercase IsUppercase IsTitlecase IsPunctuation IsControl IsWhite_Space "
    "IsWhiteSpace IsDigit IsHex_Digit IsAssigned IsLetter IsIdeographic IsAlpha IsWord IsPrint IsGraph IsBlank IsJoin_Control "
    "IsNoncharacter_Code_Point InBasicLatin InBASIC_LATIN InGreek InLatin-1Supplement InEmoticons IsisLatin sc=Latn "
    "script=Greek blk=BasicLatin block=Emoticons gc=Lu general_category=Nd gc=Alpha "
    "alpha lower IsNothing Nothing sc=Nothing x=y ^Lu"
).split()
FLAGS = ["i", "m", "s", "x", "u", "U", "d", "iu", "iU", "im", "-i", "i-m", "-x", "sx", "-U", "md", "ix"]
WITHOUT_WIDTH = ["^", "$", r"\b", r"\B", r"\A", r"\z", r"\Z", r"\G"]
QUANTIFIERS = ["?", "*", "+", "{2}", "{0,1}", "{1,2}", "{0}", "{2,}", "{1,3}", "{0,}"]


@st.composite
def classes(draw: st.DrawFn, depth: int = 1) -> tuple[str, str]:
    """A class and a character that one of its parts names."""
    parts, samples = [], [""]
    for kind in draw(st.lists(st.integers(0, 11), min_size=1, max_size=4)):
        if kind < 4:
            character = draw(st.sampled_from(LETTERS + OTHERS + "&^-]{#"))
            parts.append(character)
            samples.append(character)
        elif kind < 6:
            first, last = tuple(draw(st.sampled_from(["az", "AZ", "09", "ak", "\u00c0\u017f", " ~", "za", "\x00\u212a", "\n\r"])))
            parts.append(f"{first}-{last}")
            samples.append(first)
        elif kind < 8:
            escape, sample = draw(st.sampled_from(sorted(ESCAPES.items())))
            parts.append(escape)
            samples.append(sample[-1])
        elif kind == 8:
            parts.append(rf"\{draw(st.sampled_from('pP'))}{{{draw(st.sampled_from(PROPERTIES))}}}")
        elif kind == 9 and depth:
            inner, sample = draw(classes(depth - 1))
            parts.append(inner)
            samples.append(sample)
        elif kind == 10 and depth:
            inner, sample = draw(classes(depth - 1))
            parts.append("&&" + draw(st.sampled_from([inner, inner[1:-1], ""])))
        else:
            parts.append(draw(st.sampled_from([r"\Q^]\E", r"\b", r"\pL", "&&", "&", "--", "[:alpha:]"])))
    caret = draw(st.sampled_from(["", "", "^"]))
    return f"[{caret}{''.join(parts)}]", draw(st.sampled_from(samples))


@st.composite
def atoms(draw: st.DrawFn, depth: int) -> tuple[str, str]:
    """One element of a sequence and a text that it could match."""
    kind = draw(st.integers(0, 27 if depth else 15))
    if kind < 6:
        character = draw(st.sampled_from(LETTERS + OTHERS))
        return character, character
    if kind == 6:
        return ".", draw(st.sampled_from("a\n\r\u2028\U0001f600"))
    if kind < 9:
        return draw(st.sampled_from(sorted(ESCAPES.items())))
    if kind == 9:
        return rf"\{draw(st.sampled_from('pP'))}{{{draw(st.sampled_from(PROPERTIES))}}}", draw(st.sampled_from(LETTERS + OTHERS))
    if kind == 10:
        return draw(st.sampled_from([(r"\R", "\r\n"), (r"\R", "\n"), (r"\pL", "a")]))
    if kind < 13:
        return draw(classes())
    if kind == 13:
        return draw(st.sampled_from(WITHOUT_WIDTH)), ""
    if kind == 14:
        quoted = draw(st.text("aA1.*\\[#", max_size=3))
        return rf"\Q{quoted}\E", quoted
    if kind == 15:
        return draw(st.sampled_from(["]", "}", "[]a]", "[^]a]", r"\_", "#", "\u00b5"])), "]"
    if kind == 16:
        number = draw(st.integers(1, 3))
        return rf"\{number}", ""
    if kind == 17:
        return f"(?{draw(st.sampled_from(FLAGS))})", ""
    body, sample = draw(expressions(depth - 1))
    if kind < 21:
        return f"({body})", sample
    if kind == 21:
        return f"(?:{body})", sample
    if kind == 22:
        return f"(?{draw(st.sampled_from(FLAGS))}:{body})", sample
    if kind == 23:
        return f"(?{draw(st.sampled_from('=!'))}{body})", ""
    if kind == 24:
        return f"{sample if sample.isalnum() else ''}(?<{draw(st.sampled_from('=!'))}{body})", sample
    if kind == 25:
        return f"(?>{body})", sample
    if kind == 26:
        return rf"(?<name>{body})\k<name>", sample * 2
    return f"({body}|", sample


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> tuple[str, str]:
    """Alternatives of sequences, and a text that the first could match."""
    alternatives, samples = [], []
    for length in draw(st.lists(st.integers(0, 4), min_size=1, max_size=2)):
        pattern = text = ""
        for _ in range(length):
            atom, sample = draw(atoms(depth))
            times = 1
            if draw(st.integers(0, 2)) == 0:
                atom += draw(st.sampled_from(QUANTIFIERS)) + draw(st.sampled_from(["", "", "?", "+"]))
                times = draw(st.integers(0, 3))
            pattern += atom
            text += sample * times
        alternatives.append(pattern)
        samples.append(text)
    return "|".join(alternatives), samples[0]


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A pattern, now and then slightly broken, and subjects of which the first may well match."""
    pattern, sample = draw(expressions())
    if draw(st.integers(0, 3)) == 0:
        pattern = f"(?{draw(st.sampled_from(FLAGS))})" + pattern
    damage = draw(st.integers(0, 9))
    place = draw(st.integers(0, len(pattern)))
    if damage == 0:
        pattern = pattern[:place] + pattern[place + 1 :]
    elif damage == 1:
        broken = ["(", ")", "[", "]", "{", "}", "\\", "*", "?", "{1", "{2,1}", "{,2}", "{99999999999}", r"\y", r"\8", "(?P<n>a)"]
        pattern = pattern[:place] + draw(st.sampled_from(broken)) + pattern[place:]
    others = draw(st.lists(SUBJECTS, min_size=2, max_size=4))
    return pattern, [sample, sample.swapcase(), sample + "\n", sample[:-1], *others]


def verdict(pattern: str, subjects: list[str]) -> list[bool | None] | None:
    """As JavaRegex.verdict() gives it. Raises Undecided where the pattern is not judged."""
    try:
        compiled = compile_pattern(pattern)
    except InvalidPattern:
        return None
    found: list[bool | None] = []
    for subject in subjects:
        try:
            found.append(compiled.matches(subject))
        except Undecided:
            found.append(None)
    return found


def agree(ours: list[bool | None] | None, javas: list[bool | None] | None) -> bool:
    """Whether both refuse the pattern, or both take it and nowhere decide differently."""
    if ours is None or javas is None:
        return ours is javas
    return all(None in pair or pair[0] is pair[1] for pair in zip(ours, javas, strict=True))


@given(cases())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_pattern_means_what_it_means_to_java(java_regex: JavaRegex, case: tuple[str, list[str]]) -> None:
    pattern, subjects = case
    try:
        ours = verdict(pattern, subjects)
    except Undecided:
        return

    assert agree(ours, java_regex.verdict(pattern, subjects))


USUAL = [
    *(r"4\d{2}", r"5\d\d", "200", "(?!200)\\d+", ".*Not found.*", r"(\n|.)*error(\n|.)*", r"[\s\S]*", r"\[404\].*", "^2.*$"),
    *(
        r"\Q[404]\E.*",
        r"\p{Alpha}+.*",
        r"(?i).*ERROR.*",
        "4..|5..",
        "[45]\\d{2}",
        "[^2].*",
        r"(?<code>4\d\d)",
        "4\\d{2}+",
        "a++b",
    ),
    *("*", "(4", "[4", "4{2,1}", "(?P<a>4)", "+", "\\", r"\y", "[z-a]", "a{,3}", "{", "}", "]", "x{1"),
]


@pytest.mark.parametrize("pattern", USUAL)
def test_a_usual_pattern_means_what_it_means_to_java(java_regex: JavaRegex, pattern: str) -> None:
    subjects = ["200", "404", "500", "", "Not found", "x\nerror\ny", "[404] gone", "ERROR", "Some Error", "4", "aab", "]", "}"]

    assert agree(verdict(pattern, subjects), java_regex.verdict(pattern, subjects))
