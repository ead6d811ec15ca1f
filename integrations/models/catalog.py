"""The catalog: integrations, and APIs composed of them, with their revisions and drafts."""

import itertools
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Lower
from django.utils import timezone

from integrations.gateway import composition
from integrations.gateway.composition import Composition, Resolved, Source
from integrations.gateway.definition import Api, AwsService, Http, Lambda, Mock, Raw, digest, dumps, loads
from integrations.gateway.findings import Finding, Severity, worst_first
from integrations.gateway.rules import VERSION as RULES_VERSION
from integrations.gateway.rules import check
from integrations.models.apis import API, RouteUse, keep_uses
from integrations.models.cases import failures, outcomes
from integrations.models.team import NAME_LENGTH, SLUG_LENGTH, Team

TRASHED_DAYS = 30
"""How long what was deleted can be restored."""
DESCRIBED = (
    "name",
    "description",
    "method",
    "path",
    "backend",
    "target",
    "errors",
    "failures",
    "ignored",
    "advice",
    "rules_version",
)
"""The columns of an integration that repeat its latest definition; `Integration.describe` sets them."""


class Lifecycle(models.TextChoices):
    """Where an integration stands; derived, see Integration.lifecycle."""

    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    DEPRECATED = "deprecated", "Deprecated"


class Level(models.IntegerChoices):
    """What kinds of findings there are, as bits of Integration.levels: how lists draw a severity."""

    REMARK = 1, "Remarks"
    WARNING = 2, "Warnings"
    ERROR = 4, "Errors"


FILTERED = ("lifecycle", "levels", "backend", "owner", "created_by", "deleted_at")
"""What lists are narrowed by. Every index of the list ends in these, so that filters and counts read the index alone."""

ALIVE = Q(deleted_at=None)
"""In the catalog, not in the trash."""


