"""PostgreSQL: the tests of the web on it, what happens when it goes away, and a backup that is restored."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command.test_up import ROOT, refused, up
from tests.postgresql.conftest import Cluster

pytestmark = pytest.mark.postgresql


def test_the_tests_of_the_web_pass_on_it(cluster: Cluster) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/web", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": cluster.url("gatehouse"), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, (
        done.stdout.partition("short test summary info")[2] or done.stdout[-3_000:] + done.stderr[-3_000:]
    )
    assert re.search(r"\d\d+ passed", done.stdout)


@pytest.fixture
def environment(cluster: Cluster, request: pytest.FixtureRequest) -> dict[str, str]:
    """What `up` needs to serve a database of its own."""
    database = re.sub(r"\W", "_", request.node.name)[:60]
    cluster.create(database)
    return {"DATABASE_URL": cluster.url(database), "SECRET_KEY": "of every server alike" * 3}


def test_it_wants_the_key_that_all_servers_share(tmp_path: Path, environment: dict[str, str]) -> None:
    status, _, errors = refused(tmp_path, extra={"DATABASE_URL": environment["DATABASE_URL"]})
    assert status == 1
    assert errors.startswith(
        "Set SECRET_KEY: every server of a PostgreSQL database signs with the same one; nothing was started."
    )


def test_two_servers_share_a_database(tmp_path: Path, environment: dict[str, str]) -> None:
    with up(tmp_path / "one", extra=environment) as one, up(tmp_path / "two", extra=environment) as two:
        cookie, body = one.form(one.link)
        assert two.post(one.link, cookie, body).status == 302
        assert one.get(one.link)[0].status == 410


def test_a_lost_connection_is_said_and_found_again(tmp_path: Path, environment: dict[str, str], cluster: Cluster) -> None:
    with up(tmp_path, extra=environment) as served:
        assert served.get("/readyz")[0].status == 200
        cluster.stop()
        try:
            response, page = served.get(served.link)
            assert (response.status, "Its database does not answer. Nothing was saved" in page) == (503, True)
            assert served.get("/readyz")[0].status == 503
            assert served.get("/livez")[0].status == 200
        finally:
            cluster.start()
        assert served.get(served.link)[0].status == 200
        assert served.get("/readyz")[0].status == 200
        _, errors = served.stop()
    assert "Traceback" not in errors


def test_a_database_that_is_not_there_is_said(tmp_path: Path, cluster: Cluster) -> None:
    extra = {"DATABASE_URL": cluster.url("nowhere"), "SECRET_KEY": "x" * 50}
    status, _, errors = refused(tmp_path, extra=extra)
    assert status == 1
    assert errors.startswith("The database that DATABASE_URL names does not answer (")
    assert 'database "nowhere" does not exist' in errors


def test_a_backup_is_restored_as_documented(tmp_path: Path, environment: dict[str, str], cluster: Cluster) -> None:
    documented = (ROOT / "docs" / "operations.md").read_text()
    dump = ["--format=custom", "--file=gatehouse.dump"]
    restore = ["--exit-on-error", "--no-owner"]
    assert f"pg_dump {' '.join(dump)}" in documented and f"pg_restore {' '.join(restore)}" in documented

    with up(tmp_path, extra=environment) as served:
        link = served.link
        where = ["-h", str(cluster.folder), "-U", "gatehouse"]
        name = environment["DATABASE_URL"].split("@/")[1].split("?")[0]
        cluster.run("pg_dump", *where, *dump, f"--dbname={name}")
    cluster.create("restored")
    cluster.run("pg_restore", *where, *restore, "--dbname=restored", "gatehouse.dump")

    with up(tmp_path, extra=environment | {"DATABASE_URL": cluster.url("restored")}) as served:
        cookie, body = served.form(link)
        assert served.post(link, cookie, body).status == 302
