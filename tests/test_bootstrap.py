"""What a machine lacks is said in one sentence, before anything is made."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("python3", "node", "npm", "openssl")
# What the script itself and npm's own launcher call.
SHELL = ("sh", "dirname", "cat", "env", "uname")


@pytest.fixture
def machine(tmp_path) -> Path:
    """A checkout without environments, and a folder `bin` with what is installed on this machine."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/bootstrap", tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    for name in (*NEEDED[1:], *SHELL):
        found = shutil.which(name)
        assert found, f"{name} is needed to run the tests"
        (tmp_path / "bin" / name).symlink_to(found)
    install(tmp_path, "python3", f'exec {Path(sys.executable).resolve()} "$@"')
    return tmp_path


def install(machine: Path, name: str, script: str) -> None:
    path = machine / "bin" / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def tools(machine: Path, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [machine / "scripts/bootstrap", "tools"],
        env={"PATH": str(machine / "bin"), "HOME": str(machine)} | environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_machine_with_everything_is_accepted_in_silence(machine):
    assert tools(machine) == (0, "")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("python3", "Python 3.11 or newer is needed, none was found."),
        ("node", "Node.js 20 or newer is needed (for the local chain), none was found."),
        ("npm", "npm is needed (it comes with Node.js), none was found."),
        ("openssl", "OpenSSL 3 or newer is needed (for the local time stamps), none was found."),
    ],
)
def test_what_is_missing_is_named(machine, name, sentence):
    (machine / "bin" / name).unlink()
    assert tools(machine) == (1, f"notary: {sentence}\n")


@pytest.mark.parametrize(
    ("name", "script", "sentence"),
    [
        ("node", "echo v18.19.1", "Node.js 20 or newer is needed, v18.19.1 was found."),
        ("node", "echo v9.0.0", "Node.js 20 or newer is needed, v9.0.0 was found."),
        ("node", "exit 127", "Node.js 20 or newer is needed (for the local chain), none was found."),
        (
            "openssl",
            "echo 'OpenSSL 1.1.1w  11 Sep 2023'",
            "OpenSSL 3 or newer is needed, OpenSSL 1.1.1w  11 Sep 2023 was found.",
        ),
        ("openssl", "echo LibreSSL 3.3.6", "OpenSSL 3 or newer is needed, LibreSSL 3.3.6 was found."),
    ],
)
def test_what_is_too_old_is_named_with_its_version(machine, name, script, sentence):
    install(machine, name, script)
    assert tools(machine) == (1, f"notary: {sentence}\n")


# Answers the three questions that the script asks a Python: its version, is it new enough, has it venv.
OLD = 'case "$2" in *print*) echo 3.9 ;; *version_info*) exit 1 ;; esac'
BARE = 'case "$2" in *print*) echo 3.12 ;; *ensurepip*) exit 1 ;; esac'


def test_a_python_that_is_too_old_is_named(machine):
    install(machine, "python3", OLD)
    assert tools(machine) == (1, "notary: Python 3.11 or newer is needed, only Python 3.9 was found.\n")


def test_a_python_without_venv_is_named_with_what_to_install(machine):
    install(machine, "python3", BARE)
    status, said = tools(machine)
    assert status == 1
    assert "without its venv module (Debian and Ubuntu: install python3-venv)" in said


@pytest.mark.parametrize("name", ["python3.11", "python3.12", "python3.13"])
def test_a_newer_python_beside_an_old_one_is_used(machine, name):
    (machine / "bin/python3").rename(machine / "bin" / name)
    install(machine, "python3", OLD)
    assert tools(machine) == (0, "")


def test_the_python_named_by_the_caller_is_the_only_one_tried(machine):
    assert tools(machine, PYTHON="python-of-mine")[0] == 1


def test_a_checkout_that_was_moved_is_refused(machine):
    (machine / ".venv").mkdir()
    (machine / ".venv/.ready").write_text("elsewhere\n")
    status, said = tools(machine)
    assert status == 1
    assert (
        said
        == "notary: This checkout was moved after it was set up: remove the folder .venv and run make again.\n"
    )


def test_an_environment_whose_python_is_gone_is_refused(machine):
    (machine / ".venv/bin").mkdir(parents=True)
    (machine / ".venv/.ready").write_text(f"{machine}\n")
    assert tools(machine)[1].startswith("notary: The Python of .venv does not start any more")


def test_make_asks_for_tools_first_and_stops_there(machine):
    """A stranger sees the sentence and make's last line, not the failure of something further on."""
    shutil.copy(ROOT / "Makefile", machine)
    for name in ("requirements", "contracts_solidity", "tests/e2e", "tests/verifier_js"):
        shutil.copytree(ROOT / name, machine / name, ignore=lambda *_: ["node_modules", "src"])
    shutil.copy(ROOT / "pyproject.toml", machine)
    (machine / "bin/node").unlink()
    make = shutil.which("make")
    assert make
    done = subprocess.run(
        [make, "-j4", "test"], cwd=machine, env={"PATH": str(machine / "bin"), "HOME": os.devnull},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stdout == ""
    first, *rest = done.stderr.splitlines()
    assert first == "notary: Node.js 20 or newer is needed (for the local chain), none was found."
    assert all(line.startswith("make") for line in rest)
    assert not (machine / ".venv").exists()
