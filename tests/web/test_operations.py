"""Plans over HTTP: shown, applied, refused; and what carries them out: approved, watched, cancelled."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.models import AuditEvent, CallState, Environment, Integration, Operation, Placement, State, Team, Worker
from integrations.models.deploy import VALID
from tests.web.conftest import member
from tests.web.deployments import a_placement, a_proposal, an_environment, an_operation, called


@pytest.fixture
def dev(team: Team, books: Integration) -> Placement:
    return a_placement(an_environment(team), books)


@pytest.fixture
def prod(team: Team, books: Integration) -> Placement:
    books.publish(books.latest, None)
    return a_placement(an_environment(team, "prod", protected=True), books)


@pytest.fixture
def second(team: Team) -> User:
    """Another editor."""
    return member(team, "editor", "sol")  # type: ignore[arg-type]


def words(response: Any) -> str:
    """What a page says."""
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", response.text)))


def apply(client: Client, proposal: Any, **fields: str) -> Any:
    return client.post(reverse("plan", args=["storefront", proposal.pk]), fields)


# --- A plan ----------------------------------------------------------------------------------------


def test_a_plan_says_who_does_what_where(as_editor: Client, dev: Placement, editor: User) -> None:
    said = words(as_editor.get(reverse("plan", args=["storefront", a_proposal(dev, editor).pk])))

    for text in (
        "Environment dev",
        "Account 111122223333",
        "Region eu-west-1",
        "GatehouseDeployer/gatehouse-ada",
        "new / live",
        "GET /books",
        "create_rest_api",
        "put_integration",
        "sha256:",
    ):
        assert text in said, text


def test_applying_queues_what_was_shown(as_editor: Client, dev: Placement, editor: User) -> None:
    proposal = a_proposal(dev, editor)
    response = apply(as_editor, proposal, read="yes", note="For the fair.")

    operation = Operation.objects.get()
    assert response.headers["Location"] == reverse("operation", args=["storefront", operation.pk])
    assert (operation.state, operation.plan, operation.plan_hash) == (State.QUEUED, proposal.plan, proposal.plan_hash)
    assert (operation.requested_by, operation.note, operation.revision) == (editor, "For the fair.", proposal.revision)
    assert operation.state_hash == proposal.plan["state_hash"] != ""
    assert [(event.verb, event.subject) for event in AuditEvent.objects.all()] == [("applied", "books r1 in dev")]

    again = apply(as_editor, proposal, read="yes")
    assert again.status_code == 422
    assert "This plan was applied already." in words(again)
    assert Operation.objects.count() == 1


def test_a_plan_that_is_too_old_is_not_applied(as_editor: Client, dev: Placement, editor: User) -> None:
    proposal = a_proposal(dev, editor, made_at=timezone.now() - 2 * VALID)
    response = apply(as_editor, proposal, read="yes")

    assert (response.status_code, Operation.objects.count()) == (422, 0)
    assert "The account was read more than 15 minutes ago." in words(response)


def test_a_plan_whose_values_have_changed_is_not_applied(as_editor: Client, dev: Placement, editor: User) -> None:
    proposal = a_proposal(dev, editor)
    dev.environment.bindings.create(name="Table", value="another")
    response = apply(as_editor, proposal, read="yes")

    assert (response.status_code, Operation.objects.count()) == (422, 0)
    assert "A value of a parameter was changed since this plan was made." in words(response)


def test_two_plans_for_one_place_do_not_run_at_once(as_editor: Client, dev: Placement, editor: User) -> None:
    first, second = a_proposal(dev, editor), a_proposal(dev, editor)
    apply(as_editor, first, read="yes")
    response = apply(as_editor, second, read="yes")

    assert (response.status_code, Operation.objects.count()) == (422, 1)
    assert "nothing was queued" in words(response)


def test_a_protected_environment_wants_a_typed_stage_and_a_second_person(
    client: Client, prod: Placement, editor: User, second: User, viewer: User
) -> None:
    client.force_login(editor)
    proposal = a_proposal(prod, editor)
    refused = apply(client, proposal, read="yes", stage="prod")
    assert (refused.status_code, Operation.objects.count()) == (422, 0)
    assert "Type live, the name of the stage." in words(refused)

    apply(client, proposal, read="yes", stage="live")
    operation = Operation.objects.get()
    assert operation.state == State.PROPOSED
    url = reverse("operation-approve", args=["storefront", operation.pk])
    assert client.post(url).status_code == 403
    client.force_login(viewer)
    assert client.post(url).status_code == 403
    operation.refresh_from_db()
    assert operation.state == State.PROPOSED

    client.force_login(second)
    assert "Approve, and deploy to prod" in words(client.get(reverse("operation", args=["storefront", operation.pk])))
    client.post(url)
    operation.refresh_from_db()
    assert (operation.state, operation.approved_by) == (State.QUEUED, second)
    assert [event.verb for event in AuditEvent.objects.order_by("pk")] == ["asked to apply", "approved"]


def test_a_protected_environment_takes_published_revisions_only(as_editor: Client, prod: Placement, editor: User) -> None:
    prod.integration.save_revision(prod.integration.latest.api, editor, "Not published.")
    proposal = a_proposal(prod, editor)
    response = apply(as_editor, proposal, read="yes", stage="live")

    assert (response.status_code, Operation.objects.count()) == (422, 0)
    assert "prod takes published revisions only, and r2 is none." in words(response)
    assert "Publish r2" in words(response)


def test_values_that_change_while_it_waits_for_approval_stop_it(
    client: Client, prod: Placement, editor: User, second: User
) -> None:
    operation = an_operation(prod, editor, State.PROPOSED)
    prod.environment.bindings.create(name="Table", value="another")
    client.force_login(second)
    response = client.post(reverse("operation-approve", args=["storefront", operation.pk]), follow=True)

    operation.refresh_from_db()
    assert operation.state == State.PROPOSED
    assert "Not approved: a value of a parameter was changed" in words(response)


def test_plans_and_deployments_of_another_team_are_not_found(
    client: Client, dev: Placement, editor: User, stranger: User
) -> None:
    proposal, operation = a_proposal(dev, editor), an_operation(dev, editor)
    client.force_login(stranger)
    for name, key in (("plan", proposal.pk), ("operation", operation.pk), ("operation-log", operation.pk)):
        for team in ("storefront", "elsewhere"):
            assert client.get(reverse(name, args=[team, key])).status_code == 404


# --- A deployment ----------------------------------------------------------------------------------


def test_the_page_follows_the_steps(as_editor: Client, dev: Placement, editor: User) -> None:
    operation = an_operation(dev, editor, State.RUNNING, started_at=timezone.now())
    url = reverse("operation", args=["storefront", operation.pk])
    assert "Running: Read the account again" in words(as_editor.get(url))

    calls = operation.plan["calls"]
    for position in range(len(calls)):
        running = position == len(calls) - 1
        called(operation, position, CallState.STARTED if running else CallState.DONE)
    said = words(as_editor.get(url))
    assert "Done: Read the account again" in said
    assert "Done: Add GET /books" in said
    assert "Running: Point stage live to it" in said
    assert "201, request id request-0" in said
    assert "Cancel after this step" in said


@pytest.mark.parametrize("number", [1, 6])
def test_the_page_asks_the_same_of_the_database_however_far_it_is(
    as_editor: Client, dev: Placement, editor: User, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    operation = an_operation(dev, editor, State.RUNNING, started_at=timezone.now())
    for position in range(number):
        called(operation, position)
    with django_assert_num_queries(8):
        as_editor.get(reverse("operation", args=["storefront", operation.pk]))


def test_a_call_that_waits_says_why(as_editor: Client, dev: Placement, editor: User) -> None:
    operation = an_operation(dev, editor, State.RUNNING, started_at=timezone.now())
    now = timezone.now().isoformat()
    slow = {"at": now, "ended": now, "status": 429, "code": "TooManyRequestsException", "message": "Slow down", "waits_s": 2.0}
    called(operation, 0, CallState.STARTED, attempts=[slow])
    said = words(as_editor.get(reverse("operation", args=["storefront", operation.pk])))

    assert "create_rest_api, AWS asked to slow down, second try in 2 s" in said
    assert "429 TooManyRequestsException, Slow down, waits 2.0 s" in said


def test_a_failure_says_what_it_left(as_editor: Client, dev: Placement, editor: User) -> None:
    operation = an_operation(
        dev,
        editor,
        State.FAILED,
        started_at=timezone.now(),
        finished_at=timezone.now(),
        result="AWS refused put_method.\nThe API a1b2c3 was made and is left.",
    )
    called(operation, 0)
    called(operation, 1, CallState.FAILED, error="Invalid method.")
    said = words(as_editor.get(reverse("operation", args=["storefront", operation.pk])))

    assert "The API a1b2c3 was made and is left." in said
    assert "The stage was not moved: callers get what they got before." in said
    assert "Not done: Point stage live to it" in said
    assert "Plan again" in said


def test_htmx_gets_the_part_that_changes_until_it_is_over(as_editor: Client, dev: Placement, editor: User) -> None:
    operation = an_operation(dev, editor)
    url = reverse("operation", args=["storefront", operation.pk])
    part = as_editor.get(url, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert 'hx-trigger="every 2s"' in part.text
    operation.cancel(editor)
    assert "hx-trigger" not in as_editor.get(url, headers={"HX-Request": "true"}).text


@pytest.mark.parametrize("running", [True, False])
def test_that_nobody_works_is_said(as_editor: Client, dev: Placement, editor: User, running: bool) -> None:
    if running:
        Worker.objects.create(name="here")
    operation = an_operation(dev, editor)
    said = words(as_editor.get(reverse("operation", args=["storefront", operation.pk])))
    assert ("No worker is running." in said) is not running


def test_a_deployment_is_cancelled(as_editor: Client, dev: Placement, editor: User) -> None:
    operation = an_operation(dev, editor)
    url = reverse("operation-cancel", args=["storefront", operation.pk])
    as_editor.post(url)
    operation.refresh_from_db()
    assert (operation.state, operation.cancelled_by) == (State.CANCELLED, editor)
    assert "There was nothing to cancel" in words(as_editor.post(url, follow=True))
    assert [event.verb for event in AuditEvent.objects.all()] == ["cancelled"]


def test_the_log_is_a_file_of_text(as_editor: Client, dev: Placement, editor: User) -> None:
    operation = an_operation(dev, editor, State.RUNNING)
    called(operation, 0)
    response = as_editor.get(reverse("operation-log", args=["storefront", operation.pk]))

    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = response.text.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} plan [0-9a-f]{12} asked for by ada", lines[0])
    assert lines[-1].endswith("201, request id request-0")


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_asks_the_same_of_the_database_however_long(
    as_editor: Client, team: Team, dev: Placement, editor: User, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(number):
        an_operation(dev, editor, State.DONE)
    with django_assert_num_queries(6):
        response = as_editor.get(reverse("operations", args=[team.slug]))
    assert response.text.count("<b>Deploy</b>") == number


def test_the_list_is_narrowed_to_an_environment(as_editor: Client, team: Team, dev: Placement, prod: Placement) -> None:
    an_operation(dev, None, State.DONE)
    an_operation(prod, None, State.DONE)
    assert Environment.objects.count() == 2
    response = as_editor.get(reverse("operations", args=[team.slug]), {"environment": "prod"})
    assert [operation.placement for operation in response.context["operations"]] == [prod]
