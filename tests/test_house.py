"""The rules of the house hold, and each of them goes red when it is broken."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from io import StringIO
from itertools import chain
from pathlib import Path
from tokenize import COMMENT, generate_tokens

import pytest
from prometheus_client.metrics import MetricWrapperBase

from notary import errors, observe
from notary.api.problems import status_of
from notary.settings import Settings
from notary.settings.anchors import Chain, Ots, Tsa
from tests.conftest import LONGEST, TOGETHER

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]

HTTP = "HTTP stays in the api"
MERKLE = "merkle needs the standard library alone"
PURE = "evidence does no I/O and reads no clock"
VERIFIER = "the verifier needs nothing of the server"
ROWS = "rows stay in the store"
LIBRARY = "each outside library has its adapter"
PYDANTIC = "pydantic stays at the wire and in settings"

# Module that is changed, line that is added to it, contract that must refuse it.
FORBIDDEN = [
    ("errors", "import notary.merkle", "layers"),
    ("merkle/hashing", "import notary.evidence.note", "layers"),
    ("evidence/note", "import notary.settings", "layers"),
    ("anchoring/port", "import notary.anchoring.evm", "layers"),
    ("store/tables", "import notary.report", "layers"),
    ("anchoring/evm", "import notary.anchoring.rfc3161", "layers"),
    ("intake/accept", "import notary.log", "layers"),
    ("log/sequence", "import notary.anchoring.advance", "layers"),
    ("services/types", "import notary.api", "layers"),
    ("worker", "import notary.api", "layers"),
    ("api/records", "import notary.wiring", "layers"),
    ("wiring/steps", "import notary.cli", "layers"),
    ("merkle/tree", "import cryptography", MERKLE),
    ("merkle/tree", "from rfc8785 import dumps", MERKLE),
    ("merkle/proof", "import time", MERKLE),
    ("evidence/note", "import socket", PURE),
    ("evidence/trust", "from pathlib import Path", PURE),
    ("evidence/verify", "import logging", PURE),
    ("evidence/verify", "def f():\n    import os", PURE),
    ("evidence/timestamp", "import requests", PURE),
    ("evidence/timestamp", "import httpx", VERIFIER),
    ("evidence/statement", "import pydantic", VERIFIER),
    ("cli/verify", "def f():\n    import web3", VERIFIER),
    ("evidence/note", "import obstore", VERIFIER),
    ("cli/verify", "def f():\n    import notary.store.engine", VERIFIER),
    ("api/submit", "from sqlmodel import Session", ROWS),
    ("log/sequence", "import sqlalchemy", ROWS),
    ("intake/accept", "from http import HTTPStatus", HTTP),
    ("worker", "import fastapi", HTTP),
    ("anchoring/advance", "from web3 import Web3", LIBRARY),
    ("intake/accept", "import httpx", LIBRARY),
    ("intake/accept", "import numpy", LIBRARY),
    ("store/files", "import obstore", LIBRARY),
    ("anchoring/advance", "import opentimestamps", LIBRARY),
    ("evidence/ots_file", "import opentimestamps", VERIFIER),
    ("services/types", "from pydantic import BaseModel", PYDANTIC),
]


def copied(folder: Path) -> Path:
    """A copy of the package and of its rules."""
    shutil.copytree(
        ROOT / "notary", folder / "notary", ignore=lambda _, names: [n for n in names if _data(n)]
    )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _data(name: str) -> bool:
    return ("." in name and not name.endswith(".py")) or name == "__pycache__"


def lint(house: Path) -> tuple[int, str]:
    """Run import-linter on that copy, which stands before this checkout on the path."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    )
    command = [sys.executable, "-c", code, str(house)]
    run = subprocess.run(command, cwd=house, capture_output=True, text=True, timeout=120, check=False)
    return run.returncode, run.stdout + run.stderr


def test_the_package_keeps_every_contract(tmp_path):
    status, output = lint(copied(tmp_path))
    assert status == 0, output
    assert output.count(" KEPT") == len(CONTRACTS)


