"""People and a team for tests of requests."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from integrations.gateway.definition import Api, Http, Integration, Route
from integrations.models import Integration as Entry
from integrations.models import Membership, Role, Team

BOOKS = Api(name="books", routes=(Route(path="/books", integration=Integration(backend=Http(url="https://books.example.com/"))),))


@pytest.fixture
def team(db: None) -> Team:
    """A team without members."""
    return Team.objects.create(slug="storefront", name="Storefront")


def member(team: Team, role: Role, name: str) -> User:
    """Somebody new in the team."""
    user = User.objects.create_user(name, f"{name}@example.com", "correct horse")
    Membership.objects.create(team=team, user=user, role=role)
    return user


@pytest.fixture
def viewer(team: Team) -> User:
    return member(team, Role.VIEWER, "vera")


@pytest.fixture
def editor(team: Team) -> User:
    return member(team, Role.EDITOR, "ada")


@pytest.fixture
def admin(team: Team) -> User:
    return member(team, Role.ADMIN, "grace")


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody of another team."""
    return member(Team.objects.create(slug="elsewhere", name="Elsewhere"), Role.ADMIN, "mallory")


@pytest.fixture
def books(team: Team, editor: User) -> Entry:
    """An integration with one revision."""
    entry = Entry(team=team, slug="books", created_by=editor)
    entry.save_revision(BOOKS, editor, "First.")
    return entry


@pytest.fixture
def as_editor(client: Client, editor: User) -> Client:
    """A client that the editor is signed in to."""
    client.force_login(editor)
    return client
