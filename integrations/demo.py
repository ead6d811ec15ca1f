"""The demo team: its people, its integrations, and their history."""

from django.contrib.auth.models import User

from integrations.models import Membership, Role, Team

SLUG = "storefront"
PEOPLE = {
    "robin": ("Robin Hale", Role.ADMIN),
    "amara": ("Amara Okafor", Role.ADMIN),
    "jonas": ("Jonas Lind", Role.EDITOR),
    "mei": ("Mei Tanaka", Role.EDITOR),
    "tomas": ("Tomás Vega", Role.EDITOR),
    "ines": ("Inês Duarte", Role.VIEWER),
    "farid": ("Farid Rahimi", Role.VIEWER),
}


def make() -> Team:
    """The team, made when it is not there."""
    team, made = Team.objects.get_or_create(slug=SLUG, defaults={"name": "Storefront"})
    if made:
        for username, (name, role) in PEOPLE.items():
            first, last = name.split(" ")
            user, _ = User.objects.get_or_create(username=username, defaults={"first_name": first, "last_name": last})
            Membership.objects.create(team=team, user=user, role=role)
    return team
