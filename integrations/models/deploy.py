"""Where the team deploys, with which values, what each integration is called there, and what was deployed."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone

from integrations.gateway.definition import Api, digest, dumps, loads
from integrations.models.apis import RouteUse
from integrations.models.catalog import Integration, Revision
from integrations.models.team import NAME_LENGTH, Team


class Access(models.TextChoices):
    """How boto3 gets into an environment's account. Never by a key that is kept here."""

    CHAIN = "chain", "The server's own credentials"
    PROFILE = "profile", "A profile of the server"
    ROLE = "role", "A role to assume"


class Environment(models.Model):
    """Where to deploy: an account and a region, the way in, and a stage. Holds no secret."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="environments")
    slug = models.SlugField(max_length=40)
    name = models.CharField(max_length=40)
    account = models.CharField(max_length=12)
    """Twelve digits. What `sts get-caller-identity` says has to be the same, before anything else is asked."""
    region = models.CharField(max_length=40)
    access = models.CharField(max_length=10, choices=Access, default=Access.CHAIN)
    """The way in. With a role, `profile` may name what assumes it; empty is boto3's default chain."""
    profile = models.CharField(max_length=NAME_LENGTH, blank=True)
    role_arn = models.CharField(max_length=2048, blank=True)
    external_id = models.CharField(max_length=1224, blank=True)
    """What the role's trust policy asks for against the confused deputy; AWS does not hold it to be a secret."""
    endpoint = models.CharField(max_length=2048, blank=True)
    """The URL that every service is called at instead of AWS's own; empty is AWS."""
    stage_name = models.CharField(max_length=128)
    protected = models.BooleanField(default=False)
    """Takes published revisions only, a typed stage name, and the approval of a second person."""
    seen_as = models.CharField(max_length=2048, blank=True)
    """The ARN that `sts get-caller-identity` last said: who Gatehouse is there."""
    seen_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["protected", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "slug"], name="one_environment_of_a_slug")]

    def __str__(self) -> str:
        return self.name

    @property
    def role_name(self) -> str:
        """The role without its account; empty where none is assumed."""
        return self.role_arn.partition(":role/")[2]

    def forget_identity(self) -> None:
        """Nobody knows any more who Gatehouse is there."""
        self.seen_as, self.seen_at = "", None
        self.save(update_fields=["seen_as", "seen_at"])

    def values_for(self, integration: Integration) -> dict[str, str]:
        """Parameter → value, as a deployment of the integration finds it here: its own, else the environment's.

        A parameter that is in neither falls back on its default, which the definition knows.
        """
        found: dict[str, str] = {}
        bindings = self.bindings.filter(models.Q(integration=integration) | models.Q(integration=None))
        for binding in bindings.order_by(models.F("integration").asc(nulls_first=True)):
            found[binding.name] = binding.value
        return found


class Binding(models.Model):
    """The value of a parameter in an environment: for one integration, or for all that have none of their own."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="bindings")
    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="bindings")
    name = models.CharField(max_length=NAME_LENGTH)
    value = models.TextField()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "integration", "name"], name="one_value_for_an_integration"),
            models.UniqueConstraint(
                fields=["environment", "name"], condition=models.Q(integration=None), name="one_value_for_an_environment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.environment_id}"


def replace_bindings(environment: Environment, integration: Integration | None, values: Mapping[str, str]) -> None:
    """Make these the values of the integration there, or of the environment where it is None. For use in a transaction."""
    Binding.objects.filter(environment=environment, integration=integration).exclude(name__in=values).delete()
    for name, value in values.items():
        Binding.objects.update_or_create(environment=environment, integration=integration, name=name, defaults={"value": value})


class Placement(models.Model):
    """What an integration is called in an environment, and what runs of it there."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="placements")
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="placements")
    rest_api_id = models.CharField(max_length=100, blank=True)
    """The REST API that holds it; empty until one is made for it."""
    path = models.CharField(max_length=1000, blank=True)
    """The path of its method there; empty is the path of its mount."""
    whole = models.BooleanField(default=True)
    """Whether Gatehouse owns the REST API: what the definition does not have is removed from it. Otherwise Gatehouse owns the
    method alone, and touches nothing else."""
    live = models.ForeignKey("Deployment", models.SET_NULL, null=True, blank=True, related_name="+")
    """What the stage was last pointed at from here."""
    read_at = models.DateTimeField(null=True, blank=True)
    """When the account was last read; None while nobody has since `live` was."""
    configured = models.TextField(blank=True)
    """The definition that the API's configuration held then, as canonical JSON; empty where its method was not there."""
    deployed = models.TextField(blank=True)
    """The definition that its stage served then, likewise."""
    differences = models.PositiveIntegerField(null=True, blank=True)
    """In how many options configuration or stage differed from `live` then."""

    is_outrun: bool = False
    """Of an API: whether an integration that a route of what is live follows was published since. `with_outrun` finds out."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "integration"], name="one_placement_in_an_environment")
        ]

    def __str__(self) -> str:
        return f"{self.integration_id} in {self.environment_id}"

    def went_live(
        self, deployment_id: str, api: Api, *, revision: Revision | None, by: User | None, note: str = ""
    ) -> "Deployment":
        """Keep what the stage points to now: the deployment's id, and the definition as it was bound. What was read is over."""
        text = dumps(api)
        self.live, _ = self.deployments.get_or_create(
            deployment_id=deployment_id,
            defaults={"definition": text, "sha256": digest(text), "revision": revision, "made_by": by, "note": note},
        )
        self.forget()
        return self.live

    def forget(self) -> None:
        """What was read of the account holds no longer."""
        self.read_at = self.differences = None
        self.configured = self.deployed = ""
        self.save()