class Tag(models.Model):
    """A label of a team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=50)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "name"], name="one_tag_of_a_name")]

    def __str__(self) -> str:
        return self.name


class Integration(models.Model):
    """An entry of the catalog, an integration or an API: the head of its revisions. Its columns repeat what lists need of the
    latest one."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="integrations")
    slug = models.SlugField(max_length=SLUG_LENGTH)
    owner = models.CharField(max_length=NAME_LENGTH, blank=True)
    tags = models.ManyToManyField(Tag, related_name="integrations", blank=True)
    deprecated = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    latest_number = models.PositiveIntegerField(default=0)
    published_number = models.PositiveIntegerField(null=True, blank=True)
    lifecycle = models.GeneratedField(
        expression=Case(
            When(deprecated=True, then=Value(Lifecycle.DEPRECATED.value)),
            When(latest_number=F("published_number"), then=Value(Lifecycle.PUBLISHED.value)),
            default=Value(Lifecycle.DRAFT.value),
        ),
        output_field=models.CharField(max_length=10, choices=Lifecycle),
        db_persist=True,
    )
    """Deprecated where somebody says so; published where the latest revision is; else draft."""

    # Of the latest revision
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.TextField(blank=True)
    method = models.CharField(max_length=20)
    path = models.CharField(max_length=1000)
    backend = models.CharField(max_length=20)
    target = models.TextField(blank=True)
    errors = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    ignored = models.PositiveIntegerField(default=0)
    advice = models.PositiveIntegerField(default=0)
    rules_version = models.CharField(max_length=16)

    # What lists sort and count by
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=NAME_LENGTH), db_persist=True
    )
    levels = models.GeneratedField(
        expression=Case(When(errors__gt=0, then=Value(Level.ERROR.value)), default=Value(0))
        + Case(When(failures__gt=0, then=Value(Level.WARNING.value)), default=Value(0))
        + Case(When(Q(ignored__gt=0) | Q(advice__gt=0), then=Value(Level.REMARK.value)), default=Value(0)),
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
    )
    weight = models.GeneratedField(
        expression=F("errors") * 1_000_000 + F("failures") * 1_000 + F("ignored") + F("advice"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    """The worse its findings, the greater."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "slug"], condition=ALIVE, name="one_integration_of_a_slug")
        ]
        indexes: ClassVar = [
            models.Index(fields=["team", "-updated_at", "-id", *FILTERED], condition=ALIVE, name="catalog_by_time"),
            models.Index(fields=["team", "name_key", "id", *FILTERED], condition=ALIVE, name="catalog_by_name"),
            models.Index(fields=["team", "-weight", "-id", *FILTERED], condition=ALIVE, name="catalog_by_findings"),
            models.Index(fields=["team", *FILTERED], condition=ALIVE, name="catalog_counts"),
            models.Index(fields=["team", "-deleted_at"], condition=~ALIVE, name="catalog_trash"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_api(self) -> bool:
        """Whether it is an API: its revisions hold compositions."""
        return self.backend == API

    @property
    def counts(self) -> dict[str, int]:
        """Findings of the latest revision by severity."""
        return {
            Severity.ERROR: self.errors,
            Severity.FAILURE: self.failures,
            Severity.IGNORED: self.ignored,
            Severity.ADVICE: self.advice,
        }

    @property
    def latest(self) -> "Revision":
        """The latest revision, from the database."""
        return self.revisions.get(number=self.latest_number)

    @property
    def published(self) -> "Revision | None":
        """The latest published revision, from the database."""
        return None if self.published_number is None else self.revisions.get(number=self.published_number)

    @property
    def leaves_at(self) -> datetime | None:
        """When what is in the trash goes for good."""
        return None if self.deleted_at is None else self.deleted_at + timedelta(TRASHED_DAYS)

    @property
    def tag_names(self) -> list[str]:
        """Its tags in their order."""
        return sorted(tag.name for tag in self.tags.all())

    def label(self, owner: str, tags: Iterable[str]) -> None:
        """Set the owner and the tags, and what the search finds it by."""
        self.owner = owner
        self.save(update_fields=["owner"])
        self.tags.set([Tag.objects.get_or_create(team=self.team, name=name)[0] for name in tags])
        self.index(self.latest.definition)

    def describe(self, resolved: Resolved) -> None:
        """Repeat in this row what lists show of the definition; the caller saves it."""
        api = resolved.api
        found = findings_of(resolved)
        self.name, self.description = api.name, api.description
        if self.is_api:
            self.method = self.path = ""
            self.target = f"{len(api.routes):,} route{'' if len(api.routes) == 1 else 's'}"
        else:
            self.method, self.path = api.routes[0].method, api.routes[0].path
            self.backend, self.target = backend_and_target(api)
        self.errors, self.failures, self.ignored, self.advice = (
            sum(finding.severity is severity for finding in found) for severity in Severity
        )
        self.rules_version = RULES_VERSION

    def save_revision(
        self,
        definition: Api | Composition,
        author: User | None,
        message: str = "",
        parked: dict[str, Any] | None = None,
        *,
        onto: int | None = None,
    ) -> "Revision":
        """Append a revision, and make it the latest. The integration, or with a composition the API, may be new.

        `onto`: the number of the revision that the change was made on; raises StaleBase when another has come since.
        """
        text = stored(definition)
        with transaction.atomic():
            new = self.pk is None
            if not new:
                self.latest_number = Integration.objects.select_for_update().get(pk=self.pk).latest_number
            elif isinstance(definition, Composition):
                self.backend = API
            if onto is not None and onto != self.latest_number:
                raise StaleBase(self.latest_number)
            self.latest_number += 1
            self.updated_at = timezone.now()
            whole = resolved(definition)
            self.describe(whole)
            self.save(update_fields=None if new else ["latest_number", "updated_at", *DESCRIBED])
            found = [] if new else outcomes(self.cases.all(), whole.api)
            revision = self.revisions.create(
                number=self.latest_number,
                cases_run=len(found),
                cases_failed=len(failures(found)),
                definition=text,
                sha256=digest(text),
                parked=parked or {},
                author=author,
                message=message,
                created_at=self.updated_at,
            )
            if isinstance(definition, Composition):
                keep_uses(revision, definition)
            self.index(text)
        return revision

    def publish(self, revision: "Revision", by: User | None) -> list[Finding]:
        """Mark a revision; pipelines get the latest that is marked.

        Returns its errors and the cases that fail, as findings: if there is one, nothing is changed. APIs with routes that
        follow it are checked again where a list shows them next.
        """
        found = revision.resolved
        errors = [finding for finding in findings_of(found) if finding.blocks] + failures(outcomes(self.cases.all(), found.api))
        if not errors:
            with transaction.atomic():
                before = Integration.objects.select_for_update().get(pk=self.pk).published_number
                self.published_number = max(revision.number, before or 0)
                self.save(update_fields=["published_number"])
                following = RouteUse.objects.filter(integration=self, pin=None).values("revision__integration")
                Integration.objects.filter(pk__in=following).update(rules_version="")
                if revision.published_at is None:
                    revision.published_at, revision.published_by = timezone.now(), by
                    revision.save(update_fields=["published_at", "published_by"])
        return errors

    def searched(self, definition: str, tags: list[str]) -> str:
        """What the search finds this by, with those tags."""
        labels = [self.name, self.slug, self.method, self.path, self.target, self.owner, self.description]
        return searched_text(definition, labels + tags)

    def index(self, definition: str) -> None:
        """Keep what the search finds this by; for after a change of the definition, the tags or the owner."""
        text = self.searched(definition, [tag.name for tag in self.tags.all()])
        SearchText.objects.update_or_create(integration=self, defaults={"text": text})

    def trash(self, by: User) -> None:
        """Move it to the trash, from where it comes back for TRASHED_DAYS."""
        self.deleted_at, self.deleted_by = timezone.now(), by
        self.save(update_fields=["deleted_at", "deleted_by"])

    def restore(self) -> None:
        """Take it back from the trash; under another slug where somebody took its own meanwhile."""
        with transaction.atomic():
            self.slug = free_slug(self.team, self.slug)
            self.deleted_at = self.deleted_by = None
            self.save(update_fields=["slug", "deleted_at", "deleted_by"])
            self.index(self.latest.definition)


def free_slug(team: Team, wanted: str) -> str:
    """A slug that no integration of the team's catalog has: the wanted one, or with a number behind it."""
    taken = set(
        Integration.objects.filter(ALIVE, team=team, slug__startswith=wanted[: SLUG_LENGTH - 6]).values_list("slug", flat=True)
    )
    numbered = (f"{wanted[: SLUG_LENGTH - 6]}-{number}" for number in itertools.count(2))
    return next(slug for slug in itertools.chain([wanted], numbered) if slug not in taken)


class SearchText(models.Model):
    """What the search finds an integration by, apart from it so that lists read no long text. See migration 0002."""

    integration = models.OneToOneField(Integration, models.CASCADE, primary_key=True, related_name="+")
    text = models.TextField()

    def __str__(self) -> str:
        return f"of {self.integration_id}"


class StaleBase(Exception):
    """Somebody else has saved since: `latest` is the number of their revision. Nothing was saved."""

    def __init__(self, latest: int) -> None:
        super().__init__(f"r{latest} has come since.")
        self.latest = latest


class Revision(models.Model):
    """A saved definition: canonical JSON, never changed, never deleted with its integration alive."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    definition = models.TextField()
    sha256 = models.CharField(max_length=64)
    parked = models.JSONField(default=dict, blank=True)
    """Values that a switch of the backend hid: not hashed, not exported, offered back."""
    message = models.TextField(blank=True)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    cases_run = models.PositiveIntegerField(default=0)
    cases_failed = models.PositiveIntegerField(default=0)
    """How the integration's cases went when it was saved."""

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "number"], name="one_revision_of_a_number")]

    def __str__(self) -> str:
        return f"r{self.number}"

    @property
    def value(self) -> Api | Composition:
        """What is stored: the definition of an integration, or the composition of an API."""
        return value_of(self.definition)

    @property
    def resolved(self) -> Resolved:
        """The definition as a value; of an API, with its integrations in place as they are now. See `resolved`."""
        return resolved(self.value)

    @property
    def api(self) -> Api:
        """The definition as a value; of an API, with its integrations in place as they are now."""
        return self.resolved.api


