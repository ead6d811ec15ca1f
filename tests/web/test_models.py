"""Revisions are appended, and the head repeats what lists need."""

import dataclasses

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone

from integrations.gateway.definition import Http, Integration, Route
from integrations.models import Integration as Entry
from integrations.models import Lifecycle, Revision, StaleBase, Team
from tests.web.conftest import BOOKS


def test_a_revision_keeps_the_definition_and_its_hash(books: Entry, editor: User) -> None:
    broken = dataclasses.replace(BOOKS, routes=(Route(path="/b", integration=Integration(backend=Http(url="no url"))),))
    revision = books.save_revision(broken, editor, "Move it.")

    books.refresh_from_db()
    assert books.latest == revision
    assert (revision.number, revision.api, revision.message, revision.author) == (2, broken, "Move it.", editor)
    assert len(revision.sha256) == 64
    assert (books.path, books.backend, books.target, books.errors) == ("/b", "http", "no url", 1)
    assert [kept.number for kept in books.revisions.all()] == [2, 1]
    assert Revision.objects.get(number=1).api == BOOKS


@pytest.mark.parametrize(
    ("published", "deprecated", "wanted"),
    [(False, False, Lifecycle.DRAFT), (True, False, Lifecycle.PUBLISHED), (True, True, Lifecycle.DEPRECATED)],
)
def test_the_lifecycle_is_derived(books: Entry, published: bool, deprecated: bool, wanted: str) -> None:
    books.published_number = 1 if published else None
    books.deprecated = deprecated
    books.save()

    books.refresh_from_db()
    assert books.lifecycle == wanted


def test_a_newer_revision_makes_it_a_draft_again(books: Entry, editor: User) -> None:
    books.published_number = 1
    books.save()
    books.save_revision(dataclasses.replace(BOOKS, description="Newer."), editor)

    books.refresh_from_db()
    assert books.lifecycle == Lifecycle.DRAFT


def test_a_slug_is_free_again_when_its_integration_is_in_the_trash(books: Entry, team: Team, editor: User) -> None:
    books.deleted_at = timezone.now()
    books.save()
    Entry(team=team, slug="books").save_revision(BOOKS, editor)

    with pytest.raises(IntegrityError):
        Entry(team=team, slug="books").save_revision(BOOKS, editor)


def test_a_revision_on_a_stale_base_is_not_saved(books: Entry, editor: User) -> None:
    books.save_revision(BOOKS, editor, onto=1)

    with pytest.raises(StaleBase) as refusal:
        Entry.objects.get(pk=books.pk).save_revision(BOOKS, editor, onto=1)

    assert refusal.value.latest == 2
    assert books.revisions.count() == 2


def test_publishing_marks_a_revision(books: Entry, editor: User) -> None:
    assert books.publish(books.latest, editor) == []

    books.refresh_from_db()
    assert (books.published, books.lifecycle) == (books.latest, Lifecycle.PUBLISHED)
    assert (books.latest.published_by, books.latest.published_at is None) == (editor, False)


def test_a_revision_with_an_error_is_not_published(books: Entry, editor: User) -> None:
    broken = dataclasses.replace(BOOKS, routes=(Route(path="/b", integration=Integration(backend=Http(url="no url"))),))
    revision = books.save_revision(broken, editor)

    assert [finding.path[-1] for finding in books.publish(revision, editor)] == ["url"]
    books.refresh_from_db()
    assert (books.published_number, revision.published_at) == (None, None)


def test_publishing_an_older_revision_does_not_take_the_newer_one_back(books: Entry, editor: User) -> None:
    newer = books.save_revision(BOOKS, editor)
    books.publish(newer, editor)
    books.publish(books.revisions.get(number=1), editor)

    assert books.published == newer
    assert all(revision.published_at for revision in books.revisions.all())