class Deployment(models.Model):
    """A snapshot of API Gateway's that a stage was pointed at, with the definition that it was made of, values in place."""

    placement = models.ForeignKey(Placement, models.CASCADE, related_name="deployments")
    deployment_id = models.CharField(max_length=100)
    """API Gateway's."""
    revision = models.ForeignKey(Revision, models.SET_NULL, null=True, related_name="+")
    definition = models.TextField()
    sha256 = models.CharField(max_length=64)
    note = models.TextField(blank=True)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-made_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["placement", "deployment_id"], name="one_snapshot_of_a_deployment")
        ]

    def __str__(self) -> str:
        return self.deployment_id

    @property
    def api(self) -> Api:
        """The definition as a value."""
        return loads(self.definition)


VALID = timedelta(minutes=15)
"""For how long a plan that was shown may be applied. A change of the account or of a value ends it sooner."""


class Proposal(models.Model):
    """A plan as it was shown, before anybody applies it."""

    placement = models.ForeignKey(Placement, models.CASCADE, related_name="proposals")
    revision = models.ForeignKey(Revision, models.SET_NULL, null=True, related_name="+")
    """What is planned; None where the plan takes away, or brings back what has no revision."""
    plan = models.JSONField()
    """As `plan.to_json` writes it."""
    plan_hash = models.CharField(max_length=64)
    seen_as = models.CharField(max_length=2048)
    """Who Gatehouse was in the account when it was read: an ARN."""
    note = models.CharField(max_length=NAME_LENGTH, blank=True)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    operation = models.ForeignKey("Operation", models.SET_NULL, null=True, blank=True, related_name="+")
    """What carries it out, once somebody applied it."""

    class Meta:
        ordering: ClassVar = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"plan {self.plan_hash[:12]}"

    @property
    def is_stale(self) -> bool:
        """Whether the account was read too long ago to apply it."""
        return timezone.now() > self.made_at + VALID


def with_outrun(placements: models.QuerySet[Placement]) -> models.QuerySet[Placement]:
    """The same, with `is_outrun` found out; costs no query of its own. What counts is when the deployment was planned: that is
    when its integrations were taken from the catalog."""
    plans = Proposal.objects.filter(
        placement=models.OuterRef("pk"),
        revision=models.OuterRef("live__revision"),
        made_at__lt=models.OuterRef("live__made_at"),
        operation__moved_at__isnull=False,
    )
    planned = models.Subquery(plans.order_by("-made_at").values("made_at")[:1])
    newer = RouteUse.objects.filter(
        revision=models.OuterRef("live__revision"),
        pin=None,
        integration__revisions__number=models.F("integration__published_number"),
        integration__revisions__published_at__gt=models.OuterRef("taken_at"),
    )
    taken = placements.annotate(taken_at=Coalesce(planned, models.F("live__made_at")))
    return taken.annotate(is_outrun=models.Exists(newer))  # type: ignore[no-redef]


def placements_of(entries: Iterable[Integration]) -> dict[tuple[int, int], Placement]:
    """Where these stand, by the keys of integration and environment, with what is live and its revision; in one query."""
    found = with_outrun(Placement.objects.filter(integration__in=list(entries)).select_related("live__revision"))
    return {(placement.integration_id, placement.environment_id): placement for placement in found}
