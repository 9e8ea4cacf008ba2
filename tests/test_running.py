"""How these tests are run: what tests/conftest.py promises."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFTEST = """
from pathlib import Path

import pytest

from tests import conftest

conftest.HERE = Path(__file__).parent
conftest.TOGETHER = (("test_a.py", "test_b.py"),)
pytest_runtest_teardown = conftest.pytest_runtest_teardown


@pytest.fixture(scope="session")
def said():
    return []


@pytest.fixture(scope="session")
def {name}(said):
    said.append("started")
    yield
    said.append("ended")


@pytest.fixture(scope="session")
def evidence({name}, said):
    yield
    said.append("evidence ended")
"""
USER = "def test(evidence, said):\n    said.append({name!r})\n    assert said[0] == 'started'\n"
OTHER = "def test(said):\n    assert said == {expected}\n"


@pytest.mark.parametrize(
    ("fixture", "at_its_end"), [("dev_service", ["evidence ended", "ended"]), ("something_else", [])]
)
def test_a_running_service_ends_with_its_last_user_and_other_fixtures_with_the_run(
    tmp_path, fixture, at_its_end
):
    (tmp_path / "conftest.py").write_text(CONFTEST.format(name=fixture))
    for name in "ab":
        (tmp_path / f"test_{name}.py").write_text(USER.format(name=name))
    (tmp_path / "test_c.py").write_text(OTHER.format(expected=["started", "a", "b", *at_its_end]))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        tmp_path,
        tmp_path,
    ]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "3 passed" in run.stdout
