"""`manage.py up` as a newcomer meets it: a real server on a port of its own, with a data folder of its own."""

import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from configurator.database import NETWORK, file_system

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "django", "up", "--settings", "configurator.settings", "--port", "0"]


def environment(data: Path, extra: dict[str, str] | None = None) -> dict[str, str]:
    """What a fresh shell has, and where the data goes."""
    ours = ("GATEHOUSE_", "PYTHONUNBUFFERED", "DATABASE_URL", "SECRET_KEY", "EMAIL_URL", "ALLOWED_HOSTS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"GATEHOUSE_DATA": str(data), "GATEHOUSE_COLLECTED": "1"} | (extra or {})


def refused(data: Path, *arguments: str, answer: str = "", extra: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Exit status, output and errors of an `up` that does not come to serving."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(data, extra),
        input=answer,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


class Served:
    """A running `up`: what it printed, and requests to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.printed = ""
        assert process.stdout is not None
        for line in process.stdout:
            self.printed += line
            if "Ctrl-C stops" in line:
                break
        found = re.search(r"Address  http://([\d.]+):(\d+)/", self.printed)
        assert found, self.printed
        self.host, self.port = found[1], int(found[2])

    @property
    def link(self) -> str:
        """The path of the printed sign-in link."""
        found = re.search(r"Sign in  (http\S+)", self.printed)
        assert found
        return urlsplit(found[1]).path

    def connect(self) -> http.client.HTTPConnection:
        """A connection of its own."""
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def get(self, path: str, cookies: str = "") -> tuple[http.client.HTTPResponse, str]:
        """An answer and its text."""
        with closing(self.connect()) as connection:
            connection.request("GET", path, headers={"Cookie": cookies})
            response = connection.getresponse()
            return response, response.read().decode()

    def form(self, path: str) -> tuple[str, bytes]:
        """The cookie and the body with which the form at `path` is posted."""
        response, page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        cookie = re.search(r"csrftoken=\w+", response.headers["Set-Cookie"])
        assert token and cookie
        return cookie[0], urlencode({"csrfmiddlewaretoken": token[1]}).encode()

    def post(self, path: str, cookies: str, body: bytes) -> http.client.HTTPResponse:
        """The answer to a posted form, without its text."""
        with closing(self.connect()) as connection:
            connection.request("POST", path, body, {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"})
            with connection.getresponse() as response:
                return response

    def stop(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Exit status and errors after a signal to the whole group, as a terminal sends it."""
        os.killpg(self.process.pid, number)
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


@contextmanager
def up(data: Path, *arguments: str, answer: str = "", extra: dict[str, str] | None = None) -> Iterator[Served]:
    """`up`, until the end of the block."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(data, extra),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            if answer:
                assert process.stdin is not None
                process.stdin.write(answer)
                process.stdin.close()
                process.stdin = None
            yield Served(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_the_printed_link_signs_in_once_and_looking_at_it_does_not_use_it_up(tmp_path: Path) -> None:
    with up(tmp_path) as served:
        served.get(served.link)
        cookie, body = served.form(served.link)
        signed_in = served.post(served.link, cookie, body)
        assert (signed_in.status, signed_in.headers["Location"]) == (302, "/")
        session = re.search(r"sessionid=\w+", ", ".join(signed_in.headers.get_all("Set-Cookie", [])))
        assert session
        home, _ = served.get("/", session[0])
        assert (home.status, home.headers["Location"]) == (302, "/t/storefront/")
        catalog, page = served.get("/t/storefront/", session[0])
        assert (catalog.status, "Robin Hale" in page) == (200, True)

        again, page = served.get(served.link)
        assert (again.status, "This link no longer works" in page) == (410, True)
        assert served.stop()[0] == 0


def test_files_are_served_under_names_that_hold_their_hash(tmp_path: Path) -> None:
    with up(tmp_path) as served:
        _, page = served.get("/accounts/login/")
        names = re.findall(r'"(/static/[^"]+)"', page)
        assert len(names) > 3
        for name in names:
            assert re.search(r"\.[0-9a-f]{12}\.\w+$", name), name
            response, _ = served.get(name)
            assert (response.status, "immutable" in response.headers["Cache-Control"]) == (200, True), name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_request_that_was_begun_is_finished_before_it_stops(tmp_path: Path, number: signal.Signals) -> None:
    with up(tmp_path) as served:
        cookie, body = served.form(served.link)
        connection = served.connect()
        connection.putrequest("POST", served.link)
        for name, value in {"Cookie": cookie, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Type", "application/x-www-form-urlencoded")
        connection.endheaders(body[:20])
        # Answered after the first half has arrived, on the one main thread of each worker that takes connections.
        for _ in range(8):
            served.get("/accounts/login/")
        time.sleep(1)  # these may all have gone to another worker than the one that is still to take up the first half
        os.killpg(served.process.pid, number)
        while True:  # it takes no new connection any more
            try:
                socket.create_connection((served.host, served.port), timeout=5).close()
            except OSError:
                break
        connection.send(body[20:])
        with closing(connection), connection.getresponse() as response:
            assert response.status == 302
        _, errors = served.process.communicate(timeout=60)
        assert served.process.returncode == 0
        assert "Traceback" not in errors


def test_data_stays_and_fresh_starts_over_after_asking(tmp_path: Path) -> None:
    def users() -> list[str]:
        with closing(sqlite3.connect(tmp_path / "gatehouse.sqlite3")) as database, database:
            return [name for (name,) in database.execute("SELECT username FROM auth_user ORDER BY id LIMIT 2")]

    with up(tmp_path) as served:
        served.stop()
    with closing(sqlite3.connect(tmp_path / "gatehouse.sqlite3")) as database, database:
        database.execute("UPDATE auth_user SET username = 'renamed' WHERE username = 'robin'")
    with up(tmp_path) as served:
        served.stop()
    assert users() == ["renamed", "amara"]

    status, _, errors = refused(tmp_path, "--fresh", answer="yes\n")
    assert (status, errors) == (1, "Nothing was deleted, and nothing was started.\n")
    status, _, errors = refused(tmp_path, "--fresh")
    assert (status, errors) == (1, "Nothing was deleted, and nothing was started.\n")
    assert users() == ["renamed", "amara"]

    with up(tmp_path, "--fresh", answer="start over\n") as served:
        served.stop()
    assert users() == ["robin", "amara"]


def workers(folder: Path) -> list[int]:
    """The processes that carry operations out, by what they last wrote into the database."""
    with closing(sqlite3.connect(folder / "gatehouse.sqlite3", timeout=20)) as database:
        return [int(name.split(":")[1]) for (name,) in database.execute("SELECT name FROM integrations_worker")]


def until[T](found: Callable[[], T]) -> T:
    """What comes to be there, within half a minute."""
    for _ in range(300):
        if there := found():
            return there
        time.sleep(0.1)
    raise AssertionError("it did not come")


def test_a_worker_runs_beside_it_and_is_started_again_when_it_is_killed(tmp_path: Path) -> None:
    with up(tmp_path, "--no-demo") as served:
        [first] = until(lambda: workers(tmp_path))
        os.kill(first, signal.SIGKILL)
        second = until(lambda: [process for process in workers(tmp_path) if process != first])
        status, errors = served.stop(signal.SIGTERM)
        assert (status, "Traceback" in errors) == (0, False)
    assert workers(tmp_path) == [first]  # what was killed could not sign off
    assert second != [first]


def test_a_worker_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    with up(tmp_path, "--no-demo") as served:
        [worker] = until(lambda: workers(tmp_path))
        os.kill(served.process.pid, signal.SIGKILL)
        served.process.wait()
        until(lambda: not workers(tmp_path))
        until(lambda: not Path(f"/proc/{worker}").exists() or "Z" in Path(f"/proc/{worker}/stat").read_text().split()[2])


def test_without_a_demo_it_says_how_a_team_is_made(tmp_path: Path) -> None:
    with up(tmp_path, "--no-demo") as served:
        assert "python3 manage.py team NAME" in served.printed


def test_a_port_that_is_taken_is_said_with_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, out, errors = refused(tmp_path, "--port", str(port))
    assert (status, out) == (1, "")
    assert errors == (
        f"Port {port} on 127.0.0.1 is taken; nothing was started. Stop what uses it, or take another: "
        f"python3 manage.py up --port {port + 1}\n"
    )


def test_a_database_is_served_by_one_server(tmp_path: Path) -> None:
    with up(tmp_path) as served:
        status, _, errors = refused(tmp_path)
        assert status == 1
        assert errors.startswith(f"Process {served.process.pid} already serves the database in {tmp_path}; nothing was started.")


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, out, errors = refused(tmp_path / "file" / "data")
    assert (status, out) == (1, "")
    assert errors == (
        f"{tmp_path}/file/data cannot be written to (Not a directory); nothing was started. "
        "Make it writable for this user, or set GATEHOUSE_DATA to a folder that is.\n"
    )


def test_a_broken_database_is_said_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "gatehouse.sqlite3"
    file.write_bytes(b"not a database" * 1000)
    status, out, errors = refused(tmp_path)
    assert (status, out) == (1, "")
    assert errors.startswith(
        f"The database {file} cannot be read (file is not a database); nothing was changed. Restore a backup:"
    )
    assert file.read_bytes() == b"not a database" * 1000


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with up(tmp_path) as served:
        served.stop()
    with closing(sqlite3.connect(tmp_path / "gatehouse.sqlite3")) as database, database:
        database.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('integrations', '9999_later', '2030-01-01')")
    status, out, errors = refused(tmp_path)
    assert (status, out) == (1, "")
    assert errors.startswith("A newer Gatehouse has written to this database (9999_later); nothing was changed.")


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
45 22 0:40 / /mnt/team rw,relatime shared:2 - nfs4 files:/team rw
46 22 0:41 / /mnt/with\\040space rw - cifs //files/x rw
47 45 8:2 / /mnt/team/local rw - xfs /dev/sdb rw
"""


@pytest.mark.parametrize(
    ("folder", "kind", "shared"),
    [
        ("/srv/data", "ext4", False),
        ("/mnt/team/data", "nfs4", True),
        ("/mnt/teams", "ext4", False),
        ("/mnt/with space/data", "cifs", True),
        ("/mnt/team/local/data", "xfs", False),
    ],
)
def test_a_network_disk_is_known_by_its_file_system(folder: str, kind: str, shared: bool) -> None:
    assert file_system(Path(folder), MOUNTS) == kind
    assert bool(NETWORK.fullmatch(kind)) is shared
