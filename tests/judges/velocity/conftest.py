"""Apache Velocity and Jayway JsonPath as a process: a question in, an answer out."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

JARS = Path("/usr/share/java")
NEEDED = (
    "velocity-1.7",
    "commons-collections3",
    "commons-lang",
    "json-path",
    "json-smart",
    "accessors-smart",
    "asm",
    "slf4j-api",
    "slf4j-nop",
)


class Java:
    """The running judge."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, **question: Any) -> dict[str, Any]:
        """`template` and `variables`, or `path` and `document` → `answer`, `nowhere` or `error`."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@pytest.fixture(scope="session")
def java(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Java]:
    """Compiled once, running as long as the tests do."""
    jars = [JARS / f"{name}.jar" for name in NEEDED]
    if not shutil.which("javac") or not all(jar.exists() for jar in jars):
        pytest.skip("javac, or Debian's velocity and libjsonpath-java, are not installed")
    folder = tmp_path_factory.mktemp("velocity")
    path = ":".join(map(str, [*jars, folder]))
    subprocess.run(["javac", "-d", str(folder), "-cp", path, str(Path(__file__).with_name("Velocity.java"))], check=True)
    with subprocess.Popen(["java", "-cp", path, "Velocity"], stdin=-1, stdout=-1, text=True, encoding="utf-8") as process:
        yield Java(process)
        assert process.stdin
        process.stdin.close()
