"""The pages of deployments against LocalStack: plan, apply, change, drift, roll back, destroy, as somebody does it."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from integrations.aws import Account, connect
from integrations.gateway.definition import Api, Integration, IntegrationResponse, Mock, Route, Template
from integrations.models import Deployment, Environment, Membership, Operation, Placement, Proposal, Role, State, Team
from integrations.models import Integration as Entry
from integrations.tasks import Carrier

pytestmark = [pytest.mark.localstack, pytest.mark.django_db]


def answering(text: str, path: str = "/hello") -> Api:
    """A method that answers a text without any backend."""
    integration = Integration(
        backend=Mock(),
        request_templates={"application/json": Template('{"statusCode": 200}')},
        integration_responses=(IntegrationResponse(status_code="200", response_templates={"application/json": Template(text)}),),
    )
    return Api(name="hello", routes=(Route(path=path, integration=integration),))


class Room:
    """An editor in front of an integration and an environment."""

    def __init__(self, client: Client, url: str) -> None:
        self.team = Team.objects.create(slug="storefront", name="Storefront")
        self.user = User.objects.create_user("ada", "ada@example.com", "correct horse")
        Membership.objects.create(team=self.team, user=self.user, role=Role.ADMIN)
        client.force_login(self.user)
        self.client, self.url = client, url
        self.environment = Environment.objects.create(
            team=self.team, slug="dev", name="dev", account="111122223333", region="eu-west-1", stage_name="live", endpoint=url
        )
        self.entry = Entry(team=self.team, slug="hello")
        self.entry.save_revision(answering("one"), self.user)

    def at(self, name: str, *more: object) -> str:
        return reverse(name, args=["storefront", "hello", "dev", *more])

    @property
    def placement(self) -> Placement:
        return Placement.objects.get()

    def plan(self, **fields: str) -> Any:
        """The page of a new plan."""
        return self.client.post(self.at("plan-make"), fields, follow=True)

    def apply(self, **fields: str) -> Operation:
        """Plan, apply, and let a worker carry it out."""
        page = self.plan(**fields)
        assert page.status_code == 200, said(page)
        proposal = Proposal.objects.latest("pk")
        applied = self.client.post(reverse("plan", args=["storefront", proposal.pk]), {"read": "yes"})
        assert applied.status_code == 302, said(applied)
        operation = Operation.claim("w")
        assert operation is not None
        Carrier(operation, "w").run()
        operation.refresh_from_db()
        assert operation.state == State.DONE, operation.result
        return operation

    def call(self) -> str:
        """What the deployed method answers."""
        api = self.placement.rest_api_id
        with urlopen(f"{self.url}/_aws/execute-api/{api}/live/hello", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def account(self) -> Account:
        """Somebody else at the same account."""
        return connect(self.environment, person="mallory")


def said(response: Any) -> str:
    """What a page says."""
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", response.text)))


@pytest.fixture
def room(client: Client, localstack: str, credentials: Callable[[str], None]) -> Room:
    return Room(client, localstack)


def change_by_hand(room: Room, text: str) -> None:
    """Somebody else edits the response's template in the console, and does not deploy."""
    account, api = room.account(), room.placement.rest_api_id
    resources = account.account_state(api).resources
    resource = next(one["id"] for one in resources if one["path"] == "/hello")
    account.perform(
        "apigateway",
        "put_integration_response",
        {
            "restApiId": api,
            "resourceId": resource,
            "httpMethod": "GET",
            "statusCode": "200",
            "responseTemplates": {"application/json": text},
        },
    )


def test_from_the_first_plan_to_a_roll_back(room: Room) -> None:
    first = room.plan()
    assert "1 to add" in said(first)
    assert "assumed-role" not in said(first)
    room.apply()
    assert room.call() == "one"
    assert "Nothing to do" in said(room.plan())

    room.entry.save_revision(answering("two"), room.user)
    page = said(room.client.get(room.at("deploy-environment")))
    assert "Saved but not live: r2" in page
    changed = said(room.plan())
    assert "1 to change" in changed
    assert "hello r1 to r2, 1 option" in changed
    room.apply()
    assert room.call() == "two"

    back = Deployment.objects.order_by("pk")[0].deployment_id
    plan = said(room.plan(purpose="roll_back", deployment=back))
    assert "Roll back in dev" in plan
    room.apply(purpose="roll_back", deployment=back)
    assert room.call() == "one"
    assert room.placement.live is not None
    assert room.placement.live.revision == room.entry.revisions.get(number=1)