@pytest.fixture(scope="module")
def refused(tmp_path_factory) -> dict[str, str]:
    """What each contract says of a copy with all of the forbidden lines in it."""
    house = copied(tmp_path_factory.mktemp("house"))
    for module, line, _contract in FORBIDDEN:
        with (house / "notary" / f"{module}.py").open("a") as file:
            file.write(f"\n{line}\n")
    status, output = lint(house)
    assert status == 1, output
    names = "|".join(re.escape(contract["name"]) for contract in CONTRACTS)
    _, *parts = re.split(rf"^({names})\n-+\n", output.partition("Broken contracts")[2], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize(
    ("module", "line", "contract"), FORBIDDEN, ids=lambda value: value.split("\n")[-1].strip()
)
def test_a_forbidden_import_is_refused_by_its_contract(refused, module, line, contract):
    imported = line.split("import " if "from" not in line else "from ")[1].split()[0]
    assert f"- notary.{module} -> {imported} (l.".replace("/", ".") in re.sub(" +", " ", refused[contract])


def test_every_module_has_its_layer():
    (layers,) = (c["layers"] for c in CONTRACTS if c["name"] == "layers")
    named = set(re.findall(r"notary[\w.]+", " ".join(layers)))
    there = {f"notary.{name}" for name in _modules(ROOT / "notary")} - {"notary.anchoring"}
    # Its modules are of several layers.
    there |= {f"notary.anchoring.{name}" for name in _modules(ROOT / "notary/anchoring")}
    assert there == named


def _modules(package: Path) -> set[str]:
    return {path.stem for path in package.iterdir() if path.suffix == ".py" or _is_package(path)} - {
        "__init__"
    }


def _is_package(path: Path) -> bool:
    return path.is_dir() and any(path.glob("*.py"))


def test_merkle_imports_nothing_but_the_standard_library():
    roots = set()
    for path in (ROOT / "notary/merkle").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                roots |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                roots.add(node.module)
    ours = {name for name in roots if name.startswith("notary")}
    assert all(name == "notary.errors" or name.startswith("notary.merkle") for name in ours), ours
    assert {name.split(".")[0] for name in roots - ours} <= sys.stdlib_module_names


def test_an_error_becomes_a_status_in_one_table_only():
    """Outside of it, a route raises our errors and knows the statuses of success."""
    for path in (ROOT / "notary/api").glob("**/*.py"):
        if path.name == "problems.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            name = (
                node.attr
                if isinstance(node, ast.Attribute)
                else node.id
                if isinstance(node, ast.Name)
                else ""
            )
            assert name != "HTTPException", f"{path.name}:{node.lineno} raises HTTPException"
            bad = name in HTTPStatus.__members__ and HTTPStatus[name] >= HTTPStatus.BAD_REQUEST
            assert not bad, f"{path.name}:{node.lineno} names {name}"


def _tree(kind: type[errors.NotaryError]) -> list[type[errors.NotaryError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _tree(child))]


def test_every_error_code_is_documented_with_its_status():
    text = (ROOT / "docs/api.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", text, re.MULTILINE)
    ours = [kind for kind in _tree(errors.NotaryError) if kind.__module__ == errors.__name__]
    expected = [(kind.code, str(status_of(kind.__new__(kind)).value)) for kind in ours]
    assert sorted(documented) == sorted(expected)
    assert len({kind.code for kind in ours}) == len(ours)


def test_every_setting_is_documented():
    text = (ROOT / "docs/operations.md").read_text()
    documented = set(re.findall(r"^\| `(NOTARY_\w+|\w+\.\w+)` \|", text, re.MULTILINE))
    expected = {f"NOTARY_{name.upper()}" for name in Settings.model_fields}
    for kind, table in (("chains", Chain), ("tsas", Tsa), ("ots", Ots)):
        expected |= {f"{kind}.{name}" for name in table.model_fields}
    assert documented == expected


def unset(metrics: Iterable[str], folder: Path) -> list[str]:
    """Those that no module under `folder` counts, sets or observes: they would show 0 for ever."""
    text = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    return [name for name in metrics if not re.search(rf"\b{name}\.\w", text)]


def test_every_metric_is_counted_or_set_somewhere():
    metrics = [name for name, value in vars(observe).items() if isinstance(value, MetricWrapperBase)]
    assert len(metrics) > 15
    assert unset(metrics, ROOT / "notary") == []


