"""Environments: what the form takes, what it says while somebody types, what is kept, and that none of it is a secret."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from integrations.environments import EnvironmentForm, is_near
from integrations.models import AuditEvent, Environment, Integration, Placement, Team
from tests.web.conftest import BOOKS
from tests.web.deployments import an_environment

GOOD: dict[str, Any] = {
    "name": "Dev EU",
    "account": "1111-2222-3333",
    "region": "eu-west-1",
    "access": "role",
    "profile": "",
    "role_arn": "arn:aws:iam::111122223333:role/ci/GatehouseDeployer",
    "external_id": "gatehouse-storefront-1",
    "endpoint": "",
    "stage_name": "live",
}

WRONG = {
    "no name": ({"name": ""}, "name", "Give it a name, such as dev."),
    "a name without letters": ({"name": "★"}, "name", "Use at least one letter or digit"),
    "a name that is an address": ({"name": "New"}, "name", "Choose another name"),
    "an alias": ({"account": "storefront-dev"}, "account", "Give twelve digits"),
    "eleven digits": ({"account": "11112222333"}, "account", "Give twelve digits"),
    "digits of another script": ({"account": "١١١١٢٢٢٢٣٣٣٣"}, "account", "Give twelve digits"),
    "a city": ({"region": "Ireland"}, "region", "Give a region as AWS calls it"),
    "no profile": ({"access": "profile"}, "profile", "Name the profile."),
    "no role": ({"role_arn": ""}, "role_arn", "Give the ARN of the role."),
    "a user": ({"role_arn": "arn:aws:iam::111122223333:user/ada"}, "role_arn", "Give the ARN of a role"),
    "a role of elsewhere": (
        {"role_arn": "arn:aws:iam::999999999999:role/Deployer"},
        "role_arn",
        "This role is of account 999999999999, the environment of 111122223333.",
    ),
    "a role of another partition": ({"region": "cn-north-1"}, "role_arn", "the ARN begins arn:aws-cn:iam"),
    "an external id with spaces": ({"external_id": "two words"}, "external_id", "Use letters, digits"),
    "a key as external id": ({"external_id": "AKIAIOSFODNN7EXAMPLE"}, "external_id", "This looks like an AWS access key."),
    "a key as profile": ({"profile": "AKIAIOSFODNN7EXAMPLE"}, "profile", "This looks like an AWS access key."),
    "an endpoint that is none": ({"endpoint": "localstack"}, "endpoint", "Give a URL"),
    "a port that is none": ({"endpoint": "http://127.0.0.1:port"}, "endpoint", "Give a URL"),
    "an endpoint with a password": ({"endpoint": "http://ada:pw@127.0.0.1"}, "endpoint", "Leave the user and the password out"),
    "an endpoint in the clear": ({"endpoint": "http://aws.example.com"}, "endpoint", "Use https"),
    "a stage with a dot": ({"stage_name": "v1.0"}, "stage_name", "Use letters, digits, _ and - only"),
}


@pytest.fixture
def dev(team: Team) -> Environment:
    return an_environment(team)


@pytest.fixture
def as_admin(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_at_its_field(team: Team, case: str) -> None:
    typed, field, message = WRONG[case]
    form = EnvironmentForm(GOOD | typed, team=team)
    assert not form.is_valid()
    assert set(form.errors) == {field}
    assert message in form.errors[field][0]


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("localstack", True),
        ("aws.localhost", True),
        ("8.8.8.8", False),
        ("apigateway.eu-west-1.amazonaws.com", False),
    ],
)
def test_only_what_is_near_is_called_in_the_clear(host: str, near: bool) -> None:
    assert is_near(host) is near


def test_an_environment_is_made(as_admin: Client, team: Team, admin: User) -> None:
    response = as_admin.post(reverse("environment-new", args=[team.slug]), GOOD | {"protected": "on"})

    made = Environment.objects.get()
    assert response.headers["Location"] == reverse("environment", args=[team.slug, "dev-eu"])
    assert (made.slug, made.account, made.role_name, made.protected, made.created_by) == (
        "dev-eu",
        "111122223333",
        "ci/GatehouseDeployer",
        True,
        admin,
    )
    assert (AuditEvent.objects.get().verb, AuditEvent.objects.get().subject) == ("made environment", "Dev EU")


def test_a_refused_one_is_not_made_and_says_why_on_top(as_admin: Client, team: Team) -> None:
    response = as_admin.post(reverse("environment-new", args=[team.slug]), GOOD | {"account": "1", "region": "x"})

    assert response.status_code == 422
    assert not Environment.objects.exists()
    assert "Nothing was saved: 2 fields to mend" in response.text
    assert '<a href="#id_account">Account: Give twelve digits' in response.text


def test_each_new_environment_gets_an_external_id_of_its_own(as_admin: Client, team: Team) -> None:
    pages = [as_admin.get(reverse("environment-new", args=[team.slug])) for _ in range(2)]
    ids = [page.context["form"]["external_id"].value() for page in pages]
    assert ids[0] != ids[1]
    assert all(value.startswith("gatehouse-storefront-") for value in ids)


def test_while_typing_only_touched_fields_are_spoken_of(as_admin: Client, team: Team) -> None:
    typed = GOOD | {"name": "", "account": "12", "touched": "account"}
    response = as_admin.post(reverse("environment-new", args=[team.slug]), typed, headers={"HX-Request": "true"})

    assert "Give twelve digits" in response.text
    assert "Give it a name" not in response.text
    assert "<input" not in response.text
    assert not Environment.objects.exists()


def test_a_change_is_kept_and_told_without_what_stayed(as_admin: Client, team: Team, dev: Environment) -> None:
    Environment.objects.update(seen_as="arn:aws:iam::111122223333:user/ada")
    url = reverse("environment", args=[team.slug, "dev"])
    given = {"name": "dev", "account": dev.account, "access": "chain", "region": "eu-north-1", "stage_name": "live"}
    as_admin.post(url, given)
    as_admin.post(url, given)

    dev.refresh_from_db()
    assert (dev.region, dev.slug, dev.seen_as) == ("eu-north-1", "dev", "")
    assert [event.detail for event in AuditEvent.objects.all()] == [{"region": "eu-north-1"}]


def test_values_are_kept_as_they_were_typed(as_admin: Client, team: Team, dev: Environment, books: Integration) -> None:
    dev.bindings.create(integration=books, name="Table", value="own")
    url = reverse("environment-values", args=[team.slug, "dev"])
    as_admin.post(url, {"parameter": ["Table", "Old"], "value": ["shared ", "x"]})
    as_admin.post(url, {"parameter": ["Table", "Queue.Arn", ""], "value": ["shared ", "a<b", ""]})

    assert list(dev.bindings.filter(integration=None).values_list("name", "value")) == [
        ("Queue.Arn", "a<b"),
        ("Table", "shared "),
    ]
    assert dev.values_for(books)["Table"] == "own"
    assert [event.detail for event in AuditEvent.objects.all()] == [
        {"parameters": "Old, Queue.Arn"},
        {"parameters": "Old, Table"},
    ]


@pytest.mark.parametrize(
    ("names", "values", "message"),
    [
        (["${Table}"], ["x"], "Name the parameter as definitions refer to it"),
        (["AWS::Region"], ["x"], "Name the parameter as definitions refer to it"),
        ([""], ["x"], "Name the parameter as definitions refer to it"),
        (["A", "A"], ["x", "y"], "A stands in a row above."),
        (["A"], ["AKIAIOSFODNN7EXAMPLE"], "This looks like an AWS access key."),
    ],
)
def test_wrong_values_are_not_kept(
    as_admin: Client, team: Team, dev: Environment, names: list[str], values: list[str], message: str
) -> None:
    response = as_admin.post(reverse("environment-values", args=[team.slug, "dev"]), {"parameter": names, "value": values})

    assert response.status_code == 422
    assert message in response.text
    assert not dev.bindings.exists()


def test_another_row_keeps_what_was_typed(as_admin: Client, team: Team, dev: Environment) -> None:
    url = reverse("environment-values", args=[team.slug, "dev"])
    response = as_admin.post(url, {"parameter": ["Table"], "value": ["one"], "add": "1"})

    assert [(row.name, row.value) for row in response.context["rows"]] == [("Table", "one"), ("", "")]
    assert not dev.bindings.exists()


def test_an_environment_where_something_runs_is_not_removed(
    as_admin: Client, team: Team, dev: Environment, books: Integration
) -> None:
    placement = Placement.objects.create(environment=dev, integration=books, rest_api_id="a1b2c3")
    placement.went_live("d1", BOOKS, revision=books.latest, by=None)
    url = reverse("environment-remove", args=[team.slug, "dev"])
    refused = as_admin.post(url, follow=True)
    assert "dev was not removed: an integration runs there." in refused.text

    Placement.objects.update(live=None)
    as_admin.post(url)
    assert not Environment.objects.exists()
    assert AuditEvent.objects.get().verb == "removed environment"


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_asks_the_same_of_the_database_however_long(
    as_admin: Client, team: Team, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(number):
        an_environment(team, f"e{index}")
    with django_assert_num_queries(5):
        response = as_admin.get(reverse("environments", args=[team.slug]))
    assert response.text.count("eu-west-1") == number
