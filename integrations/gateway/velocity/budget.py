"""What one rendering may use: steps, output, sizes. Counted, so that the same template always ends the same way.

Regular expressions alone are timed: how long one takes is not known before.
"""

from dataclasses import dataclass


class TemplateError(Exception):
    """A template that does not parse or does not render: why, and where (line and column from 1, 0 where unknown).

    `aws` is what a caller of the deployed method would get.
    """

    aws = "Execution failed due to configuration error: Unable to transform request"

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        """Where it stands in the template, in characters from 0."""
        self.line = 0
        self.column = 0

    def placed(self, template: str) -> "TemplateError":
        """The same error, with the line and column of where it stands in the template."""
        if self.at is not None:
            self.line, self.column = place(template, self.at)
        return self

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}" if self.line else self.message


def place(template: str, at: int) -> tuple[int, int]:
    """The line and the column, from 1, of a place in a template."""
    before = template[:at]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


class BudgetSpent(TemplateError):
    """The template wants more than one rendering may use."""


@dataclass(slots=True)
class Budget:
    """Counts down. Raises BudgetSpent."""

    steps: int = 200_000
    output: int = 2_000_000
    regex_seconds: float = 0.25
    iterations: int = 0
    """How often a loop's body ran in the longest loop; AWS allows 1,000."""

    MAX_TEXT = 1_000_000
    MAX_ITEMS = 50_000
    MAX_BITS = 4_096

    def step(self, count: int = 1) -> None:
        """One node evaluated, or `count` items made."""
        self.steps -= count
        if self.steps < 0:
            raise BudgetSpent("The template takes too many steps; it was stopped. Shorten its loops.")

    def characters(self, count: int) -> None:
        """A text of so many characters, that is or is about to be made."""
        self.steps -= count >> 8
        if count > self.MAX_TEXT:
            raise BudgetSpent(f"The template makes a text of more than {self.MAX_TEXT:,} characters; it was stopped.")

    def text(self, value: str) -> str:
        """A text that was made."""
        self.characters(len(value))
        return value

    def replaced(self, text: str, old: str, new: str) -> str:
        """text.replace(old, new), measured before it is made."""
        self.characters(len(text) + text.count(old) * (len(new) - len(old)))
        return text.replace(old, new)

    def repeated(self, text: str, count: int) -> str:
        """text * count, measured before it is made."""
        if count < 0:
            raise TemplateError("repeat() was given a number below 0.")
        self.characters(len(text) * count)
        return text * count

    def size(self, items: int) -> None:
        """A list or map that has grown, or is about to be made."""
        if items > self.MAX_ITEMS:
            raise BudgetSpent(f"The template makes a list of more than {self.MAX_ITEMS:,} items; it was stopped.")

    def bits(self, count: int) -> None:
        """A whole number of so many bits, that is or is about to be computed."""
        if count > self.MAX_BITS:
            raise BudgetSpent("The template makes a number of more than a thousand digits; it was stopped.")

    def number(self, value: float) -> float:
        """A number that was computed."""
        if isinstance(value, int):
            self.bits(value.bit_length())
        return value

    def written(self) -> None:
        """Output that was counted."""
        if self.output < 0:
            raise BudgetSpent("The template writes more than 2,000,000 characters; it was stopped.")
