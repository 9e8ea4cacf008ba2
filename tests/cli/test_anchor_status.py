"""What an operator sees of those who attest."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from notary.anchoring.rfc3161 import failed_check
from notary.store import anchorings
from notary.store.breakers import Breaker, keep_breaker
from tests.rig import Rig

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
RESPONSE = b"\x30\x03 what came"


@pytest.fixture
def service(sqlite, tmp_path, monkeypatch):
    """A log of three checkpoints, of which one authority stamped the last and another stamped nothing."""
    rig = Rig(sqlite, tmp_path).open()
    sizes = [rig.submit(1, first=first) and rig.sequencer().sequence().size for first in range(3)]
    with sqlite.writing() as connection:

        def word(anchor, size, state, detail, evidence):
            made = anchorings.create_anchoring(connection, anchor, "rfc3161", size, AT)
            anchorings.move(connection, made.id, "due", state, AT, detail=detail, evidence=evidence)

        word("good", sizes[2], "final", "good: stamped", b"token")
        word("bad", sizes[0], "rejected", "bad: check 14: no path leads to [a root]", RESPONSE)
        word("bad", sizes[1], "rejected", "no answer came; a later head takes its place", None)
        anchorings.create_anchoring(connection, "bad", "rfc3161", sizes[2], AT)
        now = datetime.now(UTC)
        keep_breaker(connection, Breaker("bad", 6, now, now + timedelta(minutes=2), "bad: no answer"))
    tsas = [
        {"name": name, "organisation": name.title(), "url": "https://tsa.example", "roots": ["root.pem"]}
        for name in ("good", "bad")
    ]
    chains = [{"name": "main", "chain_id": 7, "rpc_urls": ["https://rpc.example"]}]
    ots = [
        {"name": "slow", "calendars": ["https://a.example"], "headers_url": "https://headers.example"},
    ]
    for name, value in {
        "ORIGIN": "log.example.org/2026",
        "DATABASE_URL": str(sqlite.engine.url),
        "DATA_DIR": str(tmp_path),
        "TSAS": json.dumps(tsas),
        "CHAINS": json.dumps(chains),
        "OTS": json.dumps(ots),
    }.items():
        monkeypatch.setenv(f"NOTARY_{name}", value)
    return sizes


def test_each_anchor_is_told_of_with_what_it_said_that_was_no_use(notary, service):
    first, second, third = service
    good, bad, main, slow = json.loads(notary("anchor", "status", "--json").out)["anchors"]
    nothing = {"failures": 0, "failed": None, "asked_again": None, "reason": None, "under_way": None}
    assert good == nothing | {
        "anchor": "good",
        "kind": "rfc3161",
        "organisation": "Good",
        "circuit": "closed",
        "final": {"size": third, "updated": "2026-03-01T12:00:00Z"},
        "rejected": [],
    }
    assert (main["kind"], main["organisation"], main["circuit"], main["final"]) == (
        "evm",
        "chain 7",
        "closed",
        None,
    )
    assert (slow["anchor"], slow["kind"], slow["organisation"]) == ("slow", "opentimestamps", "Bitcoin")
    assert (bad["circuit"], bad["failures"], bad["reason"], bad["final"]) == (
        "open",
        6,
        "bad: no answer",
        None,
    )
    assert bad["asked_again"] > bad["failed"] > "2026"
    assert bad["under_way"] == {"size": third, "state": "due"}
    assert bad["rejected"] == [
        {
            "size": second,
            "updated": "2026-03-01T12:00:00Z",
            "check": None,
            "reason": "no answer came; a later head takes its place",
            "response": None,
        },
        {
            "size": first,
            "updated": "2026-03-01T12:00:00Z",
            "check": 14,
            "reason": "no path leads to [a root]",
            "response": base64.b64encode(RESPONSE).decode(),
        },
    ]


def test_a_person_reads_the_same(notary, service):
    said = " ".join(notary("anchor", "status").out.split())
    assert "good Good closed" in said
    assert "6 in a row, asked again 20" in said
    assert (
        f"rejected head {service[0]}, 2026-03-01T12:00:00Z, bad: check 14: no path leads to [a root]" in said
    )
    said = notary("anchor", "status", "--rejected", "1").out
    assert "check 14" not in said
    assert "a later head takes its place" in said


@pytest.mark.parametrize(
    ("detail", "found"),
    [
        ("a-1: check 4: the token cannot be read: x", (4, "the token cannot be read: x")),
        ("a-1: tsa.example does not answer", None),
        ("", None),
    ],
)
def test_number_and_reason_are_read_from_what_was_said(detail, found):
    assert failed_check(detail) == found
