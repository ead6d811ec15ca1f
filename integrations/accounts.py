"""How people and pipelines get in: secrets that are shown once and kept as hashes, and no open sign-up."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.forms import ChangePasswordForm, LoginForm, ResetPasswordForm, ResetPasswordKeyForm, SetPasswordForm
from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils import timezone

from integrations.models import NAME_LENGTH, Invitation, Membership, Role, SignInLink, Team, Token, record

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


class ValidFor(forms.TypedChoiceField):
    """For how many days a secret works; cleaned, a timedelta."""

    def __init__(self, days: tuple[int, ...], initial: int) -> None:
        choices = [(str(number), "1 day" if number == 1 else f"{number} days") for number in days]
        super().__init__(
            choices=choices, initial=str(initial), coerce=lambda value: timedelta(days=int(value)), label="Works for"
        )


class InvitationForm(forms.Form):
    """Whom to let in, as what, until when."""

    role = forms.ChoiceField(choices=Role.choices, initial=Role.EDITOR)
    note = forms.CharField(
        label="For", max_length=NAME_LENGTH, required=False, help_text="A name to know it by in this list. No mail is sent."
    )
    valid_for = ValidFor((1, 7, 30), 7)


class TokenForm(forms.Form):
    """What a token is for, and until when."""

    name = forms.CharField(max_length=NAME_LENGTH, help_text="What uses it: deploy pipeline, nightly check.")
    valid_for = ValidFor((30, 90, 365), 90)


class AccountForm(forms.Form):
    """A new account, for the bearer of an invitation."""

    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput({"autocomplete": "name"}))
    username = forms.CharField(max_length=150, widget=forms.TextInput({"autocomplete": "username"}))
    email = forms.EmailField(required=False, widget=forms.EmailInput({"autocomplete": "email"}), help_text="Optional.")
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="10 characters or more, and no common one.",
    )

    def clean_username(self) -> str:
        """A name that nobody has, in whatever case."""
        return str(get_adapter().clean_username(self.cleaned_data["username"]))

    def clean_email(self) -> str:
        """An address that nobody has: people sign in with it."""
        email = str(self.cleaned_data["email"])
        if email and User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("Somebody has an account with this address. Sign in to it, then open the link again.")
        return email

    def clean(self) -> dict[str, Any]:
        """A password that is not like the name."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if "password" in given:
            person = User(username=given.get("username", ""), email=given.get("email", ""), first_name=given.get("name", ""))
            try:
                validate_password(given["password"], person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return given

    def save(self) -> User:
        """The new account."""
        given = self.cleaned_data
        first, _, last = given["name"].strip().rpartition(" ")
        return User.objects.create_user(
            given["username"], given["email"], given["password"], first_name=first or last, last_name=last if first else ""
        )


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


def find_invitation(secret: str) -> Invitation | None:
    """The invitation of that secret, while it can still be accepted."""
    open_ = Invitation.objects.filter(secret_hash=hashed(secret), accepted_at=None, expires_at__gt=timezone.now())
    return open_.select_related("team", "created_by").first()


def accept(invitation: Invitation, user: User) -> bool:
    """Makes `user` a member. Whether this call is the one that used the invitation. Call it in a transaction."""
    unused = Invitation.objects.filter(pk=invitation.pk, accepted_at=None)
    if not unused.update(accepted_at=timezone.now(), accepted_by=user):
        return False
    Membership.objects.get_or_create(team=invitation.team, user=user, defaults={"role": invitation.role})
    record(invitation.team, user, "joined", str(invitation.team), role=invitation.role)
    return True


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