def test_what_somebody_else_changed_is_seen_adopted_and_reverted(room: Room) -> None:
    room.apply()
    change_by_hand(room, "by hand")
    page = said(room.client.post(room.at("deploy-read"), follow=True))
    assert "Changed in AWS by someone else: 1 option" in page
    drift = room.client.get(room.at("deploy-drift"))
    assert "1 option changed in AWS by someone else" in said(drift)
    names = re.findall(r'name="spot" value="([^"]+)"', drift.text)
    assert len(names) == 1

    room.client.post(room.at("deploy-drift"), {"spot": unescape(names[0]), "do": "adopt", "latest": "1"})
    assert Entry.objects.get().latest.api == replace(answering("by hand"), name="hello")

    reverted = room.client.post(room.at("deploy-drift"), {"spot": unescape(names[0]), "do": "revert"}, follow=True)
    assert "by hand" in said(reverted) and "1 to change" in said(reverted)
    proposal = Proposal.objects.latest("pk")
    room.client.post(reverse("plan", args=["storefront", proposal.pk]), {"read": "yes"})
    operation = Operation.claim("w")
    assert operation is not None
    Carrier(operation, "w").run()
    page = said(room.client.post(room.at("deploy-read"), follow=True))
    assert "Changed in AWS by someone else" not in page
    assert room.call() == "one"


def test_states_are_told_apart(room: Room) -> None:
    room.apply()
    room.entry.save_revision(answering("two"), room.user)
    change_by_hand(room, "three")
    room.client.post(room.at("deploy-read"))
    page = room.client.get(room.at("deploy-environment"))
    found = {version.name: version.differs for version in page.context["versions"]}
    assert found.pop("deployed") in (0, 1)  # LocalStack exports what is configured, AWS what is deployed
    assert found == {"saved": None, "configured": 1}
    compared = said(room.client.get(room.at("deploy-compare"), {"base": "configured", "new": "saved"}))
    assert "three" in compared and "two" in compared


def test_a_plan_whose_account_has_changed_is_refused_by_the_worker(room: Room) -> None:
    room.apply()
    room.entry.save_revision(answering("two"), room.user)
    room.plan()
    change_by_hand(room, "by hand")
    room.client.post(reverse("plan", args=["storefront", Proposal.objects.latest("pk").pk]), {"read": "yes"})
    operation = Operation.claim("w")
    assert operation is not None
    Carrier(operation, "w").run()
    operation.refresh_from_db()
    assert operation.state == State.REFUSED
    page = said(room.client.get(reverse("operation", args=["storefront", operation.pk])))
    assert "nothing was changed" in page
    assert room.call() == "one"


def test_an_integration_is_destroyed(room: Room) -> None:
    room.apply()
    api = room.placement.rest_api_id
    page = said(room.plan(purpose="destroy"))
    assert "Destroy in dev" in page and "Takes away" in page
    room.apply(purpose="destroy")
    assert room.placement.live is None
    assert api not in [one["id"] for one in room.account().rest_apis()]


def test_who_one_is_there_is_asked_and_another_account_refused(room: Room, credentials: Callable[[str], None]) -> None:
    url = reverse("environment-identity", args=["storefront", "dev"])
    assert "You are account 111122223333 as" in said(room.client.post(url))
    room.environment.refresh_from_db()
    assert room.environment.seen_as.startswith("arn:aws:")

    credentials("999999999999")
    part = room.client.post(url, headers={"HX-Request": "true"})
    assert "The credentials lead into account 999999999999" in said(part)
    assert "<html" not in part.text
    room.environment.refresh_from_db()
    assert room.environment.seen_as == ""
    refused = room.plan()
    assert (refused.status_code, Proposal.objects.count()) == (422, 0)
    assert "There is no plan, and nothing was changed" in said(refused)


