"""Bad input and bad days: a clear message, nothing half saved, no traceback."""

import json
import logging
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from configurator.logs import Json, Text
from integrations.accounts import make_sign_in_link
from integrations.models import SignInLink

FRAGMENT = {"HX-Request": "true"}
FORM = "application/x-www-form-urlencoded"
LOGIN = "/accounts/login/"


@pytest.fixture
def visitor(db: None) -> Client:
    """A client that gets what a browser gets, whatever is raised."""
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"login=%FF", "The text is not UTF-8."),
        (b"login=\xff", "The text is not UTF-8."),
        (b"%FF=x", "The text is not UTF-8."),
        (b"login=a%00b", "A field holds the character NUL"),
    ],
)
def test_text_that_cannot_be_kept_is_refused(visitor: Client, body: bytes, said: str) -> None:
    response = visitor.post(LOGIN, body, content_type=FORM)
    assert response.status_code == 400
    assert f"<p>{said}" in response.text


def test_the_sign_that_stands_for_unreadable_text_may_be_typed(visitor: Client) -> None:
    assert visitor.post(LOGIN, {"login": "\ufffd", "password": "x"}).status_code == 200
    assert visitor.get(LOGIN, {"next": "\ufffd"}).status_code == 200
    assert visitor.get(LOGIN + "?next=%FF").status_code == 400


def test_a_body_over_the_limit_is_refused_unread(visitor: Client) -> None:
    body = b"login=" + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    for kind in (FORM, "multipart/form-data; boundary=b", "application/octet-stream"):
        response = visitor.post(LOGIN, body, content_type=kind)
        assert response.status_code == 413
        assert '<h1 id="heading">That is more than Gatehouse takes at once</h1>' in response.text


