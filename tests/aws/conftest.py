"""An account of LocalStack's, reached as an environment is; and what carries a plan out where nobody watches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from integrations.aws import Account, connect
from integrations.gateway.plan import Plan
from integrations.gateway.plan.things import settled
from tests.aws.deployments import Scene, a_scene


@dataclass(frozen=True)
class Place:
    """Where to go, as an Environment says it."""

    endpoint: str
    account: str = "111122223333"
    region: str = "eu-west-1"
    access: str = "chain"
    profile: str = ""
    role_arn: str = ""
    external_id: str = ""


@pytest.fixture
def account(localstack: str, credentials: object) -> Account:
    """An account, entered."""
    return connect(Place(localstack), person="ann", operation="gh-0123456789abcdef")


@pytest.fixture
def scene(transactional_db: None, credentials: object) -> Iterator[Scene]:
    """A control plane of the tests' own, and where to deploy."""
    with a_scene() as scene:
        yield scene


def carried_out(account: Account, plan: Plan) -> str:
    """Every call of a plan, in order; the API's id."""
    answers: dict[str, Mapping[str, Any]] = {}
    for planned in plan.calls:
        parameters = {name: settled(value, {}, answers) for name, value in planned.call.parameters.items()}
        answer = account.perform(planned.call.service, planned.call.operation, parameters)
        if planned.call.name:
            answers[planned.call.name] = answer
    return plan.api_id or str(answers["api"]["id"])
