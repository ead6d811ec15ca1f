"""A LocalStack of the tests' own: made once under build/ from its hashed requirements, started on a free port of 127.0.0.1.

`python -m tests.aws.localstack.server` makes it without starting it.
"""

import fcntl
import functools
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import manage

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "requirements" / "localstack.txt"
HOME = ROOT / "build" / "localstack"
VENV = HOME / "venv"
WANTED = "3.13"
"""The Python that its pinned requirements are for."""


@functools.cache
def python() -> str | None:
    """An interpreter that can make LocalStack's environment."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}" == WANTED
    candidates = [sys.executable] if here else []
    candidates += [f"python{WANTED}", *(name for name in manage.candidates() if WANTED in name)]
    return next((name for name in candidates if manage.runs(name, "venv, ensurepip") and _is_wanted(name)), None)


def _is_wanted(name: str) -> bool:
    question = 'import sys; print("%d.%d" % sys.version_info[:2])'
    return subprocess.run([name, "-c", question], capture_output=True, text=True, timeout=30).stdout.strip() == WANTED


def prepare() -> Path:
    """Make build/localstack/venv hold the requirements; a stamp keeps the hash of what was installed. Returns its Python.

    Workers of one test run and other runs wait for whoever is at it.
    """
    HOME.mkdir(parents=True, exist_ok=True)
    stamp, wanted = VENV / ".stamp", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == wanted):
            maker = python()
            if maker is None:
                raise RuntimeError(f"LocalStack needs Python {WANTED}, and none was found.")
            subprocess.run([maker, "-m", "venv", "--clear", str(VENV)], check=True)
            install = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*install, "--require-hashes", "-r", str(REQUIREMENTS)], check=True)
            stamp.write_text(wanted)
    return VENV / "bin" / "python"


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, *, seconds: float = 90) -> Iterator[str]:
    """The URL of a LocalStack that is ready, its files in `folder`; ended afterwards. Raises where it is not ready in time."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "FILESYSTEM_ROOT": str(folder / "root"),
        "GATEWAY_LISTEN": address,
        "LOCALSTACK_HOST": address,
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "EAGER_SERVICE_LOADING": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name in ("tmp", "root"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    command = [str(prepare()), str(Path(__file__).with_name("launch.py"))]
    log = (folder / "log").open("w+")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        url = f"http://{address}"
        deadline = time.monotonic() + seconds
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise RuntimeError(f"LocalStack did not become ready:\n{log.read()[-4000:]}")
            time.sleep(0.1)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it keeps nothing; asked to end, it takes ten seconds
        process.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/_localstack/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    print(prepare())
