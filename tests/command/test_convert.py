"""`manage.py convert` as a pipeline runs it."""

import json
import subprocess
import sys
from pathlib import Path

from integrations.gateway.definition import Api, Http, Integration, Route, dumps, loads

ROOT = Path(__file__).resolve().parents[2]


def convert(*arguments: str, given: bytes) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "django", "convert", "--settings", "configurator.settings", "-", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def an_api(**options: object) -> Api:
    integration = Integration(backend=Http(url="https://books.example.com"), **options)  # type: ignore[arg-type]
    return Api(name="books", routes=(Route(path="/books", integration=integration),))


def test_the_definition_is_written_back_as_it_was() -> None:
    status, out, errors = convert("--to", "definition", given=dumps(an_api()).encode())

    assert (status, loads(out), errors) == (0, an_api(), "")


def test_a_template_goes_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "books.json"

    assert convert("--to", "cloudformation-json", "--out", str(path), given=dumps(an_api()).encode()) == (0, "", "")
    assert (
        json.loads(path.read_text())["Resources"]["GetBooks"]["Properties"]["Integration"]["Uri"] == "https://books.example.com"
    )


def test_what_is_lost_is_said_and_leaves_with_1() -> None:
    given = dumps(an_api(insecure_skip_verification=True)).encode()
    status, out, errors = convert("--to", "cloudformation-json", given=given)

    assert (status, "TlsConfig" in out) == (1, False)
    assert errors.startswith("failure at routes.0.integration.insecure_skip_verification: AWS::ApiGateway::Method has no TLS")


def test_what_cannot_be_read_leaves_with_2() -> None:
    assert convert("--to", "definition", given=b"{")[0] == 2
