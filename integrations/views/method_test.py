"""A call of a method in an account, by API Gateway's own test: the real backend answers, and the log is laid out by stage."""

import re
from typing import Any
from urllib.parse import parse_qsl

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from integrations.aws import AwsError
from integrations.deployment import MethodCall, invoke, placed
from integrations.environments import CODE
from integrations.gateway.definition import Api, Route
from integrations.gateway.execution_log import stages_of
from integrations.gateway.simulator import Request
from integrations.gateway.tested import compare
from integrations.models import record
from integrations.views.deploy import get_placement
from integrations.views.history import about

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
SHOWN = 20_000
"""Characters of a body that the page shows."""


class MethodForm(forms.Form):
    """What to send."""

    route = forms.ChoiceField(label="Method")
    method = forms.ChoiceField(label="As", choices=[(method, method) for method in METHODS], help_text="Where it takes any.")
    path = forms.CharField(
        widget=forms.TextInput(CODE),
        help_text="With values in the place of variables, and the query: /orders/7?all=1",
    )
    headers = forms.CharField(
        required=False,
        widget=forms.Textarea(CODE | {"rows": 3}),
        help_text="One a line, as Accept: text/plain. No secrets: API Gateway writes them into its log.",
    )
    body = forms.CharField(required=False, strip=False, widget=forms.Textarea(CODE | {"rows": 6}))

    def __init__(self, data: Any, api: Api) -> None:
        self.routes = {f"{route.method} {route.path}": route for route in api.routes}
        first = api.routes[0]
        super().__init__(data, initial={"path": first.path, "method": first.method if first.method in METHODS else "GET"})
        self.fields["route"].choices = [(name, name) for name in self.routes]  # type: ignore[attr-defined]

    def clean_path(self) -> str:
        """A path from the root."""
        path = str(self.cleaned_data["path"])
        if not path.startswith("/"):
            raise ValidationError("Begin it with a slash.")
        return path

    def clean_headers(self) -> dict[str, list[str]]:
        """Name → values."""
        found: dict[str, list[str]] = {}
        for line in str(self.cleaned_data["headers"]).splitlines():
            name, colon, value = line.partition(":")
            if not line.strip():
                continue
            if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name.strip()):
                raise ValidationError(f"Write each header as Name: value, and not {line.strip()[:60]}.")
            found.setdefault(name.strip(), []).append(value.strip())
        return found

    @property
    def chosen(self) -> Route:
        """The route that is called."""
        return self.routes[self.cleaned_data["route"]]

    @property
    def call(self) -> MethodCall:
        """What is asked."""
        given, route = self.cleaned_data, self.chosen
        method = given["method"] if route.method == "ANY" else route.method
        return MethodCall(method, given["path"], given["headers"], given["body"].replace("\r\n", "\n"))

    @property
    def request(self) -> Request:
        """The same for the simulator."""
        call = self.call
        path, _, query = call.path.partition("?")
        values: dict[str, tuple[str, ...]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            values[name] = (*values.get(name, ()), value)
        headers = {name: tuple(each) for name, each in call.headers.items()}
        return Request(method=call.method, path=path, query=values, headers=headers, body=call.body.encode("utf-8", "replace"))


@require_http_methods(["GET", "HEAD", "POST"])
def method_test(request: HttpRequest, team: str, slug: str, environment: str) -> HttpResponse:
    """The form of a call; posted: makes it, and lays its log out by stage."""
    placement, member = get_placement(request, team, slug, environment, may="apply")
    entry = placement.integration
    api = placement.live.api if placement.live else placed(entry.latest.api, placement)
    form = MethodForm(request.POST or None, api)
    context = about(entry, member, "deploy") | {"placement": placement, "environment": placement.environment, "form": form}
    if not placement.rest_api_id:
        context["said"] = f"{entry.name} stands in no REST API of {placement.environment.name} yet: deploy it first."
    elif request.method == "POST" and form.is_valid():
        try:
            answer = invoke(placement, form.chosen, form.call, member.user.get_username())
        except AwsError as error:
            context["said"] = str(error)
        else:
            record(
                member.team,
                member.user,
                "tested",
                f"{slug} in {placement.environment.name}",
                entry,
                call=form.cleaned_data["route"],
            )
            body = str(answer.get("body") or "")
            context |= {
                "answer": answer,
                "answer_headers": {name: ", ".join(values) for name, values in (answer.get("multiValueHeaders") or {}).items()},
                "body": body[:SHOWN],
                "cut": len(body) > SHOWN,
                "stages": stages_of(str(answer.get("log") or "")),
                "comparison": compare(api, list(form.routes).index(form.cleaned_data["route"]), form.request, answer),
            }
    return render(
        request, "deploy/test.html", context, status=422 if form.errors or (context.get("said") and request.POST) else 200
    )
