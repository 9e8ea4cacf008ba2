"""A hundred hostile files: each report says what was done, and no signature that was tampered with passes.

The light ones are read in this process, where nothing but their own limits holds them; `make test-hostile` reads all of
them in the sandbox, and the heavy ones only there.
"""

import json
import logging
import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import attacks
import attacks_updates
import changing
import sound
from measured import measure

from notary.intake.inspection import report
from notary.intake.inspection.digests import fill
from notary.intake.inspection.pdf import inspect_pdf

# What `attacks.telling` makes of each report; looked through by hand, not written by the code under test alone.
EXPECTED = json.loads((Path(__file__).parent / "attacks.json").read_text())
# A signature over a file that was changed afterwards in no way that its signer forbids by these rules.
HARMLESS = set(EXPECTED["harmless"])


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def look(data):
    found = inspect_pdf(BytesIO(data), [sound.party()[0]], sound.AT)
    fill(found, BytesIO(data))
    return found.report


def truthful(name, found):
    assert report.check(found) == found
    if (
        name in EXPECTED["heavy"]
    ):  # a bound ends some of them, and which one is reached first is the machine's
        assert attacks.telling(found) in EXPECTED["heavy"][name]
    else:
        assert attacks.telling(found) == EXPECTED["light"][name]
    for row in found["signatures"]:
        if name not in HARMLESS:
            assert row["validity"] != "passed"
            assert row["ades_indication"] != "TOTAL-PASSED"


@pytest.mark.parametrize("make", [sound.signed, sound.signed_twice], ids=["signed once", "signed twice"])
def test_what_the_attacks_begin_with_passes(make):
    assert {row["validity"] for row in look(make())["signatures"]} == {"passed"}


def test_there_are_a_hundred_and_each_has_its_expectation():
    assert set(attacks.light()) == set(EXPECTED["light"])
    assert set(attacks.HEAVY) == set(EXPECTED["heavy"])
    assert len(EXPECTED["light"]) + len(EXPECTED["heavy"]) >= 100
    assert len(HARMLESS) < 10


@pytest.mark.parametrize("name", EXPECTED["light"])
def test_a_light_file_is_told_as_it_is(name):
    truthful(name, look(attacks.light()[name]))


@pytest.mark.hostile
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [*EXPECTED["light"], *EXPECTED["heavy"]])
def test_in_the_sandbox_a_file_is_told_as_it_is_within_its_bounds(name, tmp_path, request):
    data = attacks.light()[name] if name in attacks.light() else attacks.HEAVY[name]()
    found, used = measured_of(data, tmp_path)
    request.node.user_properties.append(("used", f"{used}: {name}"))
    truthful(name, found)
    assert used.within_bounds(), used


@pytest.mark.hostile
def test_what_a_file_uses_is_seen(tmp_path):
    """The control: the measure tells a file that is large to inspect from one that is not."""
    _, little = measured_of(sound.signed(), tmp_path)
    _, much = measured_of(attacks.HEAVY["10^6 fields"](), tmp_path)
    assert much.processor > little.processor + 2
    assert much.wall > little.wall + 2
    assert much.memory > little.memory + 50


def measured_of(data, folder):
    (folder / "document.pdf").write_bytes(data)
    return measure(folder / "document.pdf", [sound.party()[0]], sound.AT)


@pytest.mark.parametrize(
    ("name", "noted"),
    [
        ("a revocation", {"revoked"}),
        ("a revocation behind a bomb", {"revoked", "store_not_readable"}),
        ("a revocation whose store is taken away", {"revoked"}),
        ("a bomb of CRLs", {"store_not_readable"}),
    ],
)
def test_what_a_store_once_said_of_the_signer_stays_said(name, noted):
    (row,) = look(attacks.light()[name])["signatures"]
    assert set((row["note"] or "").split()) - {"not_validated"} == noted
    assert (row["integrity"], row["trust"], row["validity"]) == ("intact", "trusted", "could_not_be_checked")


def test_a_store_that_cannot_be_read_blocks_though_the_last_revision_has_none():
    bombed = changing.updated(attacks_updates.store_bombed)
    (row,) = look(changing.updated(attacks_updates.store_removed, bombed))["signatures"]
    assert "store_not_readable" in (row["note"] or "").split()
    assert (row["integrity"], row["trust"], row["validity"]) == ("intact", "trusted", "could_not_be_checked")


def test_a_revocation_after_the_time_of_validation_does_no_harm():
    earlier = sound.AT - timedelta(hours=21)
    found = inspect_pdf(BytesIO(attacks_updates.with_revocation()), [sound.party()[0]], earlier).report
    assert [row["validity"] for row in found["signatures"]] == ["passed"]


def test_without_roots_nobody_passes():
    found = inspect_pdf(BytesIO(sound.signed()), [], datetime.now(UTC)).report
    assert [row["validity"] for row in found["signatures"]] == ["could_not_be_checked"]
