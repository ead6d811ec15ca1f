"""Which value a parameter has where, and what is known to run."""

import dataclasses

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone

from integrations.models import Environment, Integration, Placement, Team, placements_of, replace_bindings
from integrations.models.deploy import VALID
from tests.web.conftest import BOOKS
from tests.web.deployments import an_environment


@pytest.fixture
def dev(team: Team) -> Environment:
    """An environment that is not protected."""
    return an_environment(team)


def test_a_value_of_the_integration_goes_before_that_of_the_environment(dev: Environment, books: Integration, team: Team) -> None:
    replace_bindings(dev, None, {"Table": "shared", "Role": "shared"})
    replace_bindings(dev, books, {"Table": "books"})
    other = Integration(team=team, slug="other")
    other.save_revision(BOOKS, None)

    assert dev.values_for(books) == {"Table": "books", "Role": "shared"}
    assert dev.values_for(other) == {"Table": "shared", "Role": "shared"}


def test_bindings_are_replaced_as_a_whole(dev: Environment, books: Integration) -> None:
    replace_bindings(dev, None, {"Table": "one", "Role": "one"})
    replace_bindings(dev, books, {"Table": "own"})
    replace_bindings(dev, None, {"Table": "two"})

    assert [(kept.integration, kept.name, kept.value) for kept in dev.bindings.order_by("pk")] == [
        (None, "Table", "two"),
        (books, "Table", "own"),
    ]


def test_a_parameter_has_one_value_in_an_environment(dev: Environment) -> None:
    dev.bindings.create(name="Table", value="one")
    with pytest.raises(IntegrityError):
        dev.bindings.create(name="Table", value="two")


def test_what_went_live_is_kept_with_the_values_in_place(dev: Environment, books: Integration, editor: User) -> None:
    placement = Placement.objects.create(environment=dev, integration=books, rest_api_id="a1b2c3")
    first = placement.went_live("d1", BOOKS, revision=books.latest, by=editor)
    second = placement.went_live("d2", dataclasses.replace(BOOKS, description="Newer."), revision=books.latest, by=editor)
    again = placement.went_live("d1", BOOKS, revision=books.latest, by=editor)  # rolled back

    assert (first.api, first.revision, first.made_by) == (BOOKS, books.latest, editor)
    assert again == first != second
    assert list(placement.deployments.all()) == [second, first]
    kept = placements_of([books])[books.pk, dev.pk]
    assert (kept.live, kept.rest_api_id) == (first, "a1b2c3")


def test_what_was_read_is_over_when_something_else_goes_live(dev: Environment, books: Integration) -> None:
    placement = Placement.objects.create(environment=dev, integration=books, differences=2, configured="{}", deployed="{}")
    placement.went_live("d1", BOOKS, revision=books.latest, by=None)

    placement.refresh_from_db()
    assert (placement.read_at, placement.differences, placement.configured, placement.deployed) == (None, None, "", "")


def test_a_plan_is_stale_after_a_while(dev: Environment, books: Integration) -> None:
    placement = Placement.objects.create(environment=dev, integration=books)
    proposal = placement.proposals.create(plan={}, plan_hash="0", made_at=timezone.now() - VALID / 2)
    assert not proposal.is_stale
    proposal.made_at -= VALID
    assert proposal.is_stale
