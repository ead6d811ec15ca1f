"""Backup and restore of the embedded database, as docs/operations.md has them."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.command.test_up import ROOT, environment, up


def command(data: Path, *arguments: str, extra: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Exit status, output and errors of a command."""
    done = subprocess.run(
        [sys.executable, "-m", "django", *arguments, "--settings", "configurator.settings"],
        cwd=ROOT,
        env=environment(data, extra),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_backup_of_a_served_database_is_restored(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.sqlite3"
    with up(data) as served:
        link = served.link
        assert command(data, "backup", str(copy))[0] == 0
        status, _, errors = command(data, "restore", str(copy))
        assert (status, "already serves the database" in errors) == (1, True)
        cookie, body = served.form(link)
        assert served.post(link, cookie, body).status == 302  # used up after the backup

    status, out, errors = command(data, "restore", str(copy))
    assert (status, errors) == (0, "")
    assert "What was there before is" in out
    assert len(list(data.glob("gatehouse-*.sqlite3"))) == 1
    with up(data) as served:
        cookie, body = served.form(link)
        assert served.post(link, cookie, body).status == 302  # works again


def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    with up(tmp_path / "data"):
        (tmp_path / "copy").write_text("precious")
        status, _, errors = command(tmp_path / "data", "backup", str(tmp_path / "copy"))
    assert (status, errors) == (1, f"{tmp_path}/copy is there already; nothing was written. Choose another name.\n")
    assert (tmp_path / "copy").read_text() == "precious"


@pytest.mark.parametrize("damage", ["text", "cut", "other", "absent"])
def test_what_is_no_backup_changes_nothing(tmp_path: Path, damage: str) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.sqlite3"
    with up(data):
        command(data, "backup", str(copy))
    if damage == "text":
        copy.write_bytes(b"no database at all" * 500)
    elif damage == "cut":
        copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    else:
        copy.unlink()
    if damage == "other":
        with closing(sqlite3.connect(copy)) as database:
            database.execute("CREATE TABLE something (else_ INTEGER)")
    before = sorted((path.name, path.read_bytes()) for path in data.glob("gatehouse*"))

    status, out, errors = command(data, "restore", str(copy))

    assert (status, out, "nothing was changed" in errors) == (1, "", True)
    assert sorted((path.name, path.read_bytes()) for path in data.glob("gatehouse*")) == before


def test_postgresql_has_its_own_programs(tmp_path: Path) -> None:
    extra = {"DATABASE_URL": "postgres://gatehouse@127.0.0.1:1/none", "SECRET_KEY": "x" * 50}
    for name, program in (("backup", "pg_dump"), ("restore", "pg_restore")):
        status, _, errors = command(tmp_path, name, str(tmp_path / "copy"), extra=extra)
        assert (status, program in errors) == (1, True)
