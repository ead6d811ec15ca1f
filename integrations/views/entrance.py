"""The ways in besides a password: a one-time sign-in link, an invitation."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from integrations.accounts import find_sign_in_link, use_up


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
