"""A PostgreSQL of its own: a cluster in a temporary folder, reached over a socket in it."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.conftest import postgresql_programs


class Cluster:
    """Starts and stops, and says its URL. PostgreSQL refuses to run as root: then as the user that its package made."""

    def __init__(self, folder: Path) -> None:
        programs = postgresql_programs()
        assert programs is not None
        self.folder, self.programs = folder, programs
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self.run("initdb", "-D", "data", "-U", "gatehouse", "--auth=trust", "--no-sync", "-E", "UTF8", "--no-locale")

    def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's own programs, in the folder."""
        command = [str(self.programs / program), *arguments]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, timeout=120, **self._as)

    def start(self) -> None:
        """Serve on a socket in the folder, and nowhere else."""
        settings = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=40"
        self.run("pg_ctl", "-D", "data", "-w", "-l", str(self.folder / "log"), "-o", settings, "start")

    def stop(self, mode: str = "immediate") -> None:
        """End it, its connections included."""
        self.run("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")

    def url(self, database: str) -> str:
        """DATABASE_URL of a database in it."""
        return f"postgres://gatehouse@/{database}?host={quote(str(self.folder), safe='')}"

    def create(self, database: str) -> None:
        """A new, empty database."""
        with psycopg.connect(f"host={self.folder} user=gatehouse dbname=postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running one, for all tests of a session."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-pg-"))  # short: the path of a socket has at most 107 bytes
    cluster = Cluster(folder)
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)
