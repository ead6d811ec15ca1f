"""The ways in besides a password: a one-time sign-in link, an invitation."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from integrations.accounts import AccountForm, accept, find_invitation, find_sign_in_link, use_up
from integrations.models import Invitation


@login_not_required
@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
@transaction.atomic
def sign_in_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Signs the bearer of the link in. Looking at it does not use it up: mail programs and chats open links to preview them."""
    link = find_sign_in_link(secret)
    if request.method == "POST" and link is not None and use_up(link):
        login(request, link.user, settings.AUTHENTICATION_BACKENDS[0])
        if not link.user.has_usable_password():
            messages.info(request, "This link works once. To come back without one, choose a password in the account menu.")
        return redirect("home")
    return render(request, "sign_in_link.html", {"link": link}, status=200 if link else 410)


@login_not_required
@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
@transaction.atomic
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Lets the bearer of the link into a team: with the account that is signed in, or with a new one. Looking uses nothing up."""
    found = find_invitation(secret)
    if found is None:
        return render(request, "invitation.html", status=410)
    context: dict[str, object] = {"invitation": found, "team": None}
    if isinstance(request.user, User):
        if found.team.memberships.filter(user=request.user).exists():
            return render(request, "invitation.html", context | {"already": True})
        if request.method == "POST" and accept(found, request.user):
            return welcome(request, found)
        return render(request, "invitation.html", context)
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                user = form.save()
        except IntegrityError:  # the name was free a moment ago
            form.add_error("username", "Somebody has just taken this name. Choose another one.")
            return render(request, "invitation.html", context | {"form": form}, status=422)
        if accept(found, user):
            login(request, user, settings.AUTHENTICATION_BACKENDS[0])
            return welcome(request, found)
        transaction.set_rollback(True)
    return render(request, "invitation.html", context | {"form": form}, status=422 if form.errors else 200)


def welcome(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """To the catalog of the team."""
    messages.success(request, f"Welcome to {invitation.team}. You are {invitation.get_role_display().lower()} here.")
    return redirect("catalog", invitation.team.slug)
