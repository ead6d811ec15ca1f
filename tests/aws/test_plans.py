"""Plans carried out in LocalStack: what is applied is there, and a second plan has nothing to do."""

import pytest

from integrations.aws import Account
from integrations.gateway.definition import parameters_of
from integrations.gateway.plan import make_plan
from integrations.gateway.recipes import RECIPES
from tests.aws.conftest import carried_out

pytestmark = pytest.mark.localstack

VALUES = {
    "function": "arn:aws:lambda:eu-west-1:111122223333:function:orders",
    "role": "arn:aws:iam::111122223333:role/gateway",
    "vpc_link": "abc123",
    "url": "https://books.example.com",
    "number": "3",
    "text": "text",
}


@pytest.mark.parametrize(
    "slug",
    ["http-proxy", "sqs-send-message", "step-functions-start-execution", "dynamodb-put-item", "s3-get-object", "mock-cors"],
)
def test_a_second_plan_is_empty(account: Account, slug: str) -> None:
    api = RECIPES[slug].api
    values = {parameter.name: VALUES[parameter.kind] for parameter in parameters_of(api) if parameter.default is None}
    plan = make_plan(api, account.account_state(""), values=values, stage_name="test")
    api_id = carried_out(account, plan)
    again = make_plan(api, account.account_state(api_id, stage_name="test"), values=values, stage_name="test")
    assert (again.calls, again.changes) == ((), ())
