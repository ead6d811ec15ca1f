"""Who may do what. Views and commands ask here, and nowhere else."""

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404

from integrations.models import Environment, Integration, Membership, Role, Token

type Person = User | AnonymousUser

NEEDS: dict[str, Role] = {
    "view": Role.VIEWER,
    "export": Role.VIEWER,
    "edit": Role.EDITOR,
    "publish": Role.EDITOR,
    "delete": Role.EDITOR,
    "plan": Role.EDITOR,
    "apply": Role.EDITOR,
    "approve": Role.EDITOR,
    "environments": Role.ADMIN,
    "manage": Role.ADMIN,
}
"""The least role for each thing that can be done in a team."""

_RANKS = {role: rank for rank, role in enumerate(Role)}


def is_allowed(membership: Membership, action: str) -> bool:
    """Whether a member may do `action`, one of NEEDS."""
    return _RANKS[Role(membership.role)] >= _RANKS[NEEDS[action]]


def get_membership(user: Person, team: str, *, may: str) -> Membership:
    """The membership of who asks. Strangers get Http404; members who may not do it get PermissionDenied."""
    try:
        found = Membership.objects.select_related("team").get(user=user.pk, team__slug=team)
    except Membership.DoesNotExist:
        raise Http404("No such team, or not yours.") from None
    if not is_allowed(found, may):
        raise PermissionDenied(f"This needs the role {NEEDS[may].label.lower()} in {found.team}; yours is {found.role}.")
    return found


def get_integration(user: Person, team: str, slug: str, *, may: str) -> tuple[Integration, Membership]:
    """The integration in the catalog (not in the trash), and the membership."""
    membership = get_membership(user, team, may=may)
    try:
        found = Integration.objects.get(team=membership.team_id, slug=slug, deleted_at=None)
    except Integration.DoesNotExist:
        raise Http404("No such integration.") from None
    found.team = membership.team
    return found, membership


def get_environment(user: Person, team: str, slug: str, *, may: str) -> tuple[Environment, Membership]:
    """The team's environment, and the membership."""
    membership = get_membership(user, team, may=may)
    try:
        found = Environment.objects.get(team=membership.team_id, slug=slug)
    except Environment.DoesNotExist:
        raise Http404("No such environment.") from None
    found.team = membership.team
    return found, membership


def may_approve(user: Person, requested_by: User | None) -> bool:
    """Whether this member may let go what was requested: somebody else has to."""
    return requested_by is None or user.pk != requested_by.pk


def get_for_pipeline(token: Token, team: str, slug: str) -> Integration:
    """The integration whose published exports a valid token may read: one of its own team's. Any other gets Http404."""
    found = Integration.objects.filter(team=token.team, team__slug=team, slug=slug, deleted_at=None).first()
    if found is None:
        raise Http404("No such integration.")
    found.team = token.team
    return found
