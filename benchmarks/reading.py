"""Reading, checking and writing whole files, against cfn-lint on the same files in the same run.

    python benchmarks/reading.py [--rounds 5]

The files: the largest template of the corpus (`$GATEHOUSE_CORPUS`; left out where there is none), and an API of 300 routes as
our own CloudFormation export. Reading is from text to definitions with the place of every part; writing is the CloudFormation
export. cfn-lint runs in this process, so that it is not charged for its start.
Goals: reading, checking and writing both files in under 1 s, and at least 20 times faster than cfn-lint.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cfnlint.api import ManualArgs, lint

from benchmarks.measure import lines, medians, spent
from integrations.gateway.definition import (
    Api,
    AwsService,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    Mock,
    Model,
    Route,
    Template,
)
from integrations.gateway.formats import FORMATS, read
from integrations.gateway.rules import check

ROOT = Path(__file__).resolve().parents[1]
CORPUS = Path(os.environ.get("GATEHOUSE_CORPUS", ROOT.parent / "shared" / "corpus"))
WRITE = FORMATS["cloudformation"]
ANSWERS = (
    IntegrationResponse(status_code="200", response_templates={"application/json": Template("$input.json('$.Item')")}),
    IntegrationResponse(status_code="404", selection_pattern="4\\d{2}", response_parameters={"method.response.header.A": "'b'"}),
)
INTEGRATIONS = (
    Integration(backend=Lambda(function="${Books.Arn}")),
    Integration(
        backend=Http(url="https://books.example.com/{id}", proxy=False),
        request_parameters={"integration.request.path.id": "method.request.path.id"},
        integration_responses=ANSWERS,
        timeout_ms=5_000,
    ),
    Integration(
        backend=AwsService(service="dynamodb", action="GetItem"),
        credentials_role="${Role.Arn}",
        request_templates={"application/json": Template('{"TableName": "books", "Key": {"id": {"S": "$input.params(\'id\')"}}}')},
        integration_responses=ANSWERS,
    ),
    Integration(
        backend=Mock(),
        request_templates={"application/json": Template('{"statusCode": 200}')},
        integration_responses=ANSWERS[:1],
    ),
)


def made() -> Api:
    """An API of 300 routes: a hundred resources of three methods, four integrations in turn."""
    routes = [
        Route(method=method, path=f"/shelf{shelf}/{{id}}", integration=INTEGRATIONS[(shelf + number) % len(INTEGRATIONS)])
        for shelf in range(100)
        for number, method in enumerate(("GET", "PUT", "DELETE"))
    ]
    return Api(name="library", routes=tuple(routes), models=(Model(name="Book", schema='{"type": "object"}'),))


def largest() -> dict[str, str]:
    """The largest file of the corpus, by its size."""
    files = sorted((CORPUS / "files").glob("*"), key=lambda file: file.stat().st_size)
    return {f"largest template ({files[-1].stat().st_size // 1000:,} kB)": files[-1].read_text("utf-8-sig")} if files else {}


def whole(text: str) -> None:
    """From text to definitions, to what the rules find, to text again."""
    for each in read(text).apis:
        check(each.api)
        WRITE.dump(each.api)


def judged(texts: Iterable[str]) -> float:
    """The seconds that cfn-lint takes for the texts, once; its rules are loaded before."""
    lint(WRITE.dump(Api(name="none")).text, config=ManualArgs(regions=["eu-west-1"]))
    start = spent()
    for text in texts:
        lint(text, config=ManualArgs(regions=["eu-west-1"]))
    return spent() - start


def main() -> None:
    """Print a line a task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    text = WRITE.dump(made()).text
    texts = largest() | {f"300 routes ({len(text) // 1000:,} kB)": text}

    def every() -> None:
        for each in texts.values():
            whole(each)

    parts = {f"  {name}": partial(whole, each) for name, each in texts.items()}
    reading = {f"  reading alone, {name}": partial(read, each) for name, each in texts.items()}
    found = medians({"read, check, write": every, **parts, **reading}, rounds) | {"cfn-lint": judged(texts.values())}
    print(lines(found, "read, check, write"))
    took = found["read, check, write"]
    print(f"All of it takes {took:.2f} s (goal: under 1), cfn-lint {found['cfn-lint'] / took:,.0f} times as long (goal: 20).")


if __name__ == "__main__":
    main()
