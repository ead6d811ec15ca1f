"""Files of an integration: of what is published, which pipelines read too; of one revision; of one's draft."""

import hashlib

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from integrations.accounts import token_of
from integrations.gateway.definition import Api
from integrations.gateway.formats import FORMATS
from integrations.models import Draft, Integration, Revision, Token, record, resolved, value_of
from integrations.policy import get_for_pipeline, get_integration
from integrations.stamps import filename, stamped

UNKNOWN_TOKEN = "This token is not valid: it is unknown, expired or revoked. Ask an admin of the team for a new one."
NO_TOKEN = "Show a token of the team as `Authorization: Bearer TOKEN`. Its admins make one in the team's settings."


@login_not_required
@require_safe
def export(request: HttpRequest, team: str, slug: str, format: str, number: int | None = None) -> HttpResponseBase:
    """The latest published revision as a file, or that of a number. Its address stays; pipelines show a token of the team,
    and get what was published."""
    token = token_of(request)
    actor: User | Token
    if token is not None:
        try:
            integration, actor = get_for_pipeline(token, team, slug), token
        except Http404:
            return said(
                404, f"The team of this token has no integration {team}/{slug}. Look at the address, and whose token it is."
            )
    elif "Authorization" in request.headers:
        return said(401, UNKNOWN_TOKEN)
    elif isinstance(request.user, User):
        integration, actor = get_integration(request.user, team, slug, may="export")[0], request.user
    elif "text/html" in request.headers.get("Accept", ""):
        return redirect_to_login(request.get_full_path())
    else:
        return said(401, NO_TOKEN)
    revision = integration.published if number is None else integration.revisions.filter(number=number).first()
    if revision is None or (token is not None and revision.published_at is None):
        which = "Nothing" if number is None else f"No r{number}"
        return said(404, f"{which} of {slug} is published. Publish a revision of it, then ask again.")
    return file(request, actor, integration, revision, revision.api, format)


@require_safe
def draft_export(request: HttpRequest, team: str, slug: str, format: str) -> HttpResponseBase:
    """What the form holds, as the last check kept it, as a file; without a draft, the latest revision."""
    integration, membership = get_integration(request.user, team, slug, may="export")
    draft = Draft.objects.filter(integration=integration, user=membership.user_id).exclude(definition="").first()
    revision = None if draft else integration.latest
    text = revision.definition if revision else draft.definition if draft else ""
    return file(request, membership.user, integration, revision, resolved(value_of(text)).api, format)


def file(
    request: HttpRequest, actor: User | Token, integration: Integration, revision: Revision | None, api: Api, format: str
) -> HttpResponseBase:
    """The definition in a format, stamped; 304 where the asker has it; 409 with the reasons where the format refuses it."""
    chosen = FORMATS.get(format)
    if chosen is None:
        return said(404, f"There is no format {format!r}. Use one of {', '.join(FORMATS)}.")
    export = chosen.dump(api)
    if export.refused:
        reasons = "".join(
            f"\n- {'.'.join(map(str, finding.path))}: {finding.message}" for finding in export.findings if finding.blocks
        )
        return said(409, f"{integration.slug} {revision or 'draft'} cannot be said in {chosen.label}:{reasons}")
    body = stamped(export, chosen, integration, revision, api).encode()
    response = HttpResponse(body, content_type=f"{chosen.media_type}; charset=utf-8")
    response["ETag"] = f'"{hashlib.sha256(body).hexdigest()}"'
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Authorization", "Cookie"])
    response["Content-Disposition"] = str(content_disposition_header(True, filename(export, integration)))
    answer = get_conditional_response(request, response["ETag"], None, response)
    if request.method == "GET" and answer is response:
        subject = f"{integration.slug} {revision or 'draft'}"
        record(integration.team, actor, "exported", subject, integration, format=format)
    return answer or response


def said(status: int, text: str) -> HttpResponse:
    """An answer in plain words."""
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    patch_vary_headers(response, ["Authorization", "Cookie"])
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Gatehouse"'
    return response