def test_a_method_that_exists_is_taken_over_with_a_report(room: Room) -> None:
    account = room.account()

    def made(operation: str, **parameters: Any) -> Any:
        return account.perform("apigateway", operation, parameters)

    api = made("create_rest_api", name="legacy")["id"]
    root = made("get_resources", restApiId=api)["items"][0]["id"]
    resource = made("create_resource", restApiId=api, parentId=root, pathPart="orders")["id"]
    at = {"restApiId": api, "resourceId": resource}
    made("put_method", **at, httpMethod="GET", authorizationType="NONE")
    made(
        "put_integration",
        **at,
        httpMethod="GET",
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri="https://orders.example.com/",
    )
    made("put_method", **at, httpMethod="POST", authorizationType="NONE")
    made(
        "put_integration",
        **at,
        httpMethod="POST",
        type="AWS",
        integrationHttpMethod="POST",
        uri="arn:aws:apigateway:eu-west-1:sqs:path/111122223333/orders",
        credentials="arn:aws:iam::111122223333:role/orders",
    )
    made("put_method", **at, httpMethod="DELETE", authorizationType="NONE")

    url = reverse("take-over", args=["storefront"])
    assert "legacy" in said(room.client.get(url, {"environment": "dev"}))
    page = said(room.client.get(url, {"environment": "dev", "api": api}))
    assert "2 methods" in page and "understood" in page
    assert "DELETE /orders The method has no integration yet" in page

    taken = room.client.post(url, {"environment": "dev", "api": api, "pick": ["GET /orders", "POST /orders"]}, follow=True)
    assert "2 integrations are in the catalog now." in said(taken)
    entries = {entry.slug: entry for entry in Entry.objects.exclude(slug="hello")}
    assert set(entries) == {"get-orders", "create-orders"}
    assert (entries["create-orders"].backend, entries["create-orders"].errors) == ("sqs", 0)
    placement = Placement.objects.get(integration=entries["get-orders"])
    assert (placement.rest_api_id, placement.whole) == (api, False)
    again = said(room.client.get(url, {"environment": "dev", "api": api}))
    assert "In the catalog: get-orders" in again

    plan = room.client.post(reverse("plan-make", args=["storefront", "get-orders", "dev"]), follow=True)
    assert "to add" not in said(plan) and "to change" not in said(plan)


def test_an_api_that_is_not_there_is_said(room: Room) -> None:
    response = room.client.get(reverse("take-over", args=["storefront"]), {"environment": "dev", "api": "nothere"})
    assert response.status_code == 422
    assert "There is no REST API nothere in dev." in said(response)


def test_a_method_is_called_and_its_log_laid_out_by_stage(room: Room) -> None:
    url = room.at("method-test")
    assert "deploy it first" in said(room.client.get(url))
    room.apply()
    assert "This calls the real backend." in said(room.client.get(url))
    call = {"route": "GET /hello", "method": "GET", "path": "/hello?x=1", "headers": "Accept: application/json", "body": ""}
    page = room.client.post(url, call)
    assert (page.status_code, page.context["answer"]["status"], page.context["body"]) == (200, 200, "one")
    assert page.context["stages"][0].name == "Method request"
    assert page.context["stages"][-1].name == "Method response"
    assert [row for row in page.context["comparison"].rows if not row.same] == []
    assert "as predicted" in said(page)

    change_by_hand(room, "two")
    page = room.client.post(url, call)
    [differs] = [row for row in page.context["comparison"].rows if not row.same]
    assert (differs.label, differs.predicted, differs.deployed) == ("Response, body", "one", "two")
    assert "1 of 4 differs" in said(page)

    refused = room.client.post(url, call | {"headers": "no header", "path": "hello"})
    assert refused.status_code == 422
    assert "Write each header as Name: value" in said(refused) and "Begin it with a slash." in said(refused)


def test_a_method_goes_into_an_api_of_somebody_elses_and_nothing_else_is_touched(room: Room) -> None:
    account = room.account()
    api = account.perform("apigateway", "create_rest_api", {"name": "theirs", "description": "Not ours."})["id"]
    root = account.perform("apigateway", "get_resources", {"restApiId": api})["items"][0]["id"]
    theirs = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    account.perform("apigateway", "put_method", {**theirs, "authorizationType": "NONE"})
    account.perform("apigateway", "put_integration", {**theirs, "type": "MOCK", "requestTemplates": {"application/json": "{}"}})
    before = account.account_state(api)

    place = {"where": "existing", "rest_api_id": api, "owned": "method", "path": "/shop/hello"}
    room.client.post(room.at("deploy-place"), place)
    room.apply()
    after = account.account_state(api)
    assert after.api == before.api
    kept = next(one for one in after.resources if one["path"] == "/")
    assert kept["resourceMethods"] == before.resources[0]["resourceMethods"]
    with urlopen(f"{room.url}/_aws/execute-api/{api}/live/shop/hello", timeout=10) as answer:
        assert answer.read() == b"one"
    assert "Nothing to do" in said(room.plan())

    room.apply(purpose="destroy")
    left = [one["path"] for one in account.account_state(api).resources if one.get("resourceMethods")]
    assert left == ["/"]