def stored(definition: Api | Composition) -> str:
    """The canonical JSON of either."""
    return composition.dumps(definition) if isinstance(definition, Composition) else dumps(definition)


def value_of(text: str) -> Api | Composition:
    """What a stored text holds."""
    return composition.loads(text) if composition.is_composition(text) else loads(text)


def resolved(definition: Api | Composition) -> Resolved:
    """A composition on the revisions that the catalog has now, in three queries; a definition as it is."""
    if isinstance(definition, Api):
        return Resolved(definition)
    return composition.resolve(definition, sources_of([definition]))


def findings_of(resolved: Resolved) -> list[Finding]:
    """What the rules say of it, and what there is to say of how it was composed; worst first."""
    return worst_first([*resolved.findings, *check(resolved.api)])


def sources_of(compositions: Iterable[Composition]) -> dict[tuple[int, int | None], Source]:
    """The revisions that compositions use, as `composition.resolve` wants them; in three queries at most, trash included."""
    wanted = {(use.integration, use.pin) for each in compositions for use in each.uses}
    if not wanted:
        return {}
    heads = Integration.objects.filter(pk__in={key for key, _ in wanted})
    entries = {head[0]: head for head in heads.values_list("pk", "slug", "name", "latest_number", "published_number")}
    numbers = {
        (key, pin): pin or entries[key][4] or entries[key][3] for key, pin in wanted if key in entries
    }  # what is followed is shown as it is latest where nothing is published
    pairs = {(key, number) for (key, _), number in numbers.items()}
    found = Revision.objects.filter(
        integration__in={key for key, _ in pairs}, number__in={number for _, number in pairs}
    ).values_list("pk", "integration_id", "number")
    keys = [pk for pk, key, number in found if (key, number) in pairs]
    texts = Revision.objects.filter(pk__in=keys).values_list("integration_id", "number", "definition")
    apis = {(key, number): loads(text) for key, number, text in texts}
    return {
        (key, pin): Source(entries[key][1], entries[key][2], number, apis[key, number], bool(pin or entries[key][4]))
        for (key, pin), number in numbers.items()
        if (key, number) in apis
    }


