"""The pace that AWS allows."""

import botocore.session
import pytest

from integrations.gateway.rates import ALL_OPERATIONS, RATES, SECONDS_A_CALL, Pace, seconds


@pytest.mark.parametrize(
    ("operation", "number", "wanted"),
    [
        ("create_deployment", 3, 10),
        ("delete_rest_api", 2, 30),
        ("create_rest_api", 3, 6),
        ("put_rest_api", 4, 3),
        ("create_resource", 5, 0),
        ("create_resource", 15, 2),
        ("get_resources", 5, 0),
        ("get_resources", 10, 2),
        ("put_method", 40, 0),
        ("put_method", 140, 10),
    ],
)
def test_many_calls_at_once_wait_for_their_rate(operation: str, number: int, wanted: float) -> None:
    pace, now = Pace(), 1_000.0
    for _ in range(number):
        now += pace.wait("apigateway", operation, now)
        pace.take("apigateway", operation, now)
    assert now - 1_000 == pytest.approx(wanted)


def test_other_operations_use_up_the_rate_of_all() -> None:
    pace = Pace()
    for _ in range(40):
        pace.take("apigateway", "put_method", 0)
    assert pace.wait("apigateway", "create_resource", 0) == pytest.approx(0.1)
    assert pace.wait("lambda", "add_permission", 0) == 0


def test_a_refused_call_waits_as_if_others_had_used_the_rate() -> None:
    pace = Pace()
    pace.drain("apigateway", "create_deployment", 50)
    assert pace.wait("apigateway", "create_deployment", 50) == pytest.approx(5)
    assert pace.wait("apigateway", "put_method", 50) == 0


def test_a_forecast_adds_the_answers_to_the_waits() -> None:
    assert seconds([]) == 0
    assert seconds([("apigateway", "put_method")] * 10) == pytest.approx(10 * SECONDS_A_CALL)
    assert seconds([("apigateway", "create_deployment")] * 2) == pytest.approx(5 + SECONDS_A_CALL)


def test_every_rate_is_of_an_operation_that_boto3_knows() -> None:
    session = botocore.session.get_session()
    known = {
        (service, botocore.xform_name(name))
        for service in ALL_OPERATIONS
        for name in session.get_service_model(service).operation_names
    }
    assert set(RATES) <= known
