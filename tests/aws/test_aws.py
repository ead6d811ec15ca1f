"""Who Gatehouse is in an account, what it reads there, and what AWS's refusals become; judged by moto and botocore's Stubber."""

import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProfileNotFound, ReadTimeoutError
from botocore.stub import Stubber
from moto import mock_aws

from integrations.aws import Account, AwsError, WrongAccount, connect, error_of, session_name
from integrations.gateway.calls import Joined, Ref
from integrations.gateway.plan import make_plan
from integrations.gateway.plan.things import settled
from tests.aws.cases import CASES, VALUES, Case
from tests.aws.conftest import Place

OWN, OTHER = "123456789012", "222222222222"


@pytest.fixture
def moto(credentials: Callable[[str], None]) -> Iterator[None]:
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


def there(account: str = OWN, **way: str) -> Account:
    return connect(Place("", account=account, **way), person="Ann Böll", operation="gh-0123456789abcdef")


# --- Identity --------------------------------------------------------------------------------------


def test_it_says_who_it_is(moto: None) -> None:
    assert there().identity().account == OWN


def test_another_account_is_refused_before_anything_else(moto: None) -> None:
    with pytest.raises(WrongAccount) as refused:
        there(OTHER)
    assert str(refused.value).startswith(f"The credentials lead into account {OWN} as arn:aws:")
    assert str(refused.value).endswith(
        f"and the environment is account {OTHER}. Nothing was changed. "
        "Correct the account, or the profile or role that leads there."
    )


def test_a_role_is_assumed_with_a_name_that_says_who_and_what_for(moto: None) -> None:
    account = there(OTHER, access="role", role_arn=f"arn:aws:iam::{OTHER}:role/deployer", external_id="x-1")
    who = account.identity()
    assert (who.account, who.arn) == (
        OTHER,
        f"arn:aws:sts::{OTHER}:assumed-role/deployer/gatehouse-gh-0123456789abcdef-Ann-B-ll",
    )


@pytest.mark.parametrize(
    ("person", "operation", "name"),
    [
        ("ann", "", "gatehouse-ann"),
        ("ann@example.com", "gh-1", "gatehouse-gh-1-ann@example.com"),
        ("ünïcode / name", "", "gatehouse-n-code-name"),
        ("x" * 80, "", "gatehouse-" + "x" * 54),
    ],
)
def test_a_session_name_is_one_that_sts_takes(person: str, operation: str, name: str) -> None:
    assert session_name(person, operation) == name


def test_one_account_does_not_see_another_s_api(moto: None) -> None:
    mine, theirs = there(), there(OTHER, access="role", role_arn=f"arn:aws:iam::{OTHER}:role/deployer")
    made = mine.perform("apigateway", "create_rest_api", {"name": "books", "tags": {"gatehouse": "gh-1"}})["id"]
    assert mine.account_state(made).api_id == made
    assert theirs.account_state(made).api is None
    assert ([one["id"] for one in mine.rest_apis()], theirs.rest_apis()) == ([made], ())


# --- Reading ---------------------------------------------------------------------------------------


