"""How the pages look: a form in, a cookie out."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

PREFERENCES = {
    "theme": ("light", "dark"),
    "density": ("comfortable", "compact"),
    "keys": ("off",),
}
"""What somebody may prefer, by the name of its field; the empty value goes back to the default."""

YEAR = 365 * 24 * 60 * 60


def preference(request: HttpRequest, name: str) -> str:
    """The value that somebody chose, or nothing: a cookie is anybody's to write."""
    value = request.COOKIES.get(name, "")
    return value if value in PREFERENCES[name] else ""


@login_not_required
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keeps each preference that was posted in a cookie, and goes back to where the form stood."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = resolve_url("/")
    response = HttpResponseRedirect(back)
    for name, values in PREFERENCES.items():
        value = request.POST.get(name)
        if value == "":
            response.delete_cookie(name, samesite="Lax")
        elif value in values:
            response.set_cookie(name, value, max_age=YEAR, secure=request.is_secure(), httponly=True, samesite="Lax")
    return response
