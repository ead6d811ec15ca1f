"""Selection patterns: what is refused and why, what is known of each, and the budget that all of one check share."""

from collections.abc import Callable

import pytest

from integrations.gateway.selection import (
    MAX_LENGTH,
    InvalidPattern,
    Undecided,
    compile_pattern,
    read_patterns,
)


@pytest.mark.parametrize(
    ("pattern", "subject", "matches"),
    [
        (r"4\d{2}", "404", True),
        (r"4\d{2}", "4040", False),
        (".*Error.*", "an Error\n", False),
        (r"(\n|.)*Error(\n|.)*", "an Error\n", True),
        (r"\Q4.4\E", "4.4", True),
        (r"\Q4.4\E", "404", False),
        (r"\p{Alpha}++", "abc", True),
        (r"\p{Alpha}++c", "abc", False),
        ("(?!404)4..", "404", False),
        ("(?<a>4)0\\k<a>", "404", True),
        ("[a-z&&[^b]]", "b", False),
        ("", "", True),
    ],
)
def test_a_pattern_matches_the_whole_text(pattern: str, subject: str, matches: bool) -> None:
    assert compile_pattern(pattern).matches(subject) is matches


@pytest.mark.parametrize(
    ("pattern", "message", "position"),
    [
        ("*", 'Put something before the "\\*"', 0),
        ("(4", 'Close the group with "\\)"', 2),
        ("[4", 'Close the class with "\\]"', 1),
        ("4{2,1}", "second number that is not below the first", 5),
        ("(?P<a>4)", "a named group is \\(\\?<name>", 2),
    ],
)
def test_what_java_refuses_is_refused_with_the_place(pattern: str, message: str, position: int) -> None:
    with pytest.raises(InvalidPattern, match=message) as refusal:
        compile_pattern(pattern)

    assert refusal.value.position == position


@pytest.mark.parametrize(
    "pattern",
    [
        "a" * (MAX_LENGTH + 1),
        r"\b" * 500,
        "(" * 100,
        "((a{200}){200}){200}",
        r"\X",
        r"\N{BULLET}",
        r"\p{javaLetter}",
        "(?c)a",
        "(?<=a*)b",
    ],
)
def test_what_is_beyond_judgement_is_undecided(pattern: str) -> None:
    with pytest.raises(Undecided):
        compile_pattern(pattern)


def ticking(step: float) -> Callable[[], float]:
    """A clock that goes on by a step whenever it is read."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += step
        return now

    return clock


def test_what_is_known_of_a_pattern() -> None:
    reading = read_patterns([r"4\d{2}", "(", ".*"])

    assert reading[r"4\d{2}"].statuses == frozenset(range(400, 500))
    assert reading[r"4\d{2}"].message is False
    assert reading["("].refusal.startswith("Close the group")
    assert reading["("].statuses is None
    assert (len(reading[".*"].statuses or ()), reading[".*"].message) == (500, True)


def test_all_patterns_share_one_budget() -> None:
    patterns = [f"budget-{number}" for number in range(100)]

    known = [text for text, reading in read_patterns(patterns, clock=ticking(1e-5)).items() if reading.statuses is not None]

    assert known == patterns[: len(known)]
    assert 0.2 / (1e-5 * 504) - 2 <= len(known) <= 0.2 / (1e-5 * 504)


def test_what_was_found_out_costs_no_budget_again() -> None:
    read_patterns(["kept-4.."])

    assert read_patterns(["kept-4.."], budget_seconds=0)["kept-4.."].statuses is not None
    assert read_patterns(["new-4.."], budget_seconds=0)["new-4.."].statuses is None


def test_a_match_stops_when_its_time_is_over() -> None:
    with pytest.raises(Undecided, match="repetitions inside repetitions"):
        compile_pattern("(?:a|a){30}b").matches("a" * 30 + "c", budget_seconds=0.01)
