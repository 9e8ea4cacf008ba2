"""What `tools/check.sh` makes of a package whose time other sources show, where revocation data may spoil a token."""

import pytest

from tests.evidence import test_check_script as script
from tests.evidence.build import EARLY, moment
from tests.evidence.test_check_script_tokens import agrees, packed
from tests.mini_revocation import crl, ocsp, responder

bare, run = script.bare, script.run
TSA = script.TSAS["tsa-a"]
FOLDER = f"heads/{EARLY}/revocation/tsa-a"
PLACE = "5.2", f"tsa-a@{EARLY}"
LATER = moment(12, 30)
REVOKED = {"status": "REVOKED", "revoked_at": moment(11)}
OPEN, PASSED, FAILED = "could_not_be_checked", "passed", "failed"


def answer(**more):
    return ocsp(TSA.signer, TSA.middle, TSA.middle_key, at=LATER, **more).data


def forged():
    made = answer()
    return made[:-1] + bytes([made[-1] ^ 1])


def above(**more):
    return ocsp(TSA.middle, TSA.root, TSA.root_key, at=LATER, **more).data


def listed(issuer, issuer_key, *revoked):
    return crl(issuer, issuer_key, *revoked, at=LATER).data


# Files beside the token (None: the lists that are there, too), its policy, and the outcome of Python's 5.2.
CASES = {
    "good": ({"3.ocsp": answer}, "lenient", PASSED),
    "good by a delegate": (
        {"3.ocsp": lambda: answer(by=responder(TSA.middle, TSA.middle_key))}, "lenient", PASSED,
    ),
    "revoked": ({"3.ocsp": lambda: answer(**REVOKED)}, "lenient", FAILED),
    "revoked above": ({"3.ocsp": answer, "4.ocsp": lambda: above(**REVOKED)}, "lenient", FAILED),
    "good, then revoked": ({"3.ocsp": lambda: answer(also=[(moment(11), None)])}, "lenient", FAILED),
    "unknown": ({"3.ocsp": lambda: answer(status="UNKNOWN")}, "lenient", PASSED),
    "forged": ({"3.ocsp": forged}, "lenient", FAILED),
    "no response": ({"3.ocsp": lambda: b"0\x00"}, "lenient", FAILED),
    "the intermediate is revoked and no list is of the signer": (
        {"1.crl": lambda: listed(TSA.root, TSA.root_key, (TSA.middle, moment(11), None)), "2.crl": None},
        "lenient", FAILED,
    ),
    "no list is of the signer": (
        {"1.crl": lambda: listed(TSA.root, TSA.root_key), "2.crl": None}, "lenient", OPEN,
    ),
    "asked for, and no list is of the signer": (
        {"1.crl": lambda: listed(TSA.root, TSA.root_key), "2.crl": None}, "strict", FAILED,
    ),
    "asked for, and there": ({}, "strict", PASSED),
}  # fmt: skip
CONCLUSIVE = {"good", "good by a delegate", "no list is of the signer", "asked for, and there"}


@pytest.mark.parametrize(
    "name", script.some(CASES, "good", "revoked", "asked for, and no list is of the signer")
)
def test_a_token_that_may_be_spoilt_leaves_the_outcome_open_whoever_else_shows_the_time(run, name):
    """Two other sources bound the time: without a reason for doubt the outcome is *passed*."""
    beside, policy, word = CASES[name]
    files = dict(script.FILES)
    for each, made in beside.items():
        files.pop(f"{FOLDER}/{each}", None)
        if made is not None:
            files[f"{FOLDER}/{each}"] = made()
    table = script.TABLES["tsa_a"] + f'revocation = "{policy}"\n'
    data, trust = packed(files), script.trust_text(tsa_a=table)
    status, checks, _, text, problems = run(data, trust=trust)
    report, expected = agrees(data, trust, checks)
    assert (expected[PLACE], problems) == (word, ""), text
    assert (checks[PLACE], expected[PLACE]) in {(OPEN, word), (word, word)}
    if name in CONCLUSIVE:
        assert (status, checks["8.1", ""]) == (0, PASSED), text
    else:
        assert (status, checks["8.1", ""]) == (2, OPEN), text
        assert "may have been revoked" in text
        assert "可能已被吊销" in text
    assert report.outcome is not script.Outcome.FAILED or status != 0
