"""The one app."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Integrations, their teams, and their screens."""

    name = "integrations"
    verbose_name = "Integrations"
