"""The demo team is believable, and a benchmark's team says the same of an integration as its own definition."""

from itertools import pairwise

import pytest
from django.utils import timezone

from integrations import demo
from integrations.models import DESCRIBED, AuditEvent, Integration, Lifecycle, Membership, Role, SearchText, outcomes

pytestmark = pytest.mark.django_db


def test_it_holds_every_backend_and_one_broken_in_three_ways() -> None:
    team = demo.make()
    entries = Integration.objects.filter(team=team)

    assert {entry.backend for entry in entries} >= {
        "lambda",
        "api",
        "http",
        "private",
        "sqs",
        "states",
        "dynamodb",
        "s3",
        "events",
        "mock",
    }
    assert {entry.lifecycle for entry in entries} == set(Lifecycle)
    assert {membership.role for membership in Membership.objects.filter(team=team)} == set(Role)
    assert {entry.slug: (entry.errors, entry.failures) for entry in entries if entry.errors or entry.failures} == {
        "legacy-billing-http": (2, 1)
    }
    assert all(entry.tags.count() and entry.owner for entry in entries)


def test_revisions_come_one_after_another_and_differ() -> None:
    for entry in Integration.objects.filter(team=demo.make()):
        revisions = list(entry.revisions.order_by("number"))
        for older, newer in pairwise(revisions):
            assert older.created_at < newer.created_at
            assert older.sha256 != newer.sha256
        assert [entry.created_at, entry.updated_at] == [revisions[0].created_at, revisions[-1].created_at]
        assert entry.updated_at < timezone.now()
        told = AuditEvent.objects.filter(integration=entry, verb__in=["created", "saved"])
        assert sorted(event.at for event in told) == [revision.created_at for revision in revisions]


def test_its_cases_pass_on_what_is_published() -> None:
    demo.make()
    orders = Integration.objects.get(slug="orders-to-sqs")
    assert orders.published
    found = outcomes(orders.cases.all(), orders.published.api)
    assert [(outcome.case.name, outcome.differences) for outcome in found] == [
        ("Accepts an order", ()),
        ("Queue policy denies", ()),
        ("Plain text body", ()),
        ("Order without items", ()),
    ]


def test_it_is_made_once() -> None:
    assert demo.make() == demo.make()
    assert Integration.objects.count() == len(demo.STORIES) + 1  # and the API


def test_many_are_told_as_their_definitions_are() -> None:
    entries = Integration.objects.filter(team=demo.make_many(60))
    assert len(entries) == 60
    for entry in entries:
        said = Integration(slug=entry.slug)
        said.describe(entry.latest.resolved)
        assert [getattr(entry, column) for column in DESCRIBED] == [getattr(said, column) for column in DESCRIBED]
        assert entry.published_number is None or entry.errors == 0
    assert SearchText.objects.count() == 60


def test_the_same_seed_makes_the_same() -> None:
    def made(seed: int) -> list[tuple[str, str, str]]:
        team = demo.make_many(20, seed)
        found = [(entry.slug, entry.owner, entry.latest.sha256) for entry in Integration.objects.filter(team=team).order_by("pk")]
        team.delete()
        return found

    assert made(7) == made(7) != made(8)
