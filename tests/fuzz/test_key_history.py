"""Both verifiers say the same of packages whose keys have a history: periods of head keys, rotated and stolen keys."""

from dataclasses import replace

import pytest

from notary.errors import TrustError
from notary.evidence.chain import encode_evidence
from notary.evidence.key_history import LOG, ROLES
from tests.evidence import build
from tests.evidence.build import LATE
from tests.evidence.test_verify_profiles import HEAD_KEY, OTHER_KEY, Chain
from tests.fuzz.corpus import DOCUMENT_NAME, Sample
from tests.fuzz.verifiers import JavaScript, by_python, failed
from tests.fuzz.zips import packed
from tests.services.keys_world import DAY, World

ADDRESS = f'address = "0x{HEAD_KEY.hex()}"'
OTHER = f'address = "0x{OTHER_KEY.hex()}"'
NAMED = f'head_keys = ["0x{HEAD_KEY.hex()}"]'
AT, BEFORE, AFTER = (f"2026-03-01T12:{time}Z" for time in ("10:00", "09:59.999999", "10:00.000001"))
LATER = {"stored": (LATE + 3, bytes(32), HEAD_KEY)}  # a later head in the same block


def table(*lines, address=ADDRESS):
    return "\n".join(("[[chain.head_key]]", address, *lines))


@pytest.fixture(scope="module")
def javascript():
    with JavaScript() as running:
        yield running


@pytest.fixture(scope="module")
def chain():
    return Chain("ethereum")


def sample(chain, *lines):
    """A package of one anchor under a trust file with these lines in its `[[chain]]`."""
    folder = f"heads/{LATE}"
    anchor = {
        f"{folder}/anchor.json": encode_evidence(chain.evidence),
        f"{folder}/header.rlp": chain.evidence.header,
    }
    trust = build.chain_table(chain.log, *lines, blocks=[chain.evidence.header])
    text = build.trust_text(chain.log, chain=trust, tsa_a=None, tsa_b=None)
    return Sample("history", chain.files | anchor | {DOCUMENT_NAME: build.CONTRACT}, text)


def asked(javascript, sample):
    """The vector that both give; an AssertionError where they differ."""
    data = packed(sample.files)
    python = by_python(data, sample)
    assert javascript.ask(data, sample) == python
    return python


HELD = {
    "no period": (table(), set()),
    "its first moment": (table(f"since = {AT}"), set()),
    "its last moment": (table(f"until = {AT}"), set()),
    "its last size": (table(f"until = {AT}", f"last_good_size = {LATE}"), set()),
    "before it began": (table(f"since = {AFTER}"), {"6.6"}),
    "after it ended": (table(f"until = {BEFORE}"), {"6.6"}),
    "above its last good size": (table(f"until = {AT}", f"last_good_size = {LATE - 1}"), {"6.6"}),
    "a time of another zone": (table("until = 2026-03-01T20:10:00+08:00"), set()),
    "another key alone": (table(address=OTHER), {"6.6"}),
    "another key beside it": ("\n".join((NAMED, table(f"since = {AFTER}", address=OTHER))), set()),
    "a name twice without a period": (f'head_keys = ["0x{HEAD_KEY.hex()}", "0x{HEAD_KEY.hex()}"]', set()),
}


@pytest.mark.parametrize("what", HELD)
def test_the_period_of_a_head_key_is_read_alike(javascript, chain, what):
    lines, ids = HELD[what]
    result = asked(javascript, sample(chain, lines))
    assert failed(result) == ids
    assert bool(result["time"]["bounds"]) is not bool(ids)


@pytest.mark.parametrize("last_good", [LATE - 1, LATE, LATE + 2, LATE + 3])
def test_a_later_head_of_the_same_block_is_read_alike(javascript, last_good):
    result = asked(
        javascript,
        sample(Chain("ethereum", **LATER), table(f"until = {AT}", f"last_good_size = {last_good}")),
    )
    assert failed(result) <= {"6.6"}
    assert [check["outcome"] for check in result["checks"] if check["id"] == "6.6"] != ["passed"]


def test_where_a_period_is_stated_an_anchor_that_does_not_show_its_key_bounds_nothing(javascript, chain):
    bare = replace(chain.evidence, head_slots=(None, None))
    files = sample(chain, table()).files | {f"heads/{LATE}/anchor.json": encode_evidence(bare)}
    result = asked(javascript, replace(sample(chain, table()), files=files))
    assert (failed(result), result["time"]["bounds"]) == (set(), [])


@pytest.mark.parametrize(
    "lines",
    [
        table() + "\n" + table(),
        f"{NAMED}\n{table()}",
        table("last_good_size = 4"),
        table(f"until = {AT}", "last_good_size = -1"),
        table(f"until = {AT}", "last_good_size = 9007199254740992"),
        table(f"since = {AT}", f"until = {BEFORE}"),
        table("until = 2026-03-01"),
        table("until = 2026-03-01T12:10:00"),
        table("from = 1"),
        "[[chain.head_key]]",
        table(address='address = "0x01"'),
        table(address=ADDRESS.upper().replace("ADDRESS", "address").replace("0X", "0x")[:-2] + 'FF"'),
        "head_key = 1",
        "head_key = [1]",
    ],
)
def test_a_trust_file_with_a_wrong_period_is_refused_by_both(javascript, chain, lines):
    wrong = sample(chain, lines)
    with pytest.raises(TrustError):
        _ = wrong.trust
    assert javascript.ask(packed(wrong.files), wrong) == {"error": "TrustError"}


@pytest.mark.parametrize("until", ["2026-03-01T11:59:00Z", "2026-03-02T00:00:00Z"])
def test_a_head_that_does_not_count_shows_no_time_to_either(javascript, until):
    """Neither its bounds nor the block after which the record was made: `time` is compared whole."""
    log = build.log()
    ended = build.key_table("log_key", log.origin, log.key, f"until = {until}")
    files = build.files(log) | {DOCUMENT_NAME: build.CONTRACT}
    counts = until > "2026-03-01T12:59"
    time = asked(javascript, Sample("ended", files, build.trust_text(log, log_key=ended)))["time"]
    shown = (time["made_after"] is not None, time["made_after_block"] != "", time["bounds"] != [])
    assert shown == (counts,) * 3


def test_after_each_key_was_rotated_and_one_was_stolen_both_say_the_same(javascript, sqlite, tmp_path):
    world = World.make(sqlite, tmp_path)
    numbers = [world.record().number]
    texts = [world.statements.current().file()]
    for role in ROLES:
        world.rig.clock.advance(30 * DAY)
        world.rotating().rotate(role)
        numbers.append(world.restarted().record().number)
        texts.append(world.statements.current().file())
    stolen, good = world.history.keys(LOG)[0], world.history.periods(LOG)[0].size
    for size in (good, 1):
        world.rotating().compromise(LOG, stolen, size, None)
        texts.append(world.statements.current().file())
    outcomes = set()
    for number in numbers:
        data = world.package(number)
        for text in texts:
            asked_for = Sample("rotated", {}, text)
            python = by_python(data, asked_for)
            assert javascript.ask(data, asked_for) == python
            outcomes |= {(check["id"], check["outcome"]) for check in python["checks"]}
    # Whoever has an old trust file knows no later key; a stolen key signed nothing above its last good size.
    assert {
        ("3.1", "passed"),
        ("3.1", "failed"),
        ("4.1", "passed"),
        ("4.1", "could_not_be_checked"),
    } <= outcomes
