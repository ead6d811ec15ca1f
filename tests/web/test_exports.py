"""Files over HTTP: who gets them, what they say of themselves, how they are kept and refused."""

import dataclasses
import hashlib
import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.accounts import make_token
from integrations.gateway.findings import Finding, Severity
from integrations.gateway.formats import FORMATS, Export
from integrations.models import AuditEvent, Draft, Team, Token
from integrations.models import Integration as Entry
from integrations.stamps import METADATA, filename, stamped
from tests.web.conftest import BOOKS

NEWER = dataclasses.replace(BOOKS, description="Newer, not published.")


@pytest.fixture
def published(books: Entry, editor: User) -> Entry:
    """Books, whose r1 is published and whose r2 is not."""
    books.publish(books.latest, editor)
    books.save_revision(NEWER, editor)
    return books


@pytest.fixture
def token(team: Team, admin: User) -> tuple[Token, str]:
    return make_token(team, "CI", admin, timedelta(days=1))


def url(entry: Entry, format: str = "definition", number: int | None = None) -> str:
    numbered = {} if number is None else {"number": number}
    name = "export" if number is None else "revision-export"
    return reverse(name, kwargs={"team": entry.team.slug, "slug": entry.slug, "format": format, **numbered})


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_the_published_revision_is_a_file(published: Entry, viewer: User, client: Client) -> None:
    client.force_login(viewer)
    response = client.get(url(published))

    revision = published.revisions.get(number=1)
    assert json.loads(response.content) == {
        "metadata": {"integration": "storefront/books", "revision": "r1", "sha256": revision.sha256},
        **json.loads(revision.definition),
    }
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="books.json"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["ETag"] == f'"{hashlib.sha256(response.content).hexdigest()}"'
    assert set(response["Vary"].split(", ")) == {"Authorization", "Cookie"}


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_its_media_type_and_says_which_revision_it_is(
    published: Entry, viewer: User, client: Client, format: str
) -> None:
    client.force_login(viewer)
    response = client.get(url(published, format))
    assert response["Content-Type"] == f"{FORMATS[format].media_type}; charset=utf-8"
    assert "storefront/books" in response.content.decode()
    assert published.revisions.get(number=1).sha256 in response.content.decode()


def test_who_has_the_file_gets_none(published: Entry, token: tuple[Token, str], client: Client) -> None:
    first = client.get(url(published), headers=bearer(token[1]))
    again = client.get(url(published), headers={**bearer(token[1]), "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"], again["Cache-Control"]) == (
        304,
        b"",
        first["ETag"],
        "private, no-cache",
    )

    published.publish(published.latest, None)
    newer = client.get(url(published), headers={**bearer(token[1]), "If-None-Match": first["ETag"]})
    assert newer.status_code == 200
    assert AuditEvent.objects.filter(verb="exported").count() == 2


def test_a_pipeline_reads_with_a_token_and_is_in_the_audit_trail(
    published: Entry, token: tuple[Token, str], client: Client
) -> None:
    assert client.get(url(published), headers=bearer(token[1])).status_code == 200
    event = AuditEvent.objects.get()
    assert (event.verb, event.subject, event.token, event.actor, event.integration, event.detail) == (
        "exported",
        "books r1",
        token[0],
        None,
        published,
        {"format": "definition"},
    )
    assert Token.objects.get().last_used_at is not None


def test_a_revision_has_an_address_of_its_own(published: Entry, viewer: User, token: tuple[Token, str], client: Client) -> None:
    assert client.get(url(published, number=1), headers=bearer(token[1])).status_code == 200
    unpublished = client.get(url(published, number=2), headers=bearer(token[1]))
    assert (unpublished.status_code, unpublished.content.decode()) == (
        404,
        "No r2 of books is published. Publish a revision of it, then ask again.\n",
    )
    client.force_login(viewer)
    assert json.loads(client.get(url(published, number=2)).content)["description"] == "Newer, not published."
    assert client.get(url(published, number=3)).status_code == 404


@pytest.mark.parametrize("trouble", ["unknown", "expired", "revoked", "another scheme"])
def test_a_token_that_is_not_valid_opens_nothing(
    published: Entry, token: tuple[Token, str], client: Client, trouble: str, viewer: User
) -> None:
    client.force_login(viewer)  # who shows a token is judged by it
    secret = token[1]
    headers = bearer(secret)
    if trouble == "unknown":
        headers = bearer("gatehouse_unknown")
    elif trouble == "expired":
        Token.objects.update(expires_at=timezone.now())
    elif trouble == "revoked":
        Token.objects.update(revoked_at=timezone.now())
    else:
        headers = {"Authorization": f"Basic {secret}"}
    response = client.get(url(published), headers=headers)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="Gatehouse"')
    assert "Ask an admin" in response.content.decode()
    assert AuditEvent.objects.count() == 0


def test_a_token_of_another_team_finds_nothing(published: Entry, stranger: User, client: Client) -> None:
    _, secret = make_token(Team.objects.get(slug="elsewhere"), "CI", stranger, timedelta(days=1))
    response = client.get(url(published), headers=bearer(secret))
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/plain")


def test_strangers_find_nothing(published: Entry, stranger: User, client: Client) -> None:
    client.force_login(stranger)
    assert client.get(url(published)).status_code == 404
    assert client.get(reverse("draft-export", args=["storefront", "books", "definition"])).status_code == 404


