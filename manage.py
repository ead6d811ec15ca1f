#!/usr/bin/env python3
"""The way in: finds a Python >= 3.12, makes .venv with the hashed requirements, and goes on there.

Everything above `main` is standard library only and parses on Python 3.8.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Iterator  # noqa: UP035 (Python 3.8)

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WANTED = (3, 12)
NO_PYTHON = """Gatehouse needs Python 3.12 or newer, and none was found. Nothing was changed.
Install one (for example `apt-get install python3.12 python3.12-venv`, `brew install python@3.13` or `pyenv install 3.13`)
and run this command again; it looks on PATH and under ~/.pyenv/versions."""


def candidates() -> Iterator[str]:
    """Interpreters that may be new enough, likeliest first."""
    yield sys.executable
    for minor in (14, 13, 12):
        yield f"python3.{minor}"
    yield "python3"
    versions = Path.home() / ".pyenv" / "versions"
    for folder in sorted(versions.glob("3.1*"), reverse=True) if versions.is_dir() else ():
        yield str(folder / "bin" / "python3")


def runs(python: str, modules: str) -> bool:
    """Whether that interpreter runs, is new enough, and has those modules of the standard library or its environment."""
    question = f"import sys, {modules}; sys.exit(sys.version_info[:2] < {WANTED})"
    try:
        done = subprocess.run([python, "-c", question], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def prepare(requirements: Path) -> Path:
    """Make .venv hold `requirements`; a stamp keeps the hash of what was installed. Returns its Python."""
    python = VENV / "bin" / "python"
    stamp = VENV / ("." + requirements.stem + ".stamp")
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    if not runs(str(python), "pip"):  # none yet, or what an interrupted run or a removed interpreter left
        found = next((name for name in candidates() if runs(name, "venv, ensurepip")), None)
        if found is None:
            sys.exit(NO_PYTHON)
        print("Making .venv ...", flush=True)
        if subprocess.run([found, "-m", "venv", "--clear", str(VENV)]).returncode:
            sys.exit(f"{VENV} could not be made; the reason stands above. Make this folder writable, and run it again.")
    print(f"Installing {requirements.relative_to(ROOT)} (once; a minute or two) ...", flush=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
    if subprocess.run([*command, str(requirements)]).returncode:
        sys.exit("The requirements could not be installed; pip's reason stands above. Run the same command again.")
    stamp.write_text(wanted)
    return python


def main() -> None:
    """Run the command inside .venv."""
    command = sys.argv[1:2]
    python = prepare(ROOT / "requirements" / ("dev.txt" if command == ["test"] else "runtime.txt"))
    if command == ["test"]:
        os.chdir(str(ROOT))
        arguments = sys.argv[2:] or ["--numprocesses=auto", "--dist=loadfile"]
        os.execv(str(python), [str(python), "-m", "pytest", *arguments])
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(str(python), [str(python), str(ROOT / "manage.py"), *sys.argv[1:]])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "configurator.settings")
    if command == ["up"]:
        os.environ.setdefault("GATEHOUSE_COLLECTED", "1")
        os.environ.setdefault("GATEHOUSE_LOG", "text" if sys.stderr.isatty() else "json")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
