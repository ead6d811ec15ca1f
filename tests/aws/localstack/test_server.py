"""LocalStack stands, is reached over 127.0.0.1 alone, and runs functions."""

import io
import json
import socket
import zipfile
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

pytestmark = pytest.mark.localstack


def client(url: str, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service, endpoint_url=url, region_name="eu-west-1", aws_access_key_id="111122223333", aws_secret_access_key="x"
    )


def test_it_says_who_calls(localstack: str) -> None:
    assert client(localstack, "sts").get_caller_identity()["Account"] == "111122223333"


def test_it_listens_on_loopback_alone(localstack: str) -> None:
    port = urlsplit(localstack).port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; only says which address the machine would send from
        own = probe.getsockname()[0]
    with socket.socket() as outside, pytest.raises(ConnectionRefusedError):
        outside.connect((own, port))


def test_a_function_answers(localstack: str) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "def call(event, context):\n    return {'got': event, 'by': context.function_name}\n")
    functions = client(localstack, "lambda")
    functions.create_function(
        FunctionName="echo",
        Runtime="python3.13",
        Role="arn:aws:iam::111122223333:role/any",
        Handler="handler.call",
        Code={"ZipFile": code.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="echo", WaiterConfig={"Delay": 1})
    answer = functions.invoke(FunctionName="echo", Payload=json.dumps({"a": 1}))
    assert json.load(answer["Payload"]) == {"got": {"a": 1}, "by": "echo"}
