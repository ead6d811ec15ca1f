"""The way in, up to the interpreter: which one it takes, and what it says when there is none."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import manage

MANAGE = Path(manage.__file__)


def script(folder: Path, name: str, text: str) -> str:
    """An executable called `name`."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_it_parses_on_python_3_8_and_imports_the_standard_library_alone() -> None:
    tree = ast.parse(MANAGE.read_text(), feature_version=(3, 8))
    imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names


def test_an_interpreter_counts_when_it_runs_and_is_new_enough(tmp_path: Path) -> None:
    tried = [
        (str(tmp_path / "absent"), False),
        (script(tmp_path, "broken", "exit 127"), False),
        (script(tmp_path, "old", "exit 1"), False),  # what the question answers with below 3.12
        (script(tmp_path, "without_venv", f'exec {sys.executable} -c "import no_such_module"'), False),
        (script(tmp_path, "new", f'exec {sys.executable} "$@"'), True),
    ]
    assert [(name, manage.runs(name, "venv")) for name, _ in tried] == tried


def test_the_question_refuses_what_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manage, "WANTED", (sys.version_info[0], sys.version_info[1] + 1))
    assert not manage.runs(sys.executable, "venv")


def test_pyenv_versions_are_candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("3.13.0", "3.12.1", "2.7.18"):
        (tmp_path / ".pyenv" / "versions" / version).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = [Path(name).parts[-3] for name in manage.candidates() if ".pyenv" in Path(name).parts and str(tmp_path) in name]
    assert found == ["3.13.0", "3.12.1"]


def test_without_any_it_says_the_way_out_and_changes_nothing(tmp_path: Path) -> None:
    python = script(tmp_path, "python3", f'case "$2" in import*) exit 1;; esac; exec {sys.executable} "$@"')
    shutil.copy(MANAGE, tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "runtime.txt").write_text("")
    before = sorted(tmp_path.iterdir())
    # The interpreter that runs the prelude is the first candidate: have it call itself by the name of one that is too old.
    code = f"import sys; sys.executable = {python!r}; sys.argv = ['manage.py', 'up']; import manage; manage.main()"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), "LANG": os.environ.get("LANG", "C.UTF-8")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", manage.NO_PYTHON + "\n")
    assert sorted(tmp_path.iterdir()) == before
