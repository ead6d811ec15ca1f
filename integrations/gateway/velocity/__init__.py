"""Velocity as API Gateway runs it: a template and what it is given in, the text and the overrides it sets out.

Safe by construction: a template reaches the values it is given and the methods in `values.py`, nothing of Python; steps,
output, sizes and regular expressions are counted against a Budget.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from integrations.gateway.velocity.budget import Budget, BudgetSpent, TemplateError, place
from integrations.gateway.velocity.nodes import Break, State, Stop
from integrations.gateway.velocity.objects import Input, Parameters, Util, context
from integrations.gateway.velocity.parser import Parser, parse

__all__ = ["Budget", "BudgetSpent", "Given", "Rendering", "TemplateError", "evaluate", "parse", "place", "render"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What API Gateway puts before a template."""

    body: str = ""
    parameters: Parameters = field(default_factory=dict)
    """`path`, `querystring` and `header`, each name → value."""
    context: Mapping[str, Any] = field(default_factory=dict)
    stage_variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Rendering:
    """What a template made."""

    template: str
    pieces: Sequence[tuple[str, int]]
    """What was written, each with the offset in the template of what wrote it."""
    context: dict[str, Any]
    """$context afterwards: `requestOverride` and `responseOverride` hold what the template set."""
    iterations: int
    """How often the body of its longest loop ran."""
    notes: Sequence[tuple[int, str]]
    """What its directives did beside writing, each with its offset in the template; none unless asked for."""

    @cached_property
    def text(self) -> str:
        """All of it."""
        return "".join([text for text, _ in self.pieces])

    @cached_property
    def lines(self) -> tuple[tuple[int, int], ...]:
        """(offset in `text`, line of the template from 1): from there on the text was written by that line."""
        ends = [found.start() for found in re.finditer("\n", self.template)]
        found: list[tuple[int, int]] = []
        offset = 0
        for text, position in self.pieces:
            as_it_stands = self.template.startswith(text, position)
            for part in text.splitlines(keepends=True) if as_it_stands else [text]:
                line = bisect_left(ends, position) + 1
                if not found or found[-1][1] != line:
                    found.append((offset, line))
                offset += len(part)
                position += len(part) if as_it_stands else 0
        return tuple(found)


def render(template: str, given: Given, *, notes: bool = False) -> Rendering:
    """Render as API Gateway does. Raises TemplateError, BudgetSpent among them."""
    variables: dict[str, Any] = {
        "input": Input(given.body, given.parameters),
        "util": Util(),
        "context": context(given.context),
        "stageVariables": dict(given.stage_variables),
    }
    return evaluate(template, variables, notes=notes)


def evaluate(template: str, variables: dict[str, Any], *, as_aws: bool = True, notes: bool = False) -> Rendering:
    """Render with any variables. `as_aws`: False for Velocity's own undefined references."""
    block, macros = parse(template)
    state = State(variables, Budget(), lambda text: Parser(text).template(), as_aws, dict(macros))
    if notes:
        state.notes = []
    try:
        block.render(state)
    except (Stop, Break):
        pass
    except TemplateError as error:
        raise error.placed(template) from None
    return Rendering(
        template=template,
        pieces=state.pieces,
        context=variables.get("context") or {},
        iterations=state.budget.iterations,
        notes=state.notes or (),
    )