def test_a_metric_that_nobody_sets_is_found(tmp_path):
    (tmp_path / "module.py").write_text("from notary.observe import IDLE, BUSY\nBUSY.inc()\n")
    assert unset(["IDLE", "BUSY"], tmp_path) == ["IDLE"]


def test_the_modules_that_start_first_are_there():
    assert [name for name in (*LONGEST, *chain(*TOGETHER)) if not (ROOT / "tests" / name).is_file()] == []


_EXCUSE = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:|nosec|mypy:|ruff:|fmt:\s*off)")
_CODES = r"(?:[A-Z]+\d+(?:, )?)+"
# What is excused, by its code, and then the reason; where a line has both, one reason will do.
_REASONED = re.compile(
    rf"(# type: ignore\[[a-z-]+(?:,[a-z-]+)*\]( # \S|  # noqa: {_CODES} - \S)|# noqa: {_CODES} - \S).*"
)
_SKIP = re.compile(r"(pytest|unittest|self)\.(mark\.)?(skip\w*|SkipTest|importorskip|xfail|expectedFailure)")


def unexcused(path: Path) -> list[str]:
    """Comments of a module that silence a checker, and do not say which of its rules, and why."""
    text = path.read_text()
    if not _EXCUSE.search(text):  # as most have none, and taking them apart takes its time
        return []
    comments = [token for token in generate_tokens(StringIO(text).readline) if token.type == COMMENT]
    silent = [token for token in comments if _EXCUSE.match(token.string)]
    return [f"{path}:{t.start[0]}: {t.string}" for t in silent if not _REASONED.fullmatch(t.string)]


def skips(path: Path) -> list[str]:
    """Where a module of tests names something of pytest or unittest that leaves a test out."""
    text = path.read_text()
    if not _SKIP.search(text):
        return []
    names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)]
    return [f"{path}:{node.lineno}" for node in names if _SKIP.fullmatch(ast.unparse(node))]


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for here, below, names in os.walk(ROOT / folder):
            below[:] = [name for name in below if name != "node_modules"]
            yield from (Path(here, name) for name in names if name.endswith(".py"))


def test_what_silences_a_checker_says_why():
    paths = list(sources("notary", "scripts", "tests"))
    assert len(paths) > 500
    assert [line for path in paths for line in unexcused(path)] == []


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("x = 1  # noqa", False),
        ("x = 1  # noqa: S101", False),
        ("x = 1  # noqa: S101 -", False),
        ("x = 1  # noqa: S101, E501 - it is long", True),
        ("x = 1  # type: ignore", False),
        ("x = 1  # type: ignore[arg-type]", False),
        ("x = 1  # type: ignore # they say so", False),
        ("x = 1  # type: ignore[arg-type] # they say so", True),
        ("x = 1  # type: ignore[arg-type,misc] # they say so", True),
        ("x = 1  # type: ignore[arg-type,misc]", False),
        ("x = 1  # type: ignore[misc]  # noqa: PYI024", False),
        ("x = 1  # type: ignore[misc]  # noqa: PYI024 - for both", True),
        ("x = 1  # pragma: no cover", False),
        ("# ruff: noqa", False),
        ("x = '# noqa'", True),
    ],
)
def test_what_silences_a_checker_without_a_reason_is_found(tmp_path, line, good):
    path = tmp_path / "module.py"
    path.write_text(f"y = 2\n{line}\n")
    assert [found.partition(": ")[0] for found in unexcused(path)] == [f"{path}:2"] * (not good)


_MOST_LINES = 40  # of a function, without its docstring
# A list of tables and columns, as they were then: to be read from top to bottom and never changed.
_LONG = {"store/migrations/versions/initial.py:upgrade"}


