"""Who may do what, by role; strangers find nothing."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from integrations.models import Integration, Role, Team
from integrations.policy import NEEDS, get_integration, get_membership

ALLOWED = {
    Role.VIEWER: {"view", "export"},
    Role.EDITOR: {"view", "export", "edit", "publish", "delete", "plan", "apply", "approve"},
    Role.ADMIN: {"view", "export", "edit", "publish", "delete", "plan", "apply", "approve", "environments", "manage"},
}


@pytest.mark.parametrize("action", NEEDS)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_just_this(request: pytest.FixtureRequest, team: Team, role: Role, action: str) -> None:
    user: User = request.getfixturevalue(role)

    if action in ALLOWED[role]:
        assert get_membership(user, team.slug, may=action).user == user
    else:
        with pytest.raises(PermissionDenied):
            get_membership(user, team.slug, may=action)


def test_strangers_find_no_team(team: Team, stranger: User) -> None:
    for who in (stranger, AnonymousUser()):
        with pytest.raises(Http404):
            get_membership(who, team.slug, may="view")


def test_strangers_find_no_integration(books: Integration, stranger: User) -> None:
    with pytest.raises(Http404):
        get_integration(stranger, "storefront", "books", may="view")


def test_what_is_in_the_trash_is_not_found(books: Integration, editor: User) -> None:
    assert get_integration(editor, "storefront", "books", may="edit")[0] == books
    books.deleted_at = timezone.now()
    books.save()
    with pytest.raises(Http404):
        get_integration(editor, "storefront", "books", may="edit")