def latest_revisions(entries: Iterable[Integration]) -> dict[int, Revision]:
    """The latest revision of each, by the key of the integration; in one query."""
    wanted = {entry.pk: entry.latest_number for entry in entries}
    revisions = Revision.objects.filter(integration__in=wanted, number__in=set(wanted.values()))
    return {revision.integration_id: revision for revision in revisions if wanted[revision.integration_id] == revision.number}


def recheck(entries: Iterable[Integration]) -> int:
    """Count the findings of those again whose counts an earlier version of the rules made; how many they were."""
    stale = [entry for entry in entries if entry.rules_version != RULES_VERSION]
    revisions = latest_revisions(stale)
    for entry in stale:
        entry.describe(revisions[entry.pk].resolved)
    Integration.objects.bulk_update(stale, DESCRIBED)
    return len(stale)


class Draft(models.Model):
    """One person's unsaved edit of an integration, kept at each check."""

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="drafts")
    user = models.ForeignKey(User, models.CASCADE, related_name="drafts")
    base = models.ForeignKey(Revision, models.CASCADE, related_name="+")
    """The revision that the edit began from."""
    counter = models.PositiveIntegerField(default=0)
    """Counts the checks: one that comes with an older count is from a stale tab, and is not kept."""
    posted = models.JSONField(default=dict)
    """The form as typed, what no type can hold included."""
    definition = models.TextField(blank=True)
    """Canonical JSON of what was typed, as far as a definition can hold it."""
    parked = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["integration", "user"], name="one_draft_each")]

    def __str__(self) -> str:
        return f"{self.user}'s draft of {self.integration}"


BACKENDS = {
    API: "API",
    "lambda": "Lambda",
    "http": "HTTP",
    "private": "HTTP over VPC link",
    "sqs": "SQS",
    "states": "Step Functions",
    "dynamodb": "DynamoDB",
    "s3": "S3",
    "events": "EventBridge",
    "sns": "SNS",
    "aws": "Another AWS service",
    "mock": "Mock",
    "raw": "Raw URI",
}
"""What lists call a backend, by its Integration.backend. AWS services that they do not tell apart are "aws"."""


def backend_and_target(api: Api) -> tuple[str, str]:
    """What lists call the backend (lambda, http, private, sqs, …, mock), and where it leads."""
    integration = api.routes[0].integration
    match integration.backend:
        case Lambda(function=function):
            return "lambda", function
        case Http(url=url):
            return "private" if integration.vpc_link or integration.connection_type == "VPC_LINK" else "http", url
        case AwsService(service=service):
            return service if service in BACKENDS else "aws", integration.uri
        case Mock():
            return "mock", ""
        case Raw():
            return "raw", integration.uri


SEARCHED_LENGTH = 20_000
"""How many characters of its options and templates an integration is found by."""


def folded(text: str) -> str:
    """As the search compares: compatibility forms and case make no difference."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\0", "")


def leaves(value: Any) -> Iterator[str]:
    """The keys and the scalars of a JSON value, depth first."""
    match value:
        case dict():
            for key, inner in value.items():
                yield key
                yield from leaves(inner)
        case list():
            for inner in value:
                yield from leaves(inner)
        case None | bool():
            return
        case _:
            yield str(value)


def searched_text(definition: str, labels: Iterable[str]) -> str:
    """All that an integration is found by, folded: its labels, and the options, values and templates of its definition.

    Three letters and more are found anywhere in it. For one and two, which no trigram holds, the words of the labels stand
    once more behind two spaces each: "  get  books" holds "  g" and " bo".
    """
    shown = folded("\n".join(labels))
    words = dict.fromkeys(re.findall(r"[^\W_]+", shown))
    return "\n".join(
        [
            shown,
            folded("\n".join(leaves(json.loads(definition)))[:SEARCHED_LENGTH]),
            "".join(f"  {word}" for word in words),
        ]
    )
