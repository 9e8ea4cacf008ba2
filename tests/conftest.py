"""Fixtures that every folder of tests shares."""

import gc
import importlib
import os
import shutil
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

# As the service does (notary/observe.py), without the values of local variables: that took seconds for each error.
_RENDERER = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _RENDERER])

pytest_plugins = ["tests.databases", "tests.dev_service"]

HERE = Path(__file__).parent
VECTORS = os.environ.get("NOTARY_VECTORS")
UNPACKED_FIREFOX = Path(__file__).parents[1] / ".make/firefox"

GO = shutil.which("go")


def _softhsm() -> str | None:
    """The module of SoftHSM, where it is installed with the tools that make a token and use one."""
    if not all(map(shutil.which, ("softhsm2-util", "pkcs11-tool", "xxd"))):
        return None
    places = (
        "/usr/lib/softhsm",
        "/usr/lib/*/softhsm",
        "/usr/lib*/pkcs11",
        "/usr/local/lib/softhsm",
        "/opt/*/lib/softhsm",
    )
    found = (path for place in places for path in sorted(Path("/").glob(f"{place[1:]}/libsofthsm2.so")))
    return next(map(str, found), None)


SOFTHSM = _softhsm()

# Other people's test data is not part of this project, and Go and a PKCS#11 token are nothing that it needs. Without
# them those tests are not collected, and the header of the run says so.
collect_ignore_glob = [
    *([] if VECTORS else ["interop/vectors_*"]),
    *([] if GO else ["interop/test_go_*"]),
    *([] if SOFTHSM else ["interop/test_softhsm*"]),
]


# What takes longest starts first, so that no worker is left alone with it at the end.
LONGEST = (
    "e2e/test_life.py",
    "e2e/test_verify_page.py",
    "evidence/test_check_script.py",
    "e2e/test_kill.py",
    "fuzz/test_mutations.py",
    "evidence/test_hostile.py",
    "test_verifier_js.py",
    "e2e/test_verify_html.py",
    "integration/test_processes.py",
    "evidence/test_check_script_tokens.py",
    "e2e/test_restart.py",
    "test_benchmarks.py",
    "faults/test_kills.py",
    "e2e/test_mining.py",
    "api/test_records.py",
    "cli/test_submit_many.py",
    "log/test_bucket.py",
    "faults/test_sweep.py",
    "services/test_rotating.py",
    "log/test_stale.py",
    "store/test_s3.py",
    "intake/inspection/test_inspect.py",
    "services/test_erasing.py",
    "log/test_fsck_around.py",
    "services/test_rotating_crashes.py",
    "services/test_exports.py",
    "api/test_static_js.py",
    "intake/inspection/test_attacks.py",
    "anchoring/test_advance_crashes.py",
    "anchoring/test_contract.py",
    "evidence/test_check_script_trust.py",
    "intake/test_bulk.py",
)
# Users of one running service, which takes half a minute until it has evidence, are one after another in one worker.
TOGETHER = (
    ("e2e/test_life.py", "e2e/test_verify_demo.py", "interop/test_tools.py", "interop/vectors_service.py"),
    ("e2e/test_verify_page.py", "e2e/test_verify_page_lies.py", "e2e/test_verify_page_final.py"),
)
SERVICES = ("dev_service", "service")  # the fixtures of the whole run that are such a service


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Load and collect without looking for garbage: there is none, and what is loaded stays to the end."""
    gc.disable()
    try:
        _load_modules(session.config.args)
        return (yield)
    finally:
        gc.collect()
        gc.freeze()  # nor is it looked through again, again and again, while the tests run
        gc.enable()


def _load_modules(arguments):
    """Each worker loads all modules, beginning with others than the rest do.

    Writing the asserts of all modules anew takes longer than loading them. What one worker wrote is bytecode by the
    time the next comes by; if all began at the same module, each would write them all.
    """
    number = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if not number or [Path(name).resolve() for name in arguments] != [HERE]:
        return
    names = sorted(f"tests.{'.'.join(path.relative_to(HERE).with_suffix('').parts)}" for path in _modules())
    first = len(names) * int(number) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for name in names[first:] + names[:first]:
        with warnings.catch_warnings(), suppress(Exception):  # collecting tells what cannot be loaded
            warnings.simplefilter("error")
            importlib.import_module(name)


def _modules():
    return (path for path in HERE.rglob("test_*.py") if "node_modules" not in path.parts)


def _module(item):
    return item.path.relative_to(HERE).as_posix()


def pytest_collection_modifyitems(items):
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(_module(item), len(LONGEST)))


def pytest_runtest_setup():
    """Each test begins with the limit of recursion of a new interpreter: py_ecc, once imported, has raised it."""
    sys.setrecursionlimit(1000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """A running service ends with the last of its users, and not with the run: it is never quite at rest."""
    done = yield
    if nextitem is not None and _together(_module(nextitem)) != _together(_module(item)):
        known = item.session._fixturemanager.getfixturedefs
        for fixture in (found for name in SERVICES for found in known(name, item) or ()):
            if fixture.scope == "session":
                fixture.finish(item._request)
    return done


def _together(module):
    """The first of the modules that have one worker with this one."""
    return next((names[0] for names in TOGETHER if module.endswith(names)), module)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A module stays in one worker, and with it what its tests share; `make test` asks for this."""
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - the workers have no use for it

    class ByModule(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return _together(super()._split_scope(nodeid))

    return ByModule(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_report_header():
    known = os.environ.get("FIREFOX") or shutil.which("firefox") or shutil.which("firefox-esr")
    there = known or (UNPACKED_FIREFOX if UNPACKED_FIREFOX.is_dir() else None)
    return [
        f"vectors: {VECTORS or 'NOTARY_VECTORS is not set, tests/interop/vectors_*.py are not run'}",
        f"go: {GO or 'not installed, tests/interop/test_go_*.py are not run'}",
        f"softhsm: {SOFTHSM or 'not installed with OpenSC and xxd, tests/interop/test_softhsm.py is not run'}",
        f"busybox: {shutil.which('busybox') or 'not installed, tools/check.sh is run by dash and bash alone'}",
        f"firefox: {there or 'none, verify.html is tried in Chromium alone'}",
    ]


def pytest_terminal_summary(terminalreporter):
    """What was measured of files in the sandbox, the slowest first; nothing where nothing was."""
    told = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for row in sorted(
        (value for each in told for name, value in each.user_properties if name == "used"), reverse=True
    ):
        terminalreporter.write_line(row)


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of third-party vectors."""
    path = Path(VECTORS or "")
    assert VECTORS, "NOTARY_VECTORS is not set"
    assert path.is_dir(), f"NOTARY_VECTORS={VECTORS} is not a folder"
    return path.resolve()
