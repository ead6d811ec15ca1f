"""`manage.py convert` as a pipeline runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from integrations.gateway.definition import (
    Api,
    DeploymentParameter,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Model,
    Route,
    dumps,
    loads,
)
from integrations.gateway.formats import FORMATS

ROOT = Path(__file__).resolve().parents[2]


def convert(*arguments: str, given: bytes = b"", file: str = "-") -> tuple[int, str, str]:
    command = [sys.executable, "-m", "django", "convert", "--settings", "configurator.settings", file, *arguments]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def an_api(**options: object) -> Api:
    integration = Integration(backend=Http(url="https://books.example.com"), **options)  # type: ignore[arg-type]
    return Api(name="books", routes=(Route(path="/books", integration=integration),))


def test_the_definition_is_written_back_as_it_was() -> None:
    status, out, errors = convert("--to", "definition", given=dumps(an_api()).encode())

    assert (status, loads(out), errors) == (0, an_api(), "")


@pytest.mark.parametrize("to", FORMATS)
def test_a_plain_definition_goes_to_every_format_with_0(to: str) -> None:
    export = FORMATS[to].dump(an_api())
    status, out, errors = convert("--to", to, given=dumps(an_api()).encode())

    assert (status, out, errors.count("\n")) == (0, export.text, len(export.findings))


@pytest.mark.parametrize("name", ["openapi", "openapi-json"])
def test_openapi_is_read_as_well(name: str, tmp_path: Path) -> None:
    path = tmp_path / "books.txt"
    path.write_text("\ufeff" + FORMATS[name].dump(an_api()).text, encoding="utf-8")
    status, out, errors = convert("--to", "definition", file=str(path))

    assert (status, loads(out), errors) == (0, an_api(), "")


def test_a_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "books.json"

    assert convert("--to", "cloudformation-json", "--out", str(path), given=dumps(an_api()).encode()) == (0, "", "")
    assert path.read_text() == FORMATS["cloudformation-json"].dump(an_api()).text
    status, out, errors = convert("--to", "openapi", "--out", str(tmp_path / "no" / "a"), given=dumps(an_api()).encode())
    assert (status, out, errors.endswith("No such file or directory. Nothing was written.\n")) == (2, "", True)


def test_what_is_lost_is_said_and_leaves_with_1() -> None:
    given = dumps(an_api(insecure_skip_verification=True)).encode()
    status, out, errors = convert("--to", "cloudformation-json", given=given)

    assert (status, "TlsConfig" in out) == (1, False)
    assert errors.startswith("failure at routes.0.integration.insecure_skip_verification: ")


def test_what_is_lost_in_reading_is_said_and_leaves_with_1() -> None:
    document = json.loads(FORMATS["openapi-json"].dump(an_api()).text)
    document["paths"]["/books"]["get"]["summary"] = "All\x1b[31m books"
    document["x\x1b[31m"] = 1
    status, out, errors = convert("--to", "definition", given=json.dumps(document).encode())

    assert (status, loads(out)) == (1, an_api())
    assert errors == (
        "ignored in line 1: x\\x1b[31m: Gatehouse does not read this. It was left out.\n"
        "ignored in line 1: paths./books.get.summary (descriptions, summaries, tags, examples) document the API; a definition"
        " does not hold them. They were left out.\n"
    )


def test_a_note_leaves_with_0() -> None:
    integration = Integration(backend=Lambda(function="arn:aws:lambda:eu-west-1:111122223333:function:books"))
    status, out, errors = convert("--to", "openapi", given=dumps(Api(routes=(Route(integration=integration),))).encode())

    assert (status, list(yaml.safe_load(out)["paths"])) == (0, ["/"])
    assert errors.startswith("failure at routes.0.integration.backend.function: OpenAPI holds no Lambda permission")


def test_what_a_format_refuses_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "books.yaml"
    api = Api(models=(Model(name="Book", schema="{"),), routes=an_api().routes)
    status, out, errors = convert("--to", "openapi", "--out", str(path), given=dumps(api).encode())

    assert (status, out, path.exists()) == (1, "", False)
    assert errors.endswith("Nothing was written: OpenAPI YAML cannot hold this definition.\n")


def test_a_default_is_not_lost() -> None:
    options = {"credentials_passthrough": False, "insecure_skip_verification": False}
    backend = Lambda(function="arn:aws:lambda:eu-west-1:111122223333:function:a", allow_test_invoke=True)
    api = Api(stage_name="prod", routes=(Route(integration=Integration(backend=backend, **options), api_key_required=False),))  # type: ignore[arg-type]

    assert convert("--to", "openapi", given=dumps(api).encode())[0] == 0


def referring() -> Api:
    answers = (IntegrationResponse(status_code="${Status}"),)
    integration = Integration(backend=Http(url="https://${Host}/${!x}", proxy=False), integration_responses=answers)
    parameters = (DeploymentParameter(name="Host", kind="text", default="books.example.com"), DeploymentParameter(name="Unused"))
    return Api(name="books", parameters=parameters, routes=(Route(integration=integration, method="${Verb}"),))


def test_parameters_are_given_their_values() -> None:
    given = dumps(referring()).encode()
    values = ["--set", "Host=a=${b}", "--set", "Status=200", "--set", "Verb=POST", "--set", "Unused="]
    status, out, errors = convert("--to", "openapi-json", *values, given=given)

    operation = json.loads(out)["paths"]["/"]["post"]
    assert operation["x-amazon-apigateway-integration"]["uri"] == "https://a=${b}/${x}"
    assert list(operation["responses"]) == ["200"]
    assert (status, errors.count("\n"), "reads back" in errors or "read back" in errors) == (0, 1, True)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("Hosts=a", "--set Hosts: the definition has no such parameter. It has Host, Unused, Verb, Status. Nothing was written."),
        ("Host", "argument --set: 'Host' is not NAME=VALUE"),
        ("=a", "argument --set: '=a' is not NAME=VALUE"),
    ],
)
def test_an_unknown_parameter_is_said(value: str, message: str) -> None:
    status, out, errors = convert("--to", "openapi", "--set", value, given=dumps(referring()).encode())

    assert (status, out) == (2, "")
    assert message in errors


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (b"{", "-: line 1, column 2: This is not JSON"),
        (b"\xff", "-: byte 0 is not UTF-8. Save the file as UTF-8."),
        (b"a: 1", "-: line 1: This is no file that Gatehouse reads. At its outermost level one of these keys is wanted: "),
        (b"", "-: line 1: The file is empty."),
        (b"[1]", "-: line 1: This is no file that Gatehouse reads."),
        (b'{"schema":1,"x":1}', "has no field 'x'"),
        (b'{"a":' * 100_000, "-: line 1, column 501: This is nested more than 100 levels deep."),
        (b"[1, " * 100_000, "-: line 1, column 401: This is nested more than 100 levels deep."),
        (b"openapi: 3.0.1\nx: *a\n", "-: line 2, column 4: "),
        (b" " * 8_000_001, "-: The file is longer than 8,000,000 bytes."),
    ],
    ids=["JSON", "UTF-8", "keys", "empty", "list", "field", "depth", "list depth", "alias", "long"],
)
def test_what_cannot_be_read_leaves_with_2(given: bytes, message: str) -> None:
    status, out, errors = convert("--to", "definition", given=given)

    assert (status, out) == (2, "")
    assert errors.startswith(message) or message in errors
    assert errors.count("\n") == 1


def test_no_database_is_touched(tmp_path: Path) -> None:
    given = dumps(Api(routes=(Route(integration=Integration(backend=Mock())),))).encode()
    command = [sys.executable, "-m", "django", "convert", "--settings", "configurator.settings", "-", "--to", "definition"]
    environment = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "GATEHOUSE_DATA": str(tmp_path), "SECRET_KEY": "x" * 50}
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, timeout=60, check=False, env=environment)

    assert (done.returncode, list(tmp_path.iterdir())) == (0, [])


def test_several_apis_go_to_a_folder_each_under_its_own_name(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.yaml", "b.json")]
    files[0].write_text(FORMATS["cloudformation"].dump(an_api()).text, encoding="utf-8")
    files[1].write_text(dumps(an_api(timeout_ms=50)), encoding="utf-8")
    out = tmp_path / "out"

    refused = convert(str(files[1]), "--to", "definition", file=str(files[0]))
    out.mkdir()
    status, printed, errors = convert(str(files[1]), "--to", "definition", "--out", str(out), file=str(files[0]))

    assert refused == (2, "", "2 APIs are to be written: give an existing folder as --out. Nothing was written.\n")
    assert (status, printed, errors) == (0, "", "")
    assert {path.name: loads(path.read_text()) for path in out.iterdir()} == {
        "books.json": an_api(),
        "books2.json": an_api(timeout_ms=50),
    }
