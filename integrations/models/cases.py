"""The cases of an integration: calls that have to go as expected, run at each save, and before a revision is published."""

from collections.abc import Iterable
from time import perf_counter
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from integrations.gateway import cases
from integrations.gateway.cases import Outcome
from integrations.gateway.definition import Api
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.simulator import dumps, load_answer, load_request
from integrations.models.team import NAME_LENGTH

CASE = "case"
"""What stands for a rule's code in the finding of a failing case."""
MOST_CASES = 100
"""Cases of one integration: all of them run within a save."""


class Case(models.Model):
    """A request, a backend's answer and what is expected, under a name. No part of the definition."""

    integration = models.ForeignKey("Integration", models.CASCADE, related_name="cases")
    name = models.CharField(max_length=NAME_LENGTH)
    request = models.TextField()
    """JSON, as `load_request` reads it."""
    answer = models.TextField(blank=True)
    """JSON, as `load_answer` reads it; empty for the simulator's example."""
    expected = models.JSONField(default=list)
    """A list of the fields of `cases.Expectation`."""
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "name"], name="one_case_of_a_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def value(self) -> cases.Case:
        """The case as the gateway runs it."""
        return cases.Case(
            name=self.name,
            request=load_request(self.request),
            answer=load_answer(self.answer) if self.answer else None,
            expected=tuple(cases.Expectation(**fields) for fields in self.expected),
        )

    def fill(self, value: cases.Case) -> None:
        """Take a value over; the caller saves it."""
        self.name = value.name
        self.request = dumps(value.request)
        self.answer = "" if value.answer is None else dumps(value.answer)
        self.expected = [{"of": each.of, "how": each.how, "field": each.field, "value": each.value} for each in value.expected]
        self.updated_at = timezone.now()


MOST_SECONDS = 5.0
"""For all cases of a definition together: each template has its budget, and a hundred hostile ones would still hold a save."""
UNRUN = f"It was not run: the cases before it took {MOST_SECONDS:g} seconds. Shorten their templates' loops."


def outcomes(found: Iterable[Case], api: Api) -> list[Outcome]:
    """How each goes with a definition. When MOST_SECONDS are over, the others are not run, and do not pass."""
    end = perf_counter() + MOST_SECONDS
    values = [case.value for case in found]
    return [cases.run(value, api) if perf_counter() < end else Outcome(value, None, unrun=UNRUN) for value in values]


def failures(found: Iterable[Outcome]) -> list[Finding]:
    """The cases that fail, as errors: they block publishing as those do."""
    return [
        Finding(
            rule=CASE,
            severity=Severity.ERROR,
            path=(),
            title=f'The case "{outcome.case.name}" fails',
            message=outcome.words,
        )
        for outcome in found
        if not outcome.passed
    ]
