"""Facts for reports: a record that passed, and what may be wrong with one."""

from datetime import UTC, datetime, timedelta

from notary.evidence.number import make_number
from notary.evidence.outcome import Bound, Check, Claim, Interval, Outcome, Report
from notary.report.facts import AnchorFact, HeadFact, facts_of

NUMBER = make_number(1_764_000_000_000, b"12345")
SHA256 = "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658"
SM3 = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
ENTRY = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
ROOT = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
URL = f"https://evidence.example.cn/e/{NUMBER}"
REQUIRED = frozenset({"1.1", "1.2", "2.1", "2.2", "2.3", "3.1", "3.2", "8.1"})
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def at(minutes, microsecond=0):
    return START + timedelta(minutes=minutes, microseconds=microsecond)


BOUNDS = (
    Bound("rfc3161", "tsa-north", "国家授时示例中心", at(5, 300_000), 1024),
    Bound("rfc3161", "tsa-acme", "Acme Trust Services", at(7), 1024),
    Bound("chain", "chain 11155111", "chain 11155111", at(31), 1024),
)
ANCHOR = AnchorFact(1024, 11155111, "0x" + "ab" * 20, "0x" + "cd" * 32, 9182745, "0x" + "ef" * 32, at(31))


def check(id_, outcome=Outcome.PASSED, claim=Claim.RECOMPUTED, subject="", detail=""):
    return Check(id_, outcome, claim, subject, detail)


ATTESTED = ("4.3", "5.1", "6.2", "7.2", "8.1")
IDS = "1.1 1.2 2.1 2.3 2.2 3.1 3.2 3.3 4.1 4.2 4.3 5.1 6.1 6.2 6.3 6.4 6.5 7.1 7.2 8.1".split()  # noqa: SIM905 - a list takes twenty lines
CHECKS = tuple(check(id_, claim=Claim.ATTESTED if id_ in ATTESTED else Claim.RECOMPUTED) for id_ in IDS)


def statement(**more):
    document = {
        "seen": True,
        "digests": {"sha-256": SHA256, "sm3": SM3},
        "claimed": {},
        "size": 182733,
        "media_type": "application/pdf",
    }
    value = {"version": 1, "type": "document", "log": "log.example.cn/evidence", "number": NUMBER}
    return value | {"time": "2026-11-24T02:00:03Z", "document": document} | more


INTERVAL = Interval(at(-1), "chain 11155111 block 9182736 0xabc", at(7), 2, BOUNDS)


def result(checks=CHECKS, interval=INTERVAL, **more):
    values = {"statement": statement(), "entry": ENTRY, "index": 517, "openings": {}, "required": REQUIRED}
    return Report(checks, interval, **(values | more))


def replaced(*changes):
    """The checks of a good record, with others in the place of those with the same id."""
    by_id = {change.id: change for change in changes}
    return tuple(by_id.get(old.id, old) for old in CHECKS)


def pending():
    """Accepted, not yet in a checkpoint."""
    unchecked = [check(id_, Outcome.UNCHECKED, Claim.NOT_COVERED) for id_ in ("3.1", "3.2", "8.1")]
    return result(CHECKS[:5] + tuple(unchecked), Interval(None, "", None, 2, ()), index=None)


def signature(**more):
    return {
        "field": "Signature1",
        "kind": "signature",
        "subfilter": "ETSI.CAdES.detached",
        "signer": "CN=上海示例租赁有限公司,C=CN",
        "certificate_sha256": None,
        "issuer": "CN=Example CA,C=CN",
        "serial": "12",
        "claimed_time": "2026-11-24T01:58:00Z",
        "stamped_time": "2026-11-24T01:58:02Z",
        "stamp": "trusted",
        "byte_range": [],
        "covers": "whole_file",
        "covers_sha256": None,
        "changes_after": "none",
        "integrity": "intact",
        "trust": "trusted",
        "validity": "passed",
        "note": None,
    } | more


def inspection(*signatures, **more):
    return {
        "version": 1,
        "tool": "pyHanko 0.38.0",
        "outcome": "inspected",
        "reason": None,
        "pages": 4,
        "encrypted": False,
        "revisions": 1,
        "cms": True,
        "truncated": False,
        "signatures": list(signatures),
        "empty_fields": [],
    } | more


def inspection_2(*signatures, **more):
    """Version 2: of each signature (a dict) what it says beyond version 1, where the test does not say it."""
    beyond = {
        "revision": 1,
        "chain": [0, 1],
        "doc_mdp": None,
        "field_mdp": None,
        "level": None,
        "ades_indication": None,
        "ades_sub_indication": None,
    }
    subjects = ("CN=Signer", "CN=示例签发机构", "CN=Example Root")
    values = {
        "version": 2,
        "prefixes": [],
        "certificates": [{"subject": name} for name in subjects],
        "removed_fields": [],
    }
    return inspection(*(beyond | each for each in signatures), **(values | more))


def facts(found=None, **more):
    values = {
        "number": NUMBER,
        "operator": "示例存证服务有限公司",
        "generated": at(60),
        "document_name": "房屋租赁合同.pdf",
        "heads": [HeadFact(1024, ROOT)],
        "anchors": [ANCHOR],
        "verify_url": URL,
        "proves_nothing": False,
    }
    return facts_of(result() if found is None else found, **(values | more))
