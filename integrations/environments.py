"""The form of an environment: what may be typed, and what is wrong with it while somebody types."""

import ipaddress
import re
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from integrations.gateway.grammar import PLAIN_PATH_PART, REFERENCE_NAME, path_parts
from integrations.gateway.rules.secrets import secret_in
from integrations.models import NAME_LENGTH, Access, Environment, Placement, Team

RESERVED = ("new",)
"""Slugs that would hide a page of the settings."""
ROLE = re.compile(r"arn:(?P<partition>aws[\w-]*):iam::(?P<account>\d{12}):role/[\w+=,.@/-]{1,512}", re.ASCII)
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""How the regions of a partition begin; all others are in aws."""
PLAIN = {"autocomplete": "off", "spellcheck": "false"}
CODE = PLAIN | {"class": "mono"}
VALUE_LENGTH = 20_000
"""Characters of a value: no option of API Gateway takes more than a template has."""


if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Environment]
else:
    ModelForm = forms.ModelForm


class EnvironmentForm(ModelForm):
    """An environment of a team, without a field for any secret."""

    account = forms.CharField(
        help_text="Twelve digits. Before anything is read or changed, AWS is asked whether this is the account.",
        error_messages={"required": "Give the account, twelve digits."},
        widget=forms.TextInput(CODE | {"inputmode": "numeric"}),
    )

    class Meta:
        model = Environment
        fields = (
            "name",
            "account",
            "region",
            "access",
            "profile",
            "role_arn",
            "external_id",
            "endpoint",
            "stage_name",
            "protected",
        )
        labels: ClassVar = {
            "access": "Way in",
            "role_arn": "Role",
            "external_id": "External id",
            "stage_name": "Stage",
            "protected": "Protected",
        }
        help_texts: ClassVar = {
            "name": "As you speak of it: dev, prod.",
            "access": "Gatehouse keeps no key: boto3 finds the credentials where the server and its worker run.",
            "profile": "As the server's AWS configuration calls it. With a role: what assumes it; empty is the default chain.",
            "role_arn": "Its sessions are named after the person and the operation, so that CloudTrail tells who it was.",
            "external_id": "For the role's trust policy, so that nobody else's Gatehouse can be led to it. Not a secret.",
            "endpoint": "Only for a stand-in such as LocalStack, or an interface endpoint. Empty is AWS.",
            "stage_name": "The stage that a deployment makes or moves. It takes the place of the definition's own.",
            "protected": "Takes published revisions only. Who applies types the stage's name, and a second person approves.",
        }
        error_messages: ClassVar = {
            "name": {"required": "Give it a name, such as dev."},
            "region": {"required": "Give a region, such as eu-west-1."},
            "stage_name": {"required": "Give a stage, such as live."},
        }
        widgets: ClassVar = {
            "name": forms.TextInput(PLAIN),
            "region": forms.TextInput(CODE | {"list": "regions"}),
            "profile": forms.TextInput(CODE),
            "role_arn": forms.TextInput(CODE),
            "external_id": forms.TextInput(CODE),
            "endpoint": forms.TextInput(CODE),
            "stage_name": forms.TextInput(CODE),
        }

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.team = team
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"{self[name].auto_id}_helptext {self[name].auto_id}_error"

    def clean_name(self) -> str:
        """A name whose slug no other environment of the team has."""
        name = str(self.cleaned_data["name"])
        slug = self.instance.slug or slugify(name)[:40].strip("-")
        if not slug:
            raise ValidationError("Use at least one letter or digit: the environment's address comes from it.")
        if slug in RESERVED:
            raise ValidationError(f"Choose another name: {slug} is an address of this page.")
        twin = Environment.objects.filter(team=self.instance.team, slug=slug).exclude(pk=self.instance.pk).first()
        if twin:
            raise ValidationError(f"{twin.name} stands at {slug} already. Choose another name.")
        self.instance.slug = slug
        return name

    def clean_account(self) -> str:
        """Twelve digits, however they were grouped."""
        account = re.sub(r"[\s-]", "", str(self.cleaned_data["account"]))
        if not re.fullmatch(r"\d{12}", account, re.ASCII):
            raise ValidationError("Give twelve digits: the account's id, not its alias.")
        return account

    def clean_region(self) -> str:
        """The shape of a region; AWS adds regions, so no list says which there are."""
        region = str(self.cleaned_data["region"]).strip()
        if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", region, re.ASCII):
            raise ValidationError("Give a region as AWS calls it, such as eu-west-1.")
        return region

    def clean_role_arn(self) -> str:
        """The ARN of a role."""
        arn = str(self.cleaned_data["role_arn"]).strip()
        if arn and not ROLE.fullmatch(arn):
            raise ValidationError("Give the ARN of a role: arn:aws:iam::123456789012:role/GatehouseDeployer.")
        return arn

    def clean_external_id(self) -> str:
        """What STS takes (AssumeRole)."""
        given = str(self.cleaned_data["external_id"]).strip()
        if given and not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", given, re.ASCII):
            raise ValidationError("Use letters, digits and + = , . @ : / - _ only, two or more.")
        return given

    def clean_endpoint(self) -> str:
        """A URL without credentials. What leaves this machine or its network is encrypted."""
        endpoint = str(self.cleaned_data["endpoint"]).strip()
        if not endpoint:
            return ""
        try:
            parts = urlsplit(endpoint)
            good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
        except ValueError:
            good = False
        if not good:
            raise ValidationError("Give a URL, such as http://127.0.0.1:4566.")
        if parts.username or parts.password:
            raise ValidationError("Leave the user and the password out: nothing secret is kept here.")
        if parts.query or parts.fragment:
            raise ValidationError("Leave out what follows the ? or #.")
        if parts.scheme == "http" and not is_near(parts.hostname or ""):
            raise ValidationError("Use https: calls to this host would leave the network unencrypted.")
        return endpoint.rstrip("/")

    def clean_stage_name(self) -> str:
        """What API Gateway takes (CreateStage)."""
        stage = str(self.cleaned_data["stage_name"]).strip()
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", stage, re.ASCII):
            raise ValidationError("Use letters, digits, _ and - only, 128 or less.")
        return stage

    def clean(self) -> dict[str, Any]:
        """What the way in needs; a role of the environment's own account and partition."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("name", "profile", "external_id"):
            if kind := secret_in(given.get(name, "")):
                self.add_error(name, f"This looks like {a(kind)}. No secret is kept here: it was not saved.")
        access = given.get("access")
        if access == Access.PROFILE and "profile" in given and not given["profile"]:
            self.add_error("profile", "Name the profile.")
        if access == Access.ROLE and "role_arn" in given and not given["role_arn"]:
            self.add_error("role_arn", "Give the ARN of the role.")
        arn = ROLE.fullmatch(given.get("role_arn", ""))
        if arn and access == Access.ROLE:
            if given.get("account") and arn["account"] != given["account"]:
                self.add_error(
                    "role_arn",
                    f"This role is of account {arn['account']}, the environment of {given['account']}. Use one of its own.",
                )
            wanted = partition(given.get("region", ""))
            if given.get("region") and arn["partition"] != wanted:
                self.add_error("role_arn", f"{given['region']} is in the partition {wanted}: the ARN begins arn:{wanted}:iam.")
        return given