def test_too_many_fields_are_refused(visitor: Client) -> None:
    body = "&".join(f"f{number}=" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    assert visitor.post(LOGIN, body, content_type=FORM).status_code == 413


def test_a_part_of_a_page_gets_its_message_above_the_page(visitor: Client) -> None:
    response = visitor.post(LOGIN, b"login=%FF", content_type=FORM, headers=FRAGMENT)
    assert (response.status_code, response["HX-Retarget"], response["HX-Reswap"]) == (400, "#alert", "innerHTML")
    assert response.text.startswith('<div class="msg" data-box data-level="error">')
    assert "<html" not in response.text


def test_a_pipeline_gets_a_line_of_text(visitor: Client) -> None:
    response = visitor.get("/nowhere", headers={"Authorization": "Bearer x"})
    assert (response.status_code, response["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert response.text.startswith("There is no such page. ")


def test_an_unknown_host_says_which_is_known(visitor: Client) -> None:
    response = visitor.get(LOGIN, headers={"Host": "evil.example.com"})
    assert response.status_code == 400
    assert f"This Gatehouse is reached at {settings.ORIGIN}." in response.text


@pytest.mark.parametrize(
    ("headers", "back"),
    [
        ({"HX-Current-URL": "http://testserver/t/storefront/?q=a"}, "/t/storefront/%3Fq%3Da"),
        ({"HX-Current-URL": "https://evil.example.com/x"}, "/"),
        ({}, "/"),
    ],
)
def test_an_ended_session_sends_the_whole_page_to_sign_in(visitor: Client, headers: dict[str, str], back: str) -> None:
    response = visitor.get("/t/storefront/", headers=FRAGMENT | headers)
    assert response.status_code == 200
    assert response["HX-Redirect"] == f"{LOGIN}?next={back}"
    assert response.content == b""


def test_an_ended_session_leads_back_to_the_page_of_a_form(visitor: Client) -> None:
    assert visitor.get("/t/storefront/?q=a").headers["Location"] == f"{LOGIN}?next=/t/storefront/%3Fq%3Da"
    posted = visitor.post("/t/storefront/", headers={"Referer": "http://testserver/t/storefront/?page"})
    assert posted.headers["Location"] == f"{LOGIN}?next=/t/storefront/%3Fpage"


@pytest.mark.parametrize("fragment", [False, True], ids=["page", "fragment"])
def test_a_stale_form_is_told_apart(db: None, fragment: bool) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(LOGIN, {"login": "x"}, headers=FRAGMENT if fragment else {})
    assert response.status_code == 403
    assert "This form is too old to be accepted" in response.text
    assert response.headers.get("HX-Retarget") == ("#alert" if fragment else None)


def test_a_full_disk_is_said_and_nothing_is_half_saved(transactional_db: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("The limit is a pragma of SQLite.")
    ada = User.objects.create_user("ada")
    links = [make_sign_in_link(ada, timedelta(hours=1)) for _ in range(300)]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
        try:
            for link in links:
                refused = Client(raise_request_exception=False).post(reverse("sign-in-link", args=[link]))
                if refused.status_code != 302:
                    break
        finally:
            cursor.execute("PRAGMA max_page_count = 4294967294")
    assert (refused.status_code, refused["Retry-After"]) == (503, "10")
    assert "Its disk is full. Nothing was saved" in refused.text
    assert refused["X-Request-ID"] in refused.text
    assert SignInLink.objects.exclude(used_at=None).count() == Session.objects.count() == links.index(link)


def test_guessing_passwords_is_slowed_down(visitor: Client, editor: User) -> None:
    cache.clear()
    answers = [visitor.post(LOGIN, {"login": "ada", "password": "wrong"}) for _ in range(40)]
    cache.clear()
    assert answers[-1].status_code == 429
    assert '<h1 id="heading">Too many attempts</h1>' in answers[-1].text


def test_a_fault_of_ours_is_a_page_with_a_number(visitor: Client, editor: User, caplog: pytest.LogCaptureFixture) -> None:
    visitor.force_login(editor)
    with connection.execute_wrapper(lambda *_: (_ for _ in ()).throw(RuntimeError("a fault"))):
        response = visitor.get("/")
    assert response.status_code == 500
    assert response["X-Request-ID"] in response.text
    assert "a fault" not in response.text
    assert "Traceback" not in response.text


def test_a_database_that_does_not_answer_is_told_apart(visitor: Client, editor: User) -> None:
    visitor.force_login(editor)
    with connection.execute_wrapper(lambda *_: (_ for _ in ()).throw(OperationalError("server closed the connection"))):
        page = visitor.get("/")
        ready = visitor.get("/readyz")
        alive = visitor.get("/livez")
    assert page.status_code == 503
    assert "Its database does not answer. Nothing was saved" in page.text
    assert (ready.status_code, ready.json()) == (503, {"status": "unavailable", "database": "does not answer"})
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})


def test_ready_means_that_every_migration_is_there(visitor: Client) -> None:
    assert visitor.get("/readyz", headers={"Host": "10.0.0.7"}).json() == {"status": "ok"}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    assert visitor.get("/readyz").json() == {"status": "unavailable", "migrations": ["sessions.0001_initial"]}


def test_each_request_is_one_line_without_query_or_secret(
    visitor: Client, editor: User, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.force_login(editor)
    with caplog.at_level(logging.INFO, "gatehouse.request"):
        visitor.get("/t/storefront/?q=private", headers={"X-Request-ID": "from-the-proxy-1"})
        visitor.get(reverse("sign-in-link", args=["a-secret"]))
    first, second = (json.loads(Json().format(record)) for record in caplog.records if record.name == "gatehouse.request")
    assert {name: first[name] for name in ("request_id", "method", "path", "status", "user", "team")} == {
        "request_id": "from-the-proxy-1",
        "method": "GET",
        "path": "/t/storefront/",
        "status": 200,
        "user": editor.pk,
        "team": "storefront",
    }
    assert (second["path"], second["status"]) == ("/sign-in/<str:secret>", 410)
    assert "private" not in caplog.text and "a-secret" not in caplog.text


@pytest.mark.parametrize("formatter", [Json(), Text()])
def test_an_outage_is_logged_without_a_stack_and_a_fault_with_it(formatter: logging.Formatter) -> None:
    def logged(raised: Exception) -> str:
        try:
            raise raised
        except Exception as error:
            record = logging.LogRecord("x", logging.ERROR, __file__, 1, "broke", (), (type(error), error, error.__traceback__))
        return formatter.format(record)

    assert "Traceback" not in logged(OperationalError("gone"))
    assert "gone" in logged(OperationalError("gone"))
    assert "Traceback" in logged(RuntimeError("a fault"))
