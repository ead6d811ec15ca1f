"""The pages in docs/reference are what the declarations say."""

from pathlib import Path

import pytest

from integrations.gateway.options import options_of
from integrations.gateway.reference import OWNERS, option_sections, rule_sections
from integrations.gateway.rules import RULES
from integrations.gateway.simulator import SAMPLE_RULES
from integrations.management.commands.reference import code, pages, text

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", ["rules.md", "options.md"])
def test_the_page_is_not_stale(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "Run manage.py reference."


def test_every_rule_has_its_page() -> None:
    assert sorted(page.code for section in rule_sections() for page in section.pages) == sorted([*RULES, *SAMPLE_RULES])


def test_every_option_has_its_page() -> None:
    declared = [name for owner in OWNERS for name in options_of(owner)]

    assert [page.name for section in option_sections() for page in section.pages] == declared


def test_words_of_a_page_are_no_markup() -> None:
    assert text("<b>*a* [x](y) `c`") == r"\<b\>\*a\* \[x\](y) \`c\`"
    assert code("a`b") == "`` a`b ``"