def partition(region: str) -> str:
    """The partition that a region is in."""
    return next((name for start, name in PARTITIONS.items() if region.startswith(start)), "aws")


def a(kind: str) -> str:
    """With its article."""
    return f"an {kind}" if kind[0] in "AEIOU" else f"a {kind}"


def is_near(host: str) -> bool:
    """Whether a host is this machine, or on its private network by address or by a name without a dot."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
    return address.is_loopback or address.is_private


def values_from(names: list[str], values: list[str]) -> tuple[dict[str, str], dict[int, str]]:
    """Names and values of rows → parameter → value, and number of a row → what is wrong with it. An empty row is none.

    A value keeps its spaces: it is what a definition gets in the place of the reference.
    """
    found: dict[str, str] = {}
    wrong: dict[int, str] = {}
    for index, (name, value) in enumerate(zip(names, values, strict=False)):
        name = name.strip()
        if not name and not value:
            continue
        if not REFERENCE_NAME.fullmatch(name) or name.startswith("AWS::") or len(name) > NAME_LENGTH:
            wrong[index] = (
                "Name the parameter as definitions refer to it, without ${ }: letters, digits and dots, a letter first."
            )
        elif name in found:
            wrong[index] = f"{name} stands in a row above. Keep one of them."
        elif len(value) > VALUE_LENGTH:
            wrong[index] = f"Use {VALUE_LENGTH:,} characters or less."
        elif kind := secret_in(value):
            wrong[index] = f"This looks like {a(kind)}. No secret is kept here: let the backend add it, or use a role."
        else:
            found[name] = value
    return found, wrong


class PlacementForm(forms.Form):
    """What an integration is called in an environment."""

    where = forms.ChoiceField(
        label="REST API",
        choices=[("new", "One of its own, made at the first deployment"), ("existing", "One that exists")],
        widget=forms.RadioSelect,
    )
    rest_api_id = forms.CharField(
        label="Id", required=False, widget=forms.TextInput(CODE), help_text="Ten letters and digits, as the console shows it."
    )
    owned = forms.ChoiceField(
        label="Gatehouse owns",
        choices=[
            ("method", "Its methods alone: nothing else of the API is touched"),
            ("whole", "The whole API: its settings follow the definition"),
        ],
        widget=forms.RadioSelect,
    )
    path = forms.CharField(
        label="Path",
        required=False,
        widget=forms.TextInput(CODE),
        help_text="Where its method stands there. Empty is the path of its mount.",
    )

    def __init__(self, data: Any = None, *, placement: Placement) -> None:
        initial = {
            "where": "existing" if placement.rest_api_id else "new",
            "rest_api_id": placement.rest_api_id,
            "owned": "whole" if placement.whole and placement.rest_api_id else "method",
            "path": placement.path,
        }
        super().__init__(data, initial=initial)
        self.placement = placement

    def clean_rest_api_id(self) -> str:
        """The shape of an id."""
        given = str(self.cleaned_data["rest_api_id"]).strip()
        if given and not re.fullmatch(r"[a-z0-9]{1,64}", given, re.ASCII):
            raise ValidationError("Give the id, not the name: small letters and digits.")
        return given

    def clean_path(self) -> str:
        """A path as API Gateway takes it."""
        path = str(self.cleaned_data["path"]).strip()
        if path and not path.startswith("/"):
            raise ValidationError("Begin it with a slash: /orders/{id}.")
        if any(part.variable is None and not PLAIN_PATH_PART.fullmatch(part.text) for part in path_parts(path)):
            raise ValidationError("Use letters, digits and . _ : - in each part, or a {variable}.")
        return path

    def clean(self) -> dict[str, Any]:
        """An API that exists has an id; what runs stays where it is."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("where") == "existing" and "rest_api_id" in given and not given["rest_api_id"]:
            self.add_error("rest_api_id", "Give the id of the REST API.")
        moved = given.get("where") == "new" or given.get("rest_api_id") != self.placement.rest_api_id
        if self.placement.live and (moved or given.get("path") != self.placement.path):
            raise ValidationError("It runs there: destroy that first, or it would stay behind with nobody to look after it.")
        return given

    def apply(self) -> None:
        """Put what was given into the placement; the caller saves it."""
        given = self.cleaned_data
        new = given["where"] == "new"
        self.placement.rest_api_id = "" if new else given["rest_api_id"]
        self.placement.whole = new or given["owned"] == "whole"
        self.placement.path = given["path"]
