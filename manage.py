#!/usr/bin/env python3
"""The way in: finds a Python >= 3.12, makes .venv with the hashed requirements, and goes on there.

Everything above `main` is standard library only and parses on Python 3.8.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WANTED = (3, 12)
NO_PYTHON = """Gatehouse needs Python 3.12 or newer, and none was found. Nothing was changed.
Install one (for example `apt-get install python3.12 python3.12-venv`, `brew install python@3.13` or `pyenv install 3.13`)
and run this command again; it looks on PATH and under ~/.pyenv/versions."""


def candidates():
    """Interpreters that may be new enough, likeliest first."""
    yield sys.executable
    for minor in (14, 13, 12):
        yield f"python3.{minor}"
    yield "python3"
    versions = Path.home() / ".pyenv" / "versions"
    for folder in sorted(versions.glob("3.1*"), reverse=True) if versions.is_dir() else ():
        yield str(folder / "bin" / "python3")


def find_python(names):
    """The first candidate that runs and says it is new enough, or None."""
    question = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] < {WANTED})"
    for name in names:
        try:
            done = subprocess.run([name, "-c", question], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return name
    return None


def prepare(requirements):
    """Make .venv hold `requirements`; a stamp keeps the hash of what was installed. Returns its Python."""
    python = VENV / "bin" / "python"
    stamp = VENV / ("." + requirements.stem + ".stamp")
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    if not python.exists():
        found = find_python(candidates())
        if found is None:
            sys.exit(NO_PYTHON)
        print("Making .venv ...", flush=True)
        subprocess.run([found, "-m", "venv", "--clear", str(VENV)], check=True)
    print(f"Installing {requirements.relative_to(ROOT)} ...", flush=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements)]
    if subprocess.run(command).returncode:
        sys.exit("The requirements could not be installed; pip's reason stands above. Run the same command again.")
    stamp.write_text(wanted)
    return python


def main():
    """Run the command inside .venv."""
    testing = sys.argv[1:2] == ["test"]
    python = prepare(ROOT / "requirements" / ("dev.txt" if testing else "runtime.txt"))
    os.chdir(str(ROOT))
    if testing:
        os.execv(str(python), [str(python), "-m", "pytest", *sys.argv[2:]])
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(str(python), [str(python), str(ROOT / "manage.py"), *sys.argv[1:]])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "configurator.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
