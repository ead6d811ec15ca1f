"""How long a page waits for an account: what would come later is refused with words, and is for the command line."""

import pytest

from integrations import aws
from integrations.aws import AwsError, connect
from tests.aws.conftest import Place

pytestmark = pytest.mark.localstack


def test_what_is_asked_too_late_is_refused_with_words(
    localstack: str, credentials: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = connect(Place(localstack), person="ada", within=10)
    assert account.until is not None
    account.rest_apis()
    monkeypatch.setattr(account, "until", account.until - 10)
    with pytest.raises(AwsError) as refusal:
        account.rest_apis()
    assert refusal.value.code == "TooSlow"
    assert "AWS took longer than 10 seconds to answer" in str(refusal.value)


def test_a_worker_waits_as_long_as_it_takes(localstack: str, credentials: object) -> None:
    account = connect(Place(localstack), person="ada")
    assert account.until is None
    assert account.client("apigateway").meta.config.read_timeout == aws.READ_SECONDS