def long_functions(path: Path, most: int = _MOST_LINES) -> list[tuple[str, int]]:
    """Functions of a module with more lines than that, signature included and docstring not: name, lines."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = node.end_lineno - node.lineno + 1
        if ast.get_docstring(node) is not None:
            lines -= node.body[0].end_lineno - node.body[0].lineno + 1
        if lines > most:
            found.append((node.name, lines))
    return found


def test_functions_are_short():
    root = ROOT / "notary"
    found = {
        f"{path.relative_to(root).as_posix()}:{name}": lines
        for path in sources("notary")
        for name, lines in long_functions(path)
    }
    assert {name: lines for name, lines in found.items() if name not in _LONG} == {}
    assert set(found) >= _LONG, "no exception is kept that nothing needs"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f():\n" + "    x = 1\n" * 39, []),
        ("def f():\n" + "    x = 1\n" * 40, [("f", 41)]),
        ("async def f():\n" + "    x = 1\n" * 40, [("f", 41)]),
        ("def f(\n" + "    a=1,\n" * 38 + "):\n    x = 1\n    y = 1\n", [("f", 42)]),
        ('def f():\n    """One.\n' + "\n    More.\n" * 20 + '    """\n' + "    x = 1\n" * 39, []),
        ('def f():\n    """One."""\n' + "    x = 1\n" * 40, [("f", 41)]),
        ("class A:\n    def f(self):\n" + "        x = 1\n" * 40, [("f", 41)]),
        ("def f():\n    def g():\n" + "        x = 1\n" * 40, [("f", 42), ("g", 41)]),
    ],
)
def test_a_function_that_is_too_long_is_found(tmp_path, code, expected):
    path = tmp_path / "module.py"
    path.write_text(code)
    assert long_functions(path) == expected


# Where crashes are: a leader that sleeps, a database of yesterday, a bit that flips, a write that fails.
_CRASHES = (
    "faults/test_*", "log/test_stale", "log/test_open", "log/test_failures", "log/test_fsck*", "e2e/test_kill",
    "services/test_rotating_crashes",
)  # fmt: skip


def test_make_test_faults_runs_every_crash_test_and_make_test_those_that_are_short():
    modules = [path for pattern in _CRASHES for path in (ROOT / "tests").glob(f"{pattern}.py")]
    assert len(modules) > len(_CRASHES)
    assert [
        path.name for path in modules if "\npytestmark = pytest.mark.crash\n" not in path.read_text()
    ] == []
    assert '-m "faults or crash" $(ARGS)' in (ROOT / "Makefile").read_text()
    assert "crash" not in PROJECT["tool"]["pytest"]["ini_options"]["addopts"]


def test_no_test_is_left_out():
    assert [line for path in sources("tests") for line in skips(path)] == []


@pytest.mark.parametrize(
    "line",
    [
        "pytest.skip('no node')",
        "@pytest.mark.skipif(x, reason='')\ndef test(): ...",
        "x = pytest.importorskip('x')",
    ],
)
def test_a_test_that_is_left_out_is_found(tmp_path, line):
    path = tmp_path / "module.py"
    path.write_text(f"import pytest\n{line}\n")
    assert len(skips(path)) == 1


def test_the_version_is_the_changelogs():
    text = (ROOT / "CHANGELOG.md").read_text()
    newest, _, body = text.partition("\n## [")[2].partition("]")
    said = re.search(r"To be (\S+)\.$", body.split("\n## [")[0], re.MULTILINE)
    version = said.group(1) if newest == "Unreleased" and said else newest
    assert version == PROJECT["project"]["version"]


def check_names(*paths: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "scripts/check_names.py", *paths]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_file_names_a_registry_or_a_machine():
    # In a worktree .git is a file, which names a folder of the machine.
    files = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    run = check_names(*files)
    assert run.returncode == 0, run.stdout
    if (ROOT / ".git").exists():
        run = check_names()
        assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    "text",
    [
        "index = https://" + "pypi" + ".org/simple",
        '"resolved": "https://registry.' + "npmjs" + '.org/solc"',
        "see /" + "root/.cache",
        'open("/' + 'home/ada/notes")',
        "file:///" + "work/main",
    ],
)
def test_a_registry_or_a_machine_is_found(tmp_path, text):
    path = tmp_path / "notes.txt"
    path.write_text(f"first line\n{text}\n")
    run = check_names(path)
    assert run.returncode == 1
    assert f"{path}:2: " in run.stdout


@pytest.mark.parametrize(
    "text", ["https://example.com/work/home", "the home/away rule", "var/root/x", "./work/a"]
)
def test_other_paths_are_left_alone(tmp_path, text):
    path = tmp_path / "notes.txt"
    path.write_text(text)
    assert check_names(path).returncode == 0
