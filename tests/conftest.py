"""What all tests share. Where a machine lacks what a test needs, it is skipped with the way to get it; CI skips none."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from hypothesis import settings

from tests.aws.localstack import server as localstack_server

settings.register_profile("gatehouse", deadline=None)  # how long an example takes says nothing on a busy machine
settings.load_profile("gatehouse")


def program(*names: str) -> Callable[[], bool]:
    """Whether one of those is on PATH."""
    return lambda: any(map(shutil.which, names))


def postgresql_programs() -> Path | None:
    """The folder of initdb, pg_ctl, pg_dump and pg_restore; Debian keeps them off PATH."""
    folders = [*map(Path, os.get_exec_path()), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    wanted = ("initdb", "pg_ctl", "pg_dump", "pg_restore")
    return next((folder for folder in folders if all((folder / name).is_file() for name in wanted)), None)


NEEDS: dict[str, tuple[Callable[[], object], str]] = {
    "browser": (program("chromium", "chromium-browser"), "Chromium: apt-get install chromium"),
    "synthesis": (program("node"), "Node 20 or newer: apt-get install nodejs"),
    "java": (program("javac"), "a JDK: apt-get install default-jdk-headless"),
    "postgresql": (postgresql_programs, "PostgreSQL: apt-get install postgresql"),
    "localstack": (localstack_server.python, "Python 3.13 for LocalStack: pyenv install 3.13"),
}
"""Marker → whether this machine has what such a test needs, and how to get it."""

NONE_SKIPPED = bool(os.environ.get("GATEHOUSE_TEST_ALL"))
"""Set by CI: a skipped test of one of these markers is a failed one."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what this machine cannot run."""
    for marker, (present, way) in NEEDS.items():
        if item.get_closest_marker(marker) and not present():
            pytest.skip(f"needs {way}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns a skip into a failure where none is allowed."""
    report = yield
    marked = sorted(name for name in NEEDS if item.get_closest_marker(name))
    if NONE_SKIPPED and marked and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} ({', '.join(marked)}) was skipped, and GATEHOUSE_TEST_ALL is set: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A database in a file: threads of a live server would share the one connection of a database in memory."""
    for database in django_settings.DATABASES.values():
        if "sqlite3" in database["ENGINE"]:
            database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "tests.sqlite3")


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """Hashing a password takes a good part of a second on purpose; no test is about that."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session")
def localstack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a LocalStack of this session's own, for any account (twelve digits as the access key) and Region."""
    with localstack_server.running(tmp_path_factory.mktemp("localstack")) as url:
        yield url


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the server's own credentials those of an account, and keeps the machine's out of it."""

    def be(account: str) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", account)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing secret")
        for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    be("111122223333")
    return be