def test_the_policy_of_a_function_is_read_and_a_missing_one_is_empty(moto: None) -> None:
    account = there()
    trust = json.dumps(
        {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    )
    role = boto3.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    account.client("lambda").create_function(
        FunctionName="orders", Runtime="python3.13", Role=role, Handler="a.b", Code={"ZipFile": b"PK\x05\x06" + b"\0" * 18}
    )
    function = f"arn:aws:lambda:eu-west-1:{OWN}:function:orders"
    source = f"arn:aws:execute-api:eu-west-1:{OWN}:a1b2/prod/GET/"
    permission = {"FunctionName": function, "StatementId": "one", "Action": "lambda:InvokeFunction"}
    account.perform("lambda", "add_permission", {**permission, "Principal": "apigateway.amazonaws.com", "SourceArn": source})
    state = account.account_state("", functions=[function, f"{function}-missing"])
    assert [statement["Sid"] for statement in state.policies[function]] == ["one"]
    assert state.policies[f"{function}-missing"] == ()


@functools.cache
def a_client(service: str) -> Any:
    """One client of a service for all tests: botocore reads long models to make one."""
    return Account(Place(""), "gatehouse").client(service)


class Stubbed(Account):
    """An account whose clients answer what is laid out, and refuse other calls than those."""

    def __init__(self) -> None:
        super().__init__(Place(""), "gatehouse")
        self.stubs = {service: Stubber(a_client(service)) for service in ("apigateway", "lambda", "sts")}
        who = {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/ann", "UserId": "x"}
        self.stubs["sts"].add_response("get_caller_identity", who, {})

    def client(self, service: str, *, tries: int = 1) -> Any:
        return a_client(service)


@pytest.fixture
def stubbed(credentials: object) -> Iterator[Stubbed]:
    account = Stubbed()
    with contextlib.ExitStack() as stack:
        for stub in account.stubs.values():
            stack.enter_context(stub)
        yield account
        for stub in account.stubs.values():
            stub.assert_no_pending_responses()


def test_lists_are_read_page_by_page(stubbed: Stubbed) -> None:
    at = {"restApiId": "a1b2", "limit": 500}
    api = stubbed.stubs["apigateway"]
    api.add_response("get_rest_api", {"id": "a1b2", "name": "books"}, {"restApiId": "a1b2"})
    first, second = {"id": "r0", "path": "/"}, {"id": "r1", "path": "/books", "parentId": "r0", "pathPart": "books"}
    api.add_response("get_resources", {"items": [first], "position": "p1"}, {**at, "embed": ["methods"]})
    api.add_response("get_resources", {"items": [second]}, {**at, "embed": ["methods"], "position": "p1"})
    for operation in ("get_models", "get_request_validators", "get_authorizers"):
        api.add_response(operation, {"items": []}, at)
    default, own = (
        {"responseType": "THROTTLED", "defaultResponse": True},
        {"responseType": "UNAUTHORIZED", "defaultResponse": False},
    )
    api.add_response("get_gateway_responses", {"items": [default, own]}, at)
    api.add_response("get_deployments", {"items": []}, at)
    api.add_response("get_stages", {"item": []}, {"restApiId": "a1b2"})
    state = stubbed.account_state("a1b2", stage_name="prod")
    assert state.resources == (first, second)
    assert state.gateway_responses == (own,)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_planned_call_is_one_that_boto3_takes(stubbed: Stubbed, case: Case) -> None:
    """botocore's Stubber validates each call against AWS's service model."""
    plan = make_plan(case.api, stubbed.account_state(""), values=VALUES, stage_name="test")
    answers: dict[str, Any] = {}
    for number, planned in enumerate(plan.calls):
        sent = {name: settled(value, {}, answers) for name, value in planned.call.parameters.items()}
        assert not any(isinstance(value, Ref | Joined) for value in sent.values())
        answer = (
            {}
            if planned.call.service == "lambda" or planned.call.operation.startswith(("put", "update"))
            else {"id": f"i{number}"}
        )
        answer |= {"rootResourceId": "root"} if planned.call.name == "api" else {}
        answer = {"deploymentId": "d1"} if planned.call.operation == "create_stage" else answer
        stubbed.stubs[planned.call.service].add_response(planned.call.operation, answer, sent)
        answers[planned.call.name] = stubbed.perform(planned.call.service, planned.call.operation, sent)


# --- Refusals --------------------------------------------------------------------------------------


def refused(code: str, message: str = "said", status: int = 400, **headers: str) -> AwsError:
    metadata = {"HTTPStatusCode": status, "RequestId": "r-1", "HTTPHeaders": headers}
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
    return error_of(ClientError(response, "PutMethod"), "apigateway.put_method")


PROPERTIES = (
    "is_throttled",
    "is_unanswered",
    "is_concurrent",
    "is_missing",
    "is_expired",
    "is_denied",
    "is_passing",
)


@pytest.mark.parametrize(
    ("error", "holds"),
    [
        (refused("TooManyRequestsException", "Too Many Requests", 429), {"is_throttled", "is_passing"}),
        (refused("ThrottlingException", "Rate exceeded"), {"is_throttled", "is_passing"}),
        (refused("LimitExceededException", "Maximum number of resources reached", 429), set()),
        (refused("LimitExceededException", "Rate exceeded", 429, **{"retry-after": "3"}), {"is_throttled", "is_passing"}),
        (
            refused("ConflictException", "Unable to complete operation due to concurrent modification. Try later.", 409),
            {"is_concurrent", "is_passing"},
        ),
        (refused("ConflictException", "Method already exists for this resource", 409), set()),
        (refused("ResourceConflictException", "The statement id (a) provided already exists", 409), set()),
        (refused("NotFoundException", "Invalid API identifier specified", 404), {"is_missing"}),
        (refused("ExpiredTokenException", "The security token is expired", 403), {"is_expired", "is_passing"}),
        (refused("AccessDeniedException", "not authorized to perform: apigateway:PUT", 403), {"is_denied"}),
        (refused("UnrecognizedClientException", "The security token is invalid", 403), set()),
        (refused("BadRequestException", "Invalid mapping expression specified"), set()),
        (refused("InternalFailure", "Internal error", 500), {"is_unanswered", "is_passing"}),
        (error_of(EndpointConnectionError(endpoint_url="https://x"), "sts.get_caller_identity"), {"is_unanswered", "is_passing"}),
        (error_of(ReadTimeoutError(endpoint_url="https://x"), "apigateway.put_method"), {"is_unanswered", "is_passing"}),
        (error_of(NoCredentialsError(), "sts.get_caller_identity"), set()),
        (error_of(ProfileNotFound(profile="prod"), "sts.get_caller_identity"), set()),
    ],
    ids=lambda value: value.code + "-" + str(value)[:20] if isinstance(value, AwsError) else "",
)
def test_refusals_are_told_apart(error: AwsError, holds: set[str]) -> None:
    assert {name for name in PROPERTIES if getattr(error, name)} == holds


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused("BadRequestException", "Invalid mapping expression specified"), "Invalid mapping expression specified."),
        (
            refused("AccessDeniedException", "not authorized to perform: apigateway:PUT", 403),
            "The role may not call apigateway.put_method: not authorized to perform: apigateway:PUT. Give it that permission; "
            "docs/deploy.md lists what a deployment needs.",
        ),
        (
            refused("ExpiredTokenException", "The security token is expired", 403),
            "The credentials expired before apigateway.put_method: The security token is expired. "
            "Sign the server in to AWS again.",
        ),
        (
            error_of(ProfileNotFound(profile="prod"), "sts.get_caller_identity"),
            "The config profile (prod) could not be found. Name a profile of the server's AWS configuration in the environment.",
        ),
    ],
)
def test_a_refusal_says_what_to_do(error: AwsError, words: str) -> None:
    assert str(error) == words


def test_a_refusal_keeps_what_aws_counts_it_by() -> None:
    error = refused("TooManyRequestsException", "Too Many Requests", 429, **{"retry-after": "2"})
    assert (error.code, error.status, error.request_id, error.retry_after) == ("TooManyRequestsException", 429, "r-1", 2.0)


def test_no_credentials_are_said_before_anything_is_called(monkeypatch: pytest.MonkeyPatch, credentials: object) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(AwsError, match="The server has no credentials"):
        there(OTHER, access="role", role_arn=f"arn:aws:iam::{OTHER}:role/deployer")


def test_where_there_is_no_api_there_is_still_a_place(stubbed: Stubbed) -> None:
    state = stubbed.account_state("")
    assert (state.api, state.resources, state.region, state.partition) == (None, (), "eu-west-1", "aws")
    assert (state.account, state.dns_suffix) == ("111122223333", "amazonaws.com")
