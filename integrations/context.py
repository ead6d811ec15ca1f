"""What base.html shows on every page: how somebody wants to see it, which team they are in, which version runs."""

from functools import cached_property

from django.conf import settings
from django.http import HttpRequest

from integrations.models import Membership
from integrations.views.preferences import preference


class Look:
    """What is known without asking the database."""

    def __init__(self, request: HttpRequest) -> None:
        self.theme = preference(request, "theme")
        self.density = preference(request, "density")
        self.keys = preference(request, "keys")
        self.version = settings.VERSION


class Frame(Look):
    """Lazy: a page that shows no team asks the database for none."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self._request = request

    @cached_property
    def memberships(self) -> list[Membership]:
        """The teams of who asks, by name."""
        user = getattr(self._request, "user", None)  # a request that was refused early has none
        if user is None or not user.is_authenticated:
            return []
        return list(Membership.objects.filter(user=user).select_related("team").order_by("team__name"))

    @cached_property
    def membership(self) -> Membership | None:
        """The team that this page is in; the first one on a page that is in none."""
        match = self._request.resolver_match
        slug = match.kwargs.get("team") if match else None
        here = [membership for membership in self.memberships if membership.team.slug == slug]
        return next(iter(here or self.memberships), None)


def frame(request: HttpRequest) -> dict[str, Frame]:
    """For TEMPLATES' context_processors."""
    return {"frame": Frame(request)}
