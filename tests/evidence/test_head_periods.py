"""The period of a head key: the block dates it, and what a thief anchors fails 6.6 and bounds nothing."""

from datetime import UTC, datetime

import pytest

from notary.errors import TrustError
from notary.evidence.keccak import keccak256
from tests.evidence import build
from tests.evidence.build import LATE
from tests.evidence.test_verify_profiles import (
    HEAD_KEY,
    OTHER_KEY,
    PASSED,
    Chain,
    bounded,
    detail,
    failures,
    outcome,
)

ADDRESS = f'address = "0x{HEAD_KEY.hex()}"'
LOG = build.Log()


def table(*lines):
    return "\n".join(("[[chain.head_key]]", ADDRESS, *lines))


@pytest.fixture(scope="module")
def chain():
    return Chain("ethereum")


GOOD = ("since = 2026-03-01T12:10:00Z", "until = 2026-03-01T12:10:00Z", f"last_good_size = {LATE}")


def test_an_anchor_in_the_period_of_its_head_key_counts(chain):
    for lines in ((), GOOD[:1], GOOD[1:2], GOOD):
        report = chain.check(table(*lines))
        assert (report.outcome, outcome(report, "6.6")) == (PASSED, PASSED)
        assert bounded(report) == ["chain 31337"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("since = 2026-03-01T12:10:01Z",), "before head key 0x"),
        (("until = 2026-03-01T12:09:59Z",), "after head key 0x"),
        (
            (GOOD[1], f"last_good_size = {LATE - 1}"),
            f"is trusted up to size {LATE - 1} only: it was compromised",
        ),
    ],
)
def test_one_outside_of_it_fails_6_6_and_bounds_nothing(chain, lines, reason):
    report = chain.check(table(*lines))
    assert failures(report) == ["6.6"]
    assert reason in detail(report, "6.6")
    assert bounded(report) == []


def test_a_key_that_no_table_names_is_not_trusted_once_one_does(chain):
    other = Chain("ethereum", stored=(LATE, keccak256(b""), OTHER_KEY))
    assert "which is not trusted" in detail(other.check(table()), "6.6")


def test_the_period_of_another_head_key_means_nothing(chain):
    lines = (
        f'head_keys = ["0x{HEAD_KEY.hex()}"]\n[[chain.head_key]]\naddress = "0x{OTHER_KEY.hex()}"\n{GOOD[0]}'
    )
    report = chain.check(lines.replace("12:10:00", "13:10:00"))
    assert outcome(report, "6.6") == PASSED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (table() + "\n" + table(), "a head key of a chain is named twice"),
        (f'head_keys = ["0x{HEAD_KEY.hex()}"]\n{table()}', "a head key of a chain is named twice"),
        (table("last_good_size = 4"), "a key with last_good_size has no 'until'"),
        (table(GOOD[0], "until = 2026-03-01T12:09:59Z"), "is before its 'since'"),
        (table("until = 2026-03-01"), "not a time with a zone"),
        (table("from = 1"), "head_key has a key 'from' that we do not know"),
        ("[[chain.head_key]]\n", "head_key has no 'address'"),
        ('[[chain.head_key]]\naddress = "0x01"\n', "address is not of the form"),
        ("head_key = 1\n", "head_key is not a list of tables"),
    ],
)
def test_a_table_that_would_restrict_nothing_or_everything_is_refused(text, reason):
    chain = build.chain_table(LOG, text, blocks=[])
    with pytest.raises(TrustError, match=reason):
        build.trust(LOG, chain=chain)


def test_the_period_is_read_as_it_stands():
    (chain,) = build.trust(LOG, chain=build.chain_table(LOG, table(*GOOD), blocks=[])).chains
    (period,) = chain.head_periods
    moment = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
    assert (period.address, period.since, period.until, period.last_good_size) == (
        HEAD_KEY,
        moment,
        moment,
        LATE,
    )
    assert chain.head_keys == (HEAD_KEY,)
