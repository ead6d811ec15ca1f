"""`manage.py plan`, `apply` and `drift`, from a pipeline: exit codes, words, JSON."""

import io
import json
import os
import re
import signal
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command

from integrations.gateway.definition import Api, DeploymentParameter, Http, Integration, Route
from integrations.models import AuditEvent, Environment, Membership, Operation, Placement, Role, State
from tests.aws.deployments import Scene

HTTP = Http(url="https://${Host}/orders", proxy=True)
ORDERS = Api(
    name="orders",
    parameters=(DeploymentParameter(name="Host", kind="text", default="orders.example.com"),),
    routes=(Route(method="GET", path="/orders", integration=Integration(backend=HTTP)),),
)


@pytest.fixture
def pipeline(scene: Scene) -> Scene:
    """A published integration of one route, deployed nowhere."""
    Placement.objects.all().delete()
    entry = scene.placement.integration
    revision = entry.save_revision(ORDERS, None)
    entry.publish(revision, None)
    return scene


def run(command: str, *arguments: str, answer: str = "") -> tuple[int, str, str]:
    """Exit status, output, errors."""
    out, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdin", io.StringIO(answer))
        try:
            call_command(command, "storefront/orders", *arguments, stdout=out, stderr=errors)
        except SystemExit as left:
            return int(str(left.code)), out.getvalue(), errors.getvalue()
    return 0, out.getvalue(), errors.getvalue()


ENV = ("--env", "prod")
YES = (*ENV, "--auto-approve")


def test_a_pipeline_plans_applies_and_looks_for_drift(pipeline: Scene) -> None:
    status, out, errors = run("plan", *ENV)
    assert (status, errors) == (2, "")
    assert "GET /orders\n  + Backend: " in out
    assert re.search(r"\n6 calls, at least \d s\. Account 444455556666, eu-central-1, stage live\. Plan [0-9a-f]{12}\.\n$", out)
    assert not pipeline.plane.apis

    status, out, errors = run("apply", *YES)
    assert (status, errors) == (2, "")
    assert "  1/6 Create the API\n" in out
    assert out.endswith("6 calls. Read back: the account is as the plan said.\n")
    [event] = AuditEvent.objects.filter(verb="applied")
    assert (event.actor, event.subject) == (None, "orders r2 in prod")

    assert run("plan", *ENV) == (0, "Nothing to do: r2 in prod is as it should be.\n", "")
    assert run("apply", *YES) == (0, "Nothing to do: r2 in prod is as it should be.\n", "")
    assert run("drift", *ENV) == (0, "No drift: orders in prod is as it was deployed.\n", "")

    [api] = pipeline.plane.apis
    [orders] = [one["id"] for one in pipeline.plane.apis[api]["resources"].values() if one["path"] == "/orders"]
    slower = [{"op": "replace", "path": "/timeoutInMillis", "value": "5000"}]
    pipeline.plane.update_integration(restApiId=api, resourceId=orders, httpMethod="GET", patchOperations=slower)
    status, out, errors = run("drift", *ENV)
    assert (status, errors) == (2, "")
    assert out == "Timeout: 29,000 ms was deployed, 5,000 ms is there\n"
    assert run("plan", *ENV)[0] == 2


def test_json_is_for_machines(pipeline: Scene) -> None:
    status, out, _ = run("plan", *ENV, "--json")
    plan = json.loads(out)
    assert (status, len(plan["calls"]), plan["account"]) == (2, 6, pipeline.plane.account)

    status, out, errors = run("apply", *YES, "--json", "--plan", plan["hash"])
    applied = json.loads(out)
    assert (status, applied["state"], applied["hash"]) == (2, "done", plan["hash"])
    assert all(len(call["request_id"]) == 36 and call["attempts"] == 1 for call in applied["calls"])
    assert "Create the API" in errors

    assert json.loads(run("plan", *ENV, "--json")[1])["calls"] == []
    assert json.loads(run("drift", *ENV, "--json")[1]) == {"differences": [], "added": []}


def test_a_plan_that_was_looked_at_is_applied_or_none(pipeline: Scene) -> None:
    status, out, errors = run("apply", *YES, "--plan", "0123456789ab")
    assert (status, out) == (1, "")
    assert "and not 0123456789ab: the account, a value or the revision changed. Nothing was changed here." in errors
    assert not pipeline.plane.apis


@pytest.mark.parametrize("answer", ["", "prod\n"], ids=["nobody", "wrong"])
def test_somebody_types_the_name_of_the_stage(pipeline: Scene, answer: str) -> None:
    status, _, errors = run("apply", *ENV, answer=answer)
    assert status == 1
    assert errors == "Nothing was changed. Type the name of the stage to apply, or add --auto-approve in a pipeline.\n"
    assert not pipeline.plane.apis
    assert run("apply", *ENV, answer="live\n")[0] == 2


