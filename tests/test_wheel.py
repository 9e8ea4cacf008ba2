"""The wheel without extras is the offline verifier: it needs nothing of the server, and loads nothing of it."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# `make test` installs there what requirements/base.txt locks, and nothing else.
BASE = ROOT / ".make/base"

# What `import` calls what the extra `server` brings.
SERVER = {
    "alembic", "apscheduler", "eth_account", "fastapi", "httpcore", "httptools", "httpx", "jinja2", "multipart",
    "numpy", "obstore", "opentimestamps", "prometheus_client", "psycopg", "psycopg_binary",
    "pydantic_settings", "pyhanko", "rfc3161ng", "rlp", "segno", "sqlalchemy", "sqlmodel", "starlette", "structlog",
    "trie", "typst", "uvicorn", "uvloop", "web3", "xsdata",
}  # fmt: skip
# What the base packages could load, and the verifier has no use for: the way to the network.
NETWORK = {"aiohttp", "requests", "urllib.request", "http.client"}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(ROOT, [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)])
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def site(wheel, tmp_path_factory) -> Path:
    """The wheel unpacked by an installer, without dependencies: those are in the base environment."""
    assert (BASE / ".ready").exists(), (
        "the base environment is missing: run `make test`, or `scripts/bootstrap base`"
    )
    target = tmp_path_factory.mktemp("site")
    uv = [ROOT / ".venv/bin/uv", "--no-config", "--quiet", "--offline", "pip", "install"]
    where = ["--python", BASE / "bin/python", "--no-deps", "--target", target]
    run(ROOT, [*uv, *where, wheel])
    return target


def run(folder: Path, command: list, expected: int = 0, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"} | environment,
    )  # fmt: skip
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def python(site: Path, folder: Path, code: str, *arguments: str) -> str:
    """Run code in the base environment, in an empty folder, with the wheel on the path."""
    return run(folder, [BASE / "bin/python", "-c", code, *arguments], PYTHONPATH=str(site))


# Runs the command as the program does and reports what it answered and what it had to load for that.
COMMAND = """
import json, sys
from notary.cli.main import main
sys.argv = ["notary", *sys.argv[1:]]
try:
    main()
    status = 0
except SystemExit as stop:
    status = stop.code
print(json.dumps({"status": status, "modules": sorted(sys.modules)}))
"""


def loaded(site: Path, folder: Path, *arguments: str) -> tuple[int, set[str]]:
    answer = json.loads(python(site, folder, COMMAND, *arguments).splitlines()[-1])
    return answer["status"], set(answer["modules"])


def server_parts(modules: set[str]) -> set[str]:
    return {name for name in modules if name.split(".")[0] in SERVER}


def test_the_list_of_server_packages_is_complete():
    """Each distribution of the extra is in the list above by the name that it is imported by."""
    named = {
        line.split(">")[0].split("[")[0] for line in PROJECT["project"]["optional-dependencies"]["server"]
    }
    for name in sorted(named):
        files = distribution(name).files
        roots = {path.parts[0].removesuffix(".py") for path in files if path.suffix == ".py"}
        assert roots & SERVER, f"{name} is imported as one of {sorted(roots)}"


def test_the_wheel_holds_the_package_and_its_licence_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    version = PROJECT["project"]["version"]
    tops = {name.split("/")[0] for name in names}
    assert tops == {"notary", f"notary-{version}.dist-info"}
    assert f"notary-{version}.dist-info/licenses/LICENSE" in names
    assert "notary/py.typed" in names


def test_the_base_environment_has_no_server_package(site, tmp_path):
    code = """
import importlib.util, json, sys
print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name)]))
"""
    assert json.loads(python(site, tmp_path, code, *sorted(SERVER))) == []


def test_the_code_that_runs_is_the_wheels(site, tmp_path):
    where = python(site, tmp_path, "import notary; print(notary.__file__)").strip()
    assert Path(where) == site / "notary/__init__.py"


def test_every_module_of_the_verifier_imports_without_the_server(site, tmp_path):
    code = """
import importlib, json, pkgutil, sys
import notary.errors, notary.merkle, notary.evidence, notary.cli.verify
for package in (notary.merkle, notary.evidence):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""
    modules = set(json.loads(python(site, tmp_path, code)))
    assert "notary.evidence.verify" in modules
    assert server_parts(modules) == set()
    assert modules & NETWORK == set()


def test_verify_explains_itself_without_the_server(site, tmp_path):
    status, modules = loaded(site, tmp_path, "verify", "--help")
    assert status == 0
    assert server_parts(modules) == set()
    assert modules & NETWORK == set()


def test_asking_a_node_says_what_to_install(site, tmp_path):
    done = subprocess.run(
        [BASE / "bin/python", "-m", "notary", "verify", "p.zip", "--node", "https://node.example.org"], cwd=tmp_path,
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "install notary[server]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_of_the_service_says_what_to_install(site, tmp_path):
    done = subprocess.run(
        [BASE / "bin/python", "-m", "notary", "serve"], cwd=tmp_path, capture_output=True, text=True,
        check=False, env={"PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "install notary[server]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_wheel_alone_verifies_a_recorded_package_and_refuses_another_document(site, tmp_path):
    recorded = ROOT / "tests/testdata/v1"
    trusted = ["--trust", str(recorded / "trust.toml")]
    document = ["--document", str(recorded / "contract.pdf")]
    status, modules = loaded(site, tmp_path, "verify", str(recorded / "package.zip"), *trusted, *document)
    assert status == 0
    assert server_parts(modules) == set()
    assert modules & NETWORK == set()
    other = ["--document", str(recorded / "README.md")]
    assert loaded(site, tmp_path, "verify", str(recorded / "package.zip"), *trusted, *other)[0] == 1
    assert loaded(site, tmp_path, "verify", str(recorded / "package.zip"), *document)[0] == 2