def test_nobody_is_asked_to_sign_in_or_to_show_a_token(published: Entry, client: Client) -> None:
    browser = client.get(url(published), headers={"Accept": "text/html,*/*"})
    assert (browser.status_code, browser["Location"]) == (302, f"{reverse('account_login')}?next={url(published)}")
    pipeline = client.get(url(published), headers={"Accept": "*/*"})
    assert (pipeline.status_code, pipeline["WWW-Authenticate"]) == (401, 'Bearer realm="Gatehouse"')


def test_nothing_published_deleted_and_no_such_format_are_not_found(
    books: Entry, token: tuple[Token, str], client: Client
) -> None:
    nothing = client.get(url(books), headers=bearer(token[1]))
    assert (nothing.status_code, nothing.content.decode()) == (
        404,
        "Nothing of books is published. Publish a revision of it, then ask again.\n",
    )
    books.publish(books.latest, None)
    unknown = client.get(url(books, "terraform"), headers=bearer(token[1]))
    assert (unknown.status_code, "definition" in unknown.content.decode()) == (404, True)
    Entry.objects.update(deleted_at=timezone.now())
    assert client.get(url(books), headers=bearer(token[1])).status_code == 404


def test_what_a_format_refuses_is_not_handed_out(
    published: Entry, token: tuple[Token, str], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding(rule="E1", severity=Severity.ERROR, path=("routes", 0, "path"), message="Rename it.")
    advice = dataclasses.replace(finding, severity=Severity.ADVICE, message="Nothing of it.")
    refusing = dataclasses.replace(
        FORMATS["definition"], dump=lambda api: Export(filename="a.json", text="{}\n", findings=(advice, finding))
    )
    monkeypatch.setattr("integrations.views.exports.FORMATS", {"definition": refusing})
    response = client.get(url(published), headers=bearer(token[1]))
    assert (response.status_code, response["Content-Type"]) == (409, "text/plain; charset=utf-8")
    assert response.content.decode() == "books r1 cannot be said in Definition:\n- routes.0.path: Rename it.\n"
    assert AuditEvent.objects.count() == 0


def test_a_head_request_is_no_export(published: Entry, token: tuple[Token, str], client: Client) -> None:
    response = client.head(url(published), headers=bearer(token[1]))
    assert (response.status_code, response.content, "ETag" in response) == (200, b"", True)
    assert AuditEvent.objects.count() == 0
    assert client.post(url(published), headers=bearer(token[1])).status_code == 405


def test_a_pipeline_costs_a_fixed_number_of_queries(
    published: Entry, token: tuple[Token, str], client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(url(published), headers=bearer(token[1]))
    with django_assert_num_queries(
        4
    ):  # the token (its last use is known to the minute), the integration, the revision, the audit
        client.get(url(published), headers=bearer(token[1]))


def test_a_draft_says_that_it_is_one(published: Entry, editor: User, as_editor: Client) -> None:
    address = reverse("draft-export", args=["storefront", "books", "definition"])
    latest = json.loads(as_editor.get(address).content)
    assert (latest["metadata"]["revision"], latest["description"]) == ("r2", "Newer, not published.")

    text = published.revisions.get(number=1).definition
    Draft.objects.create(integration=published, user=editor, base=published.latest, definition=text)
    draft = json.loads(as_editor.get(address).content)
    assert draft == {"metadata": {"integration": "storefront/books", "revision": "draft"}, **json.loads(text)}
    assert AuditEvent.objects.first().subject == "books draft"  # type: ignore[union-attr]


# --- Stamps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_stamp_changes_nothing_that_the_text_means(published: Entry, format: str) -> None:
    chosen = FORMATS[format]
    export = chosen.dump(BOOKS)
    text = stamped(export, chosen, published, published.latest, BOOKS)
    assert text != export.text
    if chosen.load is not None:
        assert chosen.load(text).apis == chosen.load(export.text).apis
    assert (chosen.lexer == "json") == (format in METADATA)
    if chosen.lexer == "json":
        value = json.loads(text)
        assert value.pop(METADATA[format][0])
        assert value == json.loads(export.text)
    else:
        lines = text.split("\n")
        assert [line for line in lines if not line.startswith("# Gatehouse ")] == export.text.split("\n")


def test_a_script_still_begins_with_its_interpreter(published: Entry) -> None:
    export = Export(filename="a.py", text="#!/usr/bin/env python3\nprint()\n")
    script = dataclasses.replace(FORMATS["definition"], name="boto3", lexer="python")
    sha256 = published.latest.sha256
    assert stamped(export, script, published, published.latest, BOOKS) == (
        f"#!/usr/bin/env python3\n# Gatehouse storefront/books revision=r2 sha256={sha256}\nprint()\n"
    )


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("orders.json", "orders.json"),
        ("../../etc/passwd.json", "etc-passwd.json"),
        ('a"\r\nX-Evil: 1.json', "a-X-Evil-1.json"),
        ("Bücher und mehr.yaml", "B-cher-und-mehr.yaml"),
        ("本.json", "books.json"),
    ],
)
def test_a_file_name_is_harmless(published: Entry, name: str, wanted: str) -> None:
    assert filename(Export(filename=name, text=""), published) == wanted
