"""The check of a form as it is typed, against a bare view of the same site in the same run.

    python benchmarks/check.py [--rounds 100] [FORMAT… | simulated]

Both go through all middleware, in this process, and take turns while one format is open. The bare view reads the session and
asks the database one thing. The check posts the whole form with another timeout each time: it is read, kept as the draft,
judged by all rules, exported in the open tab's format, and answered with what changed on the page.
Goal: at most 4 times the bare view. "simulated" is the same with another template each time, so that the open sample's whole
trace comes along; goal: under 50 ms.
"""

import argparse
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import lines, medians

RECIPE = "sqs-send-message"
FIELD = "integration-timeout_ms"
TEMPLATE = "integration-request_templates-0-value"
SIMULATED = "simulated"
BARE = "bare view"
PART = re.compile(r' data-part="([^":]+):([^"]+)"')
"""What a part of the page shows, as the page sends it back so that it is not sent again."""


def setting_up() -> None:
    """Django, with a database of this run."""
    place = tempfile.mkdtemp(prefix="gatehouse-")
    os.environ |= {
        "DATABASE_URL": f"sqlite:///{place}/check.sqlite3",
        "DJANGO_SETTINGS_MODULE": "configurator.settings",
        "SECRET_KEY": "benchmark",
    }
    import django

    django.setup()
    logging.disable()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def tasks() -> dict[str, Callable[[], object]]:
    """The bare view, and a check with each format open, by name. The integration is the recipe of an SQS queue."""
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse
    from django.test import Client
    from django.urls import include, path, reverse

    from configurator.urls import urlpatterns
    from integrations.forms import VERSION, WHOLE, IntegrationForm
    from integrations.gateway.formats import FORMATS
    from integrations.gateway.recipes import RECIPES
    from integrations.models import Integration, Membership, Role, Team
    from integrations.samples import PREFIX, Sample

    def bare(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{request.user.pk} {Integration.objects.get(slug=RECIPE).name}")

    urlpatterns.append(path("", include([path("bare", bare)])))
    user, team = User.objects.create_user("ada"), Team.objects.create(slug="storefront", name="Storefront")
    Membership.objects.create(team=team, user=user, role=Role.EDITOR)
    api = RECIPES[RECIPE].api
    Integration(team=team, slug=RECIPE).save_revision(api, user)
    client = Client(SERVER_NAME="localhost", headers={"HX-Request": "true"})
    client.force_login(user)
    address = reverse("integration-check", args=(team.slug, RECIPE))
    page = {WHOLE: VERSION, "base": "1", "seen": "0", "tab": "benchmark", "touched": FIELD, "typing": FIELD}
    posted = IntegrationForm.of(api).posted
    [template] = posted[TEMPLATE]
    fields = urlencode({name: texts for name, texts in posted.items() if name not in (FIELD, TEMPLATE)} | page, doseq=True)
    sample = Sample.example(api)
    simulating = {
        f"{PREFIX}method": sample.method,
        f"{PREFIX}path": sample.path,
        f"{PREFIX}body": sample.body,
        f"{PREFIX}headers-name": [name for name, _ in sample.headers],
        f"{PREFIX}headers-value": [value for _, value in sample.headers],
        f"{PREFIX}answer": sample.answer,
    }
    counter = 0
    marks: dict[str, str] = {}

    def check(format: str) -> None:
        nonlocal counter
        counter += 1
        parts = " ".join(map(":".join, marks.items()))
        own: dict[str, object] = {"counter": counter, "format": format, FIELD: 3_000, TEMPLATE: template, "parts": parts}
        if format == SIMULATED:
            own |= simulating | {"format": next(iter(FORMATS)), TEMPLATE: f"{template}&Round={counter}"}
        else:
            own[FIELD] = 3_000 + counter
        answer = client.post(address, f"{fields}&{urlencode(own, doseq=True)}", content_type="application/x-www-form-urlencoded")
        text = answer.content.decode()
        assert answer.status_code == 200, answer.status_code
        assert format != SIMULATED or f"Round={counter}" in text.partition('id="trace"')[2]
        marks.update(PART.findall(text))

    return {BARE: partial(client.get, "/bare")} | {f"check, {name}": partial(check, name) for name in (*FORMATS, SIMULATED)}


def main() -> None:
    """Print two lines a format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help="the formats that are open; all, where none is named")
    arguments = parser.parse_args()
    setting_up()
    found = tasks()
    bare = found.pop(BARE)
    for name, task in found.items():
        if not arguments.formats or name.removeprefix("check, ") in arguments.formats:
            print(lines(medians({BARE: bare, name: task}, arguments.rounds), BARE))


if __name__ == "__main__":
    main()
