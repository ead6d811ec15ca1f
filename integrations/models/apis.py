"""APIs in the catalog: which integrations their routes use; and the files that were imported, kept as they came.

An API is an entry of the catalog like an integration (ADR 8): its revisions hold compositions.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from integrations.gateway.composition import Composition
from integrations.models.team import NAME_LENGTH, Team

if TYPE_CHECKING:
    from integrations.models.catalog import Integration, Revision

API = "api"
"""The backend of an API, as lists tell it apart: it has integrations for backends."""


class RouteUse(models.Model):
    """A route of a revision of an API, and the integration behind it."""

    revision = models.ForeignKey("integrations.Revision", models.CASCADE, related_name="uses")
    integration = models.ForeignKey("integrations.Integration", models.RESTRICT, related_name="used_by")
    pin = models.PositiveIntegerField(null=True, blank=True)
    """The number of a revision; None follows the latest published."""
    method = models.CharField(max_length=20)
    path = models.CharField(max_length=1000)
    own = models.PositiveIntegerField(default=0)
    """How many options the route overrides."""

    class Meta:
        ordering: ClassVar = ["path", "method", "pk"]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


CURRENT = Q(revision__integration__deleted_at=None) & (
    Q(revision__number=F("revision__integration__latest_number"))
    | Q(revision__number=F("revision__integration__published_number"))
)
"""Of an API in the catalog: its latest revision, and the one that pipelines get."""


def keep_uses(revision: "Revision", composition: Composition) -> None:
    """Write down what the routes of a new revision use."""
    RouteUse.objects.bulk_create(
        RouteUse(
            revision=revision,
            integration_id=use.integration,
            pin=use.pin,
            method=mount.method[:20],
            path=mount.path[:1000],
            own=len(use.overrides) + len(use.bindings),
        )
        for mount, use in zip(composition.api.routes, composition.uses, strict=True)
    )


class Reach(NamedTuple):
    """How far a change of an integration goes."""

    routes: int
    apis: int

    def __str__(self) -> str:
        routes = f"{self.routes:,} route{'' if self.routes == 1 else 's'}"
        return f"{routes} in {self.apis:,} API{'' if self.apis == 1 else 's'}"


def reach(integrations: Iterable["Integration"]) -> Reach:
    """What publishing these changes: the routes that follow them. In one query."""
    following = RouteUse.objects.filter(CURRENT, integration__in=list(integrations), pin=None).order_by()
    routes = set(following.values_list("revision__integration", "method", "path"))
    return Reach(len(routes), len({api for api, _, _ in routes}))


def users_of(integration: "Integration") -> list[RouteUse]:
    """The routes behind which it is, in the latest revision of each API or in the published one; by API, then by path."""
    found = RouteUse.objects.filter(CURRENT, integration=integration).select_related("revision__integration")
    by_route: dict[tuple[int, str, str], RouteUse] = {}
    for use in found.order_by("revision__integration__name_key", "path", "method", "-revision__number"):
        by_route.setdefault((use.revision.integration_id, use.method, use.path), use)
    return list(by_route.values())


# --- Imports ---------------------------------------------------------------------------------------


class Import(models.Model):
    """Files that somebody read in, and what was made of them."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="imports")
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    made: Any = models.JSONField(default=list, blank=True)
    """What was saved, in order: `{"entry": key, "number": revision, "before": the latest before, or 0}`."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["team", "-made_at"], name="imports_of_a_team")]

    def __str__(self) -> str:
        return f"import {self.pk}"


class ImportedFile(models.Model):
    """One file of an import, as it came."""

    of = models.ForeignKey(Import, models.CASCADE, related_name="files")
    name = models.CharField(max_length=NAME_LENGTH)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.name


class Origin(models.Model):
    """The file that a revision was read from: what an API is written back into."""

    revision = models.OneToOneField("integrations.Revision", models.CASCADE, related_name="origin")
    file = models.ForeignKey(ImportedFile, models.CASCADE, related_name="+")
    place = models.PositiveIntegerField(default=0)
    """Which of the APIs of the file it is."""

    def __str__(self) -> str:
        return f"{self.file_id}, {self.place}"
