"""`manage.py export`: the catalog's integrations as files, stamped and noted in the team's trail."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from integrations.gateway.definition import Api, Http, Integration, Lambda, Route, loads
from integrations.gateway.formats import FORMATS, loaded
from integrations.models import Integration as Entry
from integrations.models import Team
from tests.web.conftest import BOOKS

ROOT = Path(__file__).resolve().parents[2]


def export(*arguments: str) -> tuple[int, str, str]:
    out, errors = io.StringIO(), io.StringIO()
    try:
        call_command("export", *arguments, stdout=out, stderr=errors)
    except SystemExit as left:
        return int(str(left.code)), out.getvalue(), errors.getvalue()
    return 0, out.getvalue(), errors.getvalue()


@pytest.mark.parametrize("to", FORMATS)
def test_the_published_revision_is_written_and_noted(books: Entry, editor: User, to: str) -> None:
    books.publish(books.latest, editor)
    status, out, errors = export("storefront/books", "--to", to)

    assert (status, errors.count("\n")) == (0, len(FORMATS[to].dump(BOOKS).findings))
    assert "storefront/books" in out
    sayable = FORMATS[to].sayable
    if sayable is not None:
        found = loaded(out)
        assert (found.apis, found.findings) == ((sayable(BOOKS),), ())
    [event] = books.events.filter(verb="exported")
    assert (event.actor, event.subject, event.detail) == (None, "books r1", {"format": to})


def test_a_revision_may_be_named(books: Entry, editor: User) -> None:
    other = Api(name="books", routes=(Route(integration=Integration(backend=Http(url="https://other.example.com/"))),))
    books.save_revision(other, editor, "Moved.")

    assert loads(export("storefront/books", "--to", "definition", "--revision", "r1")[1]) == BOOKS
    assert loads(export("storefront/books", "--to", "definition", "--revision", "latest")[1]) == other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("storefront/none",), "storefront/none: there is no such integration. Give TEAM/SLUG as in its address. Nothing"),
        (("books",), "books: there is no such integration."),
        (("storefront/books",), "Nothing of storefront/books is published. Its latest is r1: --revision latest. Nothing"),
        (("storefront/books", "--revision", "7"), "storefront/books has no revision 7. Its latest is r1"),
        (("storefront/books", "--revision", "latest", "--set", "A=1"), "--set A: the definition has no such parameter."),
    ],
)
def test_what_is_not_there_leaves_with_2(books: Entry, arguments: tuple[str, ...], message: str) -> None:
    status, out, errors = export(*arguments, "--to", "definition")

    assert (status, out, errors.startswith(message)) == (2, "", True)
    assert not books.events.filter(verb="exported").exists()


def test_what_is_in_the_trash_is_not_there(books: Entry, editor: User) -> None:
    books.trash(editor)

    assert export("storefront/books", "--to", "definition", "--revision", "latest")[0] == 2


def test_values_are_given_and_what_is_lost_is_said(team: Team, editor: User, tmp_path: Path) -> None:
    entry = Entry(team=team, slug="orders", created_by=editor)
    entry.save_revision(Api(name="orders", routes=(Route(integration=Integration(backend=Lambda(function="${F}"))),)), editor, "")
    path = tmp_path / "orders.json"
    arguments = ("storefront/orders", "--to", "openapi-json", "--revision", "latest", "--out", str(path))

    assert export(*arguments)[0] == 1
    assert "${F}" in path.read_text()
    assert export(*arguments, "--set", "F=arn:aws:lambda:eu-west-1:111122223333:function:orders")[0] == 0
    assert "function:orders/invocations" in json.dumps(json.loads(path.read_text()))


def test_a_database_that_does_not_answer_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "django", "export", "--settings", "configurator.settings", "a/b", "--to", "openapi"]
    environment = {"GATEHOUSE_DATA": str(tmp_path), "SECRET_KEY": "x" * 50}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env=environment)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "The catalog's database does not answer as it should. Start it with manage.py up, then try again.\n"