def test_a_value_that_is_given_is_planned_with_and_kept_by_apply(pipeline: Scene) -> None:
    given = ("--set", "Host=other.example.com")
    assert "https://other.example.com/orders" in run("plan", *ENV, *given, "--json")[1]
    assert not pipeline.placement.environment.bindings.exists()
    assert run("apply", *YES, *given)[0] == 2
    [binding] = pipeline.placement.environment.bindings.all()
    assert (binding.name, binding.value, binding.integration) == ("Host", "other.example.com", pipeline.placement.integration)
    assert run("plan", *ENV)[0] == 0


def test_a_protected_environment_waits_for_a_second_person(pipeline: Scene) -> None:
    Environment.objects.update(protected=True)
    person = pipeline.person()
    Membership.objects.create(team=pipeline.placement.integration.team, user=person, role=Role.EDITOR)
    status, _, errors = run("apply", *YES, "--as", "ada")
    [operation] = Operation.objects.all()
    assert (status, operation.state, operation.requested_by) == (1, State.PROPOSED, person)
    assert errors == (
        f"prod is protected: operation {operation.pk} waits for the approval of a second person, on the page of the team's "
        "deployments. Nothing was changed. No worker is running that would apply it then: start manage.py up, or manage.py "
        "worker.\n"
    )
    assert not pipeline.plane.apis

    pipeline.placement.integration.save_revision(replace(ORDERS, description="Unpublished."), None)
    status, _, errors = run("plan", *ENV, "--revision", "latest")
    assert (status, errors) == (1, "prod takes published revisions only, and r3 is none. Publish it first.\n")


@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--env", "test"), "--env test: Storefront has no such environment. It has prod."),
        ((*ENV, "--as", "nobody"), "--as nobody: No such team, or not yours."),
    ],
    ids=["environment", "person"],
)
def test_what_is_not_there_is_said(pipeline: Scene, command: str, arguments: tuple[str, ...], words: str) -> None:
    assert run(command, *arguments) == (1, "", f"{words}\n")


def test_a_plan_that_cannot_be_made_says_why(pipeline: Scene) -> None:
    entry = pipeline.placement.integration
    bare = replace(ORDERS, parameters=(DeploymentParameter(name="Host", kind="text"),))
    entry.publish(entry.save_revision(bare, None), None)
    status, out, errors = run("plan", *ENV)
    assert (status, out) == (1, "")
    assert errors.startswith("${Host} has no value here. Give it one in the environment")


def test_another_account_is_refused(pipeline: Scene) -> None:
    pipeline.plane.account = "111122223333"
    status, out, errors = run("plan", *ENV)
    assert (status, out) == (1, "")
    assert errors.startswith("The credentials lead into account 111122223333 as ")


def test_drift_wants_something_deployed(pipeline: Scene) -> None:
    status, _, errors = run("drift", *ENV)
    assert status == 1
    assert errors.startswith("orders in prod: nothing was deployed there from here")


def test_what_was_left_unfinished_comes_first(pipeline: Scene) -> None:
    """A pipeline that was killed left a queued operation: the next apply carries it out, and has nothing left to do."""
    assert run("plan", *ENV)[0] == 2
    assert run("apply", *YES)[0] == 2
    Operation.objects.update(state=State.QUEUED, started_at=None, finished_at=None)
    Operation.objects.get().calls.all().delete()
    status, out, errors = run("apply", *YES)
    assert status == 0
    assert "was left unfinished and comes first." in out
    assert errors.startswith("Refused: The account changed after the plan was made; nothing was changed here.")
    assert out.endswith("Nothing to do: r2 in prod is as it should be.\n")


def test_ctrl_c_finishes_the_call_and_cancels_the_rest(pipeline: Scene) -> None:
    def interrupt(service: str, operation: str, parameters: dict[str, Any]) -> None:
        if operation == "create_resource":
            os.kill(os.getpid(), signal.SIGINT)

    pipeline.line.before = interrupt
    status, _, errors = run("apply", *YES)
    assert status == 1
    assert errors == (
        "Cancelled. Stage live was not moved: callers get what they got before. 2 of 6 calls are done and stay in the API's "
        "configuration, from which nobody is served. Plan again to finish it, or plan an earlier revision to take it back.\n"
    )
    pipeline.line.before = lambda service, operation, parameters: None
    assert run("apply", *YES)[0] == 2
    assert len(pipeline.plane.apis) == 1
