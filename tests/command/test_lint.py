"""`manage.py lint` as a pipeline runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from integrations.gateway.definition import Api, Http, Integration, Route, dumps, loads
from integrations.gateway.formats import FORMATS

ROOT = Path(__file__).resolve().parents[2]


def lint(*arguments: str, given: bytes = b"") -> tuple[int, str, str]:
    command = [sys.executable, "-m", "django", "lint", "--settings", "configurator.settings", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def definition(**options: object) -> bytes:
    integration = Integration(backend=Http(url="https://books.example.com", proxy=True), **options)  # type: ignore[arg-type]
    return dumps(Api(name="books", routes=(Route(path="/books", integration=integration),))).encode()


def test_a_clean_definition_leaves_with_0() -> None:
    assert lint("-", given=definition()) == (0, "", "")


def test_an_error_leaves_with_1_and_says_where() -> None:
    status, out, _ = lint("-", "--format", "json", given=definition(timeout_ms=49))

    assert status == 1
    [row] = json.loads(out)
    assert row["docs"].startswith("https://docs.aws.amazon.com/")
    assert {key: row[key] for key in ("file", "route", "path", "line", "rule", "severity", "message", "aws")} == {
        "file": "-",
        "route": "GET /books",
        "path": ["routes", 0, "integration", "timeout_ms"],
        "line": 1,
        "rule": "X1",
        "severity": "error",
        "message": "Use 50 ms or more.",
        "aws": "Timeout should be between 50 ms and 29000 ms",
    }


def test_a_warning_leaves_with_0_and_is_printed() -> None:
    status, out, _ = lint("-", given=definition(timeout_ms=29_001))

    assert status == 0
    assert out.startswith("-: GET /books: failure X1-quota at integration.timeout_ms in line 1: Use 29,000 ms or less")


@pytest.mark.parametrize(
    ("given", "reason"),
    [(b"\xff", "byte 0 is not UTF-8"), (b"{", "This is not JSON"), (b'{"schema":1,"x":1}', "has no field 'x'")],
)
def test_what_cannot_be_read_leaves_with_2_and_the_reason(given: bytes, reason: str) -> None:
    status, out, errors = lint("-", given=given)

    assert (status, out) == (2, "")
    assert reason in errors


def test_a_missing_file_leaves_with_2(tmp_path: Path) -> None:
    assert lint(str(tmp_path / "none.json")) == (2, "", f"{tmp_path / 'none.json'}: No such file or directory. Check the path.\n")


def test_many_files_of_many_formats(tmp_path: Path) -> None:
    openapi, plain, broken = (tmp_path / name for name in ("books.yaml", "books.json", "none.json"))
    plain.write_bytes(definition(timeout_ms=49))
    openapi.write_text(
        FORMATS["openapi"].dump(loads(definition(timeout_ms=29_001).decode())).text.replace("get:", "get:\n      tags: [books]")
    )
    broken.write_text("{")

    status, out, errors = lint(str(openapi), str(plain), str(broken))

    assert status == 2
    assert errors.startswith(f"{broken}: line 1, column 2: This is not JSON")
    assert [line.split(": Use")[0] for line in out.splitlines()] == [
        f"{openapi}: ignored import-lost in line 8: paths./books.get.tags (descriptions, summaries, tags, examples) document the"
        " API; a definition does not hold them. They were left out.",
        f"{openapi}: GET /books: failure X1-quota at integration.timeout_ms in line 14",
        f"{plain}: GET /books: error X1 at integration.timeout_ms in line 1",
    ]


def test_a_document_beside_a_template_is_read_with_its_own_lines(tmp_path: Path) -> None:
    template, document = tmp_path / "template.yaml", tmp_path / "api.yaml"
    template.write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Api:\n    Type: AWS::Serverless::Api\n"
        "    Properties: {StageName: prod, DefinitionUri: ./api.yaml}\n"
    )
    text = FORMATS["openapi"].dump(loads(definition(timeout_ms=49).decode())).text
    document.write_text(text)

    status, out, errors = lint(str(template), "--format", "json")

    [row] = json.loads(out)
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "timeoutInMillis" in each)
    assert (status, errors) == (1, "")
    assert {key: row[key] for key in ("file", "line", "rule")} == {"file": str(document), "line": line, "rule": "X1"}
