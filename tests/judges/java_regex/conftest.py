"""A running java.util.regex to compare with, made from JavaRegex.java in a temporary folder."""

import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class JavaRegex:
    process: subprocess.Popen[str]
    version: int

    def verdict(self, pattern: str, subjects: Sequence[str]) -> list[bool | None] | None:
        """None when Java refuses the pattern; else for each subject whether it matches, None for undecided."""
        assert self.process.stdin is not None and self.process.stdout is not None
        fields = (b64encode(text.encode()).decode() for text in (pattern, *subjects))
        self.process.stdin.write("\t".join(fields) + "\n")
        self.process.stdin.flush()
        answer, _, matches = self.process.stdout.readline().rstrip("\n").partition(" ")
        if answer == "refused":
            return None
        assert answer == "accepted", f"{pattern!r}: Java answered {answer} {matches}"
        return [{"1": True, "0": False, "?": None}[match] for match in matches]


@pytest.fixture(scope="session")
def java_regex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaRegex]:
    javac, java = shutil.which("javac"), shutil.which("java")
    if javac is None or java is None:
        pytest.skip("needs a JDK: java and javac on the path")
    folder = tmp_path_factory.mktemp("java_regex")
    source = Path(__file__).with_name("JavaRegex.java")
    subprocess.run([javac, "-d", str(folder), str(source)], check=True, capture_output=True)
    command = [java, "-Xss8m", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", str(folder), "JavaRegex"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        yield JavaRegex(process, int(process.stdout.readline()))
        process.stdin.close()
