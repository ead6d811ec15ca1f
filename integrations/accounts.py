"""How people and pipelines get in: secrets that are shown once and kept as hashes, and no open sign-up."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ChangePasswordForm, LoginForm, ResetPasswordForm, ResetPasswordKeyForm, SetPasswordForm
from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from integrations.models import Invitation, Role, SignInLink, Team, Token

TOKEN_PREFIX = "gatehouse_"
"""What scanners for leaked secrets look for."""


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closes open sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by themselves."""
        return False


class Plain(forms.BaseForm):
    """allauth's forms repeat each label inside of its input, where it is gone as soon as somebody types."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class SignIn(Plain, LoginForm):  # type: ignore[misc]
    """With a label that says what may be typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Username or email"
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class ChangePassword(Plain, ChangePasswordForm):  # type: ignore[misc]
    """Old and new."""


class SetPassword(Plain, SetPasswordForm):  # type: ignore[misc]
    """The first one."""


class ResetPassword(Plain, ResetPasswordForm):  # type: ignore[misc]
    """Asks for a mail."""


class ResetPasswordKey(Plain, ResetPasswordKeyForm):  # type: ignore[misc]
    """What the mail leads to."""


def new_secret() -> str:
    """256 random bits for a URL or a header."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """What is kept of a secret. One plain SHA-256: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_sign_in_link(user: User, valid_for: timedelta) -> str:
    """The secret of a new link that signs `user` in, once."""
    secret = new_secret()
    SignInLink.objects.create(user=user, secret_hash=hashed(secret), expires_at=timezone.now() + valid_for)
    return secret


def find_sign_in_link(secret: str) -> SignInLink | None:
    """The link of that secret, while it can still be used."""
    return (
        SignInLink.objects.filter(secret_hash=hashed(secret), used_at=None, expires_at__gt=timezone.now(), user__is_active=True)
        .select_related("user")
        .first()
    )


def use_up(link: SignInLink) -> bool:
    """Whether this call is the one that used the link."""
    return bool(SignInLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now()))


def invite(team: Team, role: Role, by: User | None, valid_for: timedelta, note: str = "") -> tuple[Invitation, str]:
    """A new invitation, and its secret."""
    secret = new_secret()
    invitation = Invitation.objects.create(
        team=team, role=role, note=note, created_by=by, secret_hash=hashed(secret), expires_at=timezone.now() + valid_for
    )
    return invitation, secret


def make_token(team: Team, name: str, by: User, valid_for: timedelta) -> tuple[Token, str]:
    """A new token of the team, and its secret."""
    secret = TOKEN_PREFIX + new_secret()
    token = Token.objects.create(
        team=team, name=name, created_by=by, secret_hash=hashed(secret), expires_at=timezone.now() + valid_for
    )
    return token, secret


def find_token(secret: str) -> Token | None:
    """The token of that secret while it is valid, its last use noted to the minute."""
    now = timezone.now()
    token = Token.objects.filter(secret_hash=hashed(secret), revoked_at=None, expires_at__gt=now).select_related("team").first()
    if token and (token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1)):
        token.last_used_at = now
        token.save(update_fields=["last_used_at"])
    return token


def token_of(request: HttpRequest) -> Token | None:
    """The valid token that a request shows as `Authorization: Bearer …`."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return find_token(secret.strip()) if scheme.lower() == "bearer" and secret.strip() else None
