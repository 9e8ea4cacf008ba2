"""Checks 5.3 and 5.4: what an OpenTimestamps file in a package shows, and what it does not."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from bitcoin.core import CBlockHeader
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, UnknownAttestation, VerificationError
from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.serialize import BytesDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile

from notary.errors import TrustError
from notary.evidence.bitcoin import decode_block_header
from notary.evidence.catalogue import CHECKS
from notary.evidence.outcome import Claim, Outcome
from notary.evidence.trust import parse_trust
from tests.evidence import build
from tests.evidence.ots_build import NAME, URI, block_table, stamped, upgraded
from tests.ots_world import Bitcoin, file_of, header, place_of

PASSED, FAILED, UNCHECKED = Outcome.PASSED, Outcome.FAILED, Outcome.UNCHECKED


@pytest.fixture
def bitcoin():
    return Bitcoin()


@pytest.fixture
def note():
    return build.log().checkpoint(build.EARLY)


def checked(data, tables="", name=NAME):
    trust = parse_trust((build.trust_text(build.log()) + tables).encode())
    return build.check(build.files(build.log()) | {name: data}, trust)


def of(report, id_):
    return [check for check in report.checks if check.id == id_]


def outcomes(report):
    return {id_: [check.outcome for check in of(report, id_)] for id_ in ("5.3", "5.4")}


def test_a_file_whose_block_is_in_the_trust_file_is_proved_and_bounds_the_time(bitcoin, note):
    report = checked(file_of(upgraded(stamped(note), bitcoin)), block_table(bitcoin))
    assert outcomes(report) == {"5.3": [PASSED], "5.4": [PASSED]}
    assert report.outcome is PASSED
    assert of(report, "5.3")[0].subject == f"bitcoin@{build.EARLY}"
    assert of(report, "5.4")[0].claim is Claim.ATTESTED
    block = decode_block_header(bitcoin.headers[800_001])
    assert block.hash.hex() in of(report, "5.4")[0].detail
    (bound,) = [bound for bound in report.interval.bounds if bound.kind == "bitcoin"]
    assert (bound.source, bound.organisation, bound.size) == ("bitcoin", "Bitcoin", build.EARLY)
    assert bound.not_after == block.time + timedelta(hours=2)


def test_a_pending_file_is_not_checked_and_says_whom_to_ask(note):
    report = checked(file_of(stamped(note)))
    assert outcomes(report) == {"5.3": [UNCHECKED], "5.4": []}
    assert report.outcome is PASSED
    assert of(report, "5.3")[0].detail == (
        f"pending: no Bitcoin block is in the file yet; calendars that may know more: {URI}"
    )


def test_without_the_header_the_block_is_named_for_an_explorer_and_bounds_nothing(bitcoin, note):
    report = checked(file_of(upgraded(stamped(note), bitcoin)), block_table(bitcoin, 800_002))
    assert outcomes(report) == {"5.3": [PASSED], "5.4": [UNCHECKED]}
    assert report.outcome is PASSED
    root = bitcoin.headers[800_001][36:68][::-1].hex()
    assert of(report, "5.4")[0].detail == (
        f"attested in Bitcoin block 800001 with Merkle root {root}; header not given: "
        "compare it with an explorer that you trust"
    )
    assert all(bound.kind != "bitcoin" for bound in report.interval.bounds)


def test_a_block_with_another_merkle_root_fails(bitcoin, note):
    data = file_of(upgraded(stamped(note), bitcoin))
    report = checked(data, block_table(bitcoin, raw=bitcoin.headers[800_002]))
    assert outcomes(report) == {"5.3": [PASSED], "5.4": [FAILED]}
    assert "the Merkle root of block 800001 in the trust file is 0000" in of(report, "5.4")[0].detail
    assert report.outcome is FAILED
    assert all(bound.kind != "bitcoin" for bound in report.interval.bounds)


def test_the_right_root_under_another_height_proves_nothing(bitcoin, note):
    data = file_of(upgraded(stamped(note), bitcoin))
    report = checked(data, block_table(bitcoin, 800_002, bitcoin.headers[800_001]))
    assert outcomes(report) == {"5.3": [PASSED], "5.4": [UNCHECKED]}


def test_one_proved_block_is_enough_whatever_else_the_file_says(bitcoin, note):
    stamp = upgraded(stamped(note), bitcoin)
    place = place_of(stamp).ops.add(OpAppend(b"a lie")).ops.add(OpSHA256())
    place.attestations |= {BitcoinBlockHeaderAttestation(800_002), UnknownAttestation(b"\x11" * 8, b"?")}
    report = checked(file_of(stamp), block_table(bitcoin) + block_table(bitcoin, 800_002))
    assert outcomes(report) == {"5.3": [PASSED], "5.4": [PASSED]}
    assert of(report, "5.3")[0].detail == (
        f"leads to Bitcoin block 800001, 800002; calendars that may know more: {URI}; "
        "attestations of unknown kinds: 1111111111111111"
    )
    only_the_lie = block_table(bitcoin, 800_002)
    assert outcomes(checked(file_of(stamp), only_the_lie)) == {"5.3": [PASSED], "5.4": [FAILED]}


def test_of_two_proved_blocks_the_earlier_bounds(bitcoin, note):
    stamp = upgraded(upgraded(stamped(note), bitcoin), bitcoin)
    report = checked(file_of(stamp), block_table(bitcoin) + block_table(bitcoin, 800_007))
    times = [decode_block_header(bitcoin.headers[height]).time for height in (800_001, 800_007)]
    (bound,) = [bound for bound in report.interval.bounds if bound.kind == "bitcoin"]
    assert bound.not_after == min(times) + timedelta(hours=2)


def test_files_of_several_anchors_are_one_source(bitcoin, note):
    files = build.files(build.log()) | {
        f"heads/{build.EARLY}/ots/{name}.ots": file_of(upgraded(stamped(note, uri), bitcoin))
        for name, uri in (("a", URI), ("b", "https://other.example"))
    }
    tables = "".join(block_table(bitcoin, height) for height in (800_001, 800_007))
    text = build.trust_text(build.log(), tsa_a=None, tsa_b=None, chain=None) + tables
    report = build.check(files, parse_trust(text.replace("test_only", "k = 2\ntest_only").encode()))
    assert [check.outcome for check in of(report, "8.1")] == [UNCHECKED]
    assert len([bound for bound in report.interval.bounds if bound.kind == "bitcoin"]) == 2
    report = build.check(files, parse_trust(text.encode()))
    assert [check.outcome for check in of(report, "8.1")] == [PASSED]
    assert report.interval.sources_needed == 1


def test_bitcoin_counts_beside_one_authority(bitcoin, note):
    files = build.files(build.log()) | {NAME: file_of(upgraded(stamped(note), bitcoin))}
    text = build.trust_text(build.log(), tsa_b=None, chain=None).replace("test_only", "k = 2\ntest_only")
    assert of(build.check(files, parse_trust(text.encode())), "8.1")[0].outcome is UNCHECKED
    report = build.check(files, parse_trust((text + block_table(bitcoin)).encode()))
    assert of(report, "8.1")[0].outcome is PASSED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda stamp: file_of(stamp)[:-1], "format: the OpenTimestamps file ends within"),
        (lambda stamp: file_of(stamp) + b"\n", "format: bytes are left over behind"),
        (
            lambda _: file_of(stamped(b"another note")),
            "format: the OpenTimestamps file is over another digest",
        ),
        (lambda _: b"", "format: the OpenTimestamps file ends within the header"),
    ],
)
def test_a_file_that_is_damaged_or_over_something_else_fails(note, change, reason):
    report = checked(change(stamped(note)))
    assert outcomes(report) == {"5.3": [FAILED], "5.4": []}
    assert of(report, "5.3")[0].detail.startswith(reason)
    assert report.outcome is FAILED


def test_a_file_stands_over_the_head_of_its_folder_alone(bitcoin, note):
    data = file_of(upgraded(stamped(note), bitcoin))
    report = checked(data, block_table(bitcoin), NAME.replace(f"/{build.EARLY}/", f"/{build.LATE}/"))
    assert outcomes(report) == {"5.3": [FAILED], "5.4": []}


# The reference library's own words


def reference(data, note, raw):
    """What `ots verify` does with a header from its node; the time, or an error."""
    found = DetachedTimestampFile.deserialize(BytesDeserializationContext(data))
    assert found.file_digest == sha256(note).digest()
    block = CBlockHeader.deserialize(raw)
    return {
        attestation.verify_against_blockheader(message, block)
        for message, attestation in found.timestamp.all_attestations()
        if isinstance(attestation, BitcoinBlockHeaderAttestation)
    }


def test_the_reference_library_agrees_on_what_is_proved(bitcoin, note):
    data = file_of(upgraded(stamped(note), bitcoin))
    raw = bitcoin.headers[800_001]
    (time,) = reference(data, note, raw)
    assert datetime.fromtimestamp(time, UTC) == decode_block_header(raw).time
    assert outcomes(checked(data, block_table(bitcoin)))["5.4"] == [PASSED]


def test_the_reference_library_agrees_on_what_is_not(bitcoin, note):
    data = file_of(upgraded(stamped(note), bitcoin))
    with pytest.raises(VerificationError, match="Digest does not match merkleroot"):
        reference(data, note, bitcoin.headers[800_002])


# The trust file


def test_blocks_are_read_from_the_trust_file(bitcoin):
    bitcoin.mine(b"\x05" * 32, 2)
    trust = parse_trust(
        (build.trust_text(build.log()) + block_table(bitcoin) + block_table(bitcoin, 800_002)).encode()
    )
    assert [(height, block.raw) for height, block in trust.bitcoin_blocks] == list(bitcoin.headers.items())
    assert trust.k == build.trust(build.log()).k


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ('[[bitcoin_block]]\nheight = 1\nheader = "0x00"\n', "header of a block is not of the form"),
        ("[[bitcoin_block]]\nheight = 1\n", "bitcoin_block has no 'header'"),
        (
            block_table(None, raw=header(bytes(32), 5)) + "hash = 1\n",
            "bitcoin_block has a key 'hash' that we do not know",
        ),
        (block_table(None, raw=header(bytes(32), 5)) * 2, "two bitcoin_block are of one height"),
        (block_table(None, raw=b"\x00" * 80), "does not show the work that it states"),
        (block_table(None, -1, raw=header(bytes(32), 5)), "height of a block"),
    ],
)
def test_a_block_that_cannot_be_used_is_an_error_of_the_trust_file(table, reason):
    with pytest.raises(TrustError, match=reason):
        parse_trust((build.trust_text(build.log()) + table).encode())


def test_each_outcome_has_its_sentence_in_both_languages():
    assert CHECKS["5.3"].sentence(UNCHECKED, "zh").startswith("等待中")
    assert CHECKS["5.3"].sentence(UNCHECKED, "en").startswith("Pending")
    assert "区块浏览器" in CHECKS["5.4"].sentence(UNCHECKED, "zh")
    assert "compare it with an explorer" in CHECKS["5.4"].sentence(UNCHECKED, "en")
    assert "信任文件" in CHECKS["5.4"].sentence(PASSED, "zh")
    assert CHECKS["5.4"].sentence(PASSED, "en").startswith("Proved against the Bitcoin block header")
