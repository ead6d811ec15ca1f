"""Who did what, when."""

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from integrations.models.catalog import Integration
from integrations.models.team import NAME_LENGTH, Team, Token


class AuditEvent(models.Model):
    """Who did what, when: append-only."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    token = models.ForeignKey(Token, models.SET_NULL, null=True, blank=True, related_name="+")
    verb = models.CharField(max_length=40)
    """created, saved, published, deprecated, restored, deleted, exported, invited, …"""
    subject = models.CharField(max_length=NAME_LENGTH)
    """What it concerned, in words that outlive it: a slug and revision, a name."""
    integration = models.ForeignKey(Integration, models.SET_NULL, null=True, blank=True, related_name="events")
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["team", "-at"], name="events_of_a_team")]

    def __str__(self) -> str:
        return f"{self.actor or self.token} {self.verb} {self.subject}"


def record(
    team: Team,
    actor: User | Token | None,
    verb: str,
    subject: str,
    integration: Integration | None = None,
    **detail: Any,
) -> AuditEvent:
    """Append an event to the team's trail."""
    who = {"token": actor} if isinstance(actor, Token) else {"actor": actor}
    return AuditEvent.objects.create(team=team, verb=verb, subject=subject, integration=integration, detail=detail, **who)
