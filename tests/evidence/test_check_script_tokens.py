"""Time stamps that `tools/check.sh` must not pass: every token of the suite, and hostile texts around one."""

import io

import pytest
from cryptography.hazmat.primitives import serialization

from notary.evidence.assemble import assemble
from notary.evidence.package import read_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from tests.evidence import test_check_script as script
from tests.evidence import tsa_case
from tests.evidence.build import CONTRACT, EARLY
from tests.evidence.tsa_cases import CASES
from tests.mini_tsa import POLICY

bare, run = script.bare, script.run
STATUS = (
    "x\nAccuracy: 0x00 seconds, unspecified millis, unspecified micros\nPolicy OID: 1.2.3.4\n"
    "Time stamp: Jan  1 12:00:00 2026 GMT"
)


def package(**tokens):
    files = {f"heads/{EARLY}/tokens/tsa-{name}.tsr": data for name, data in tokens.items()}
    return assemble(script.FILES | files, ("a.pdf", CONTRACT))


def agrees(data, trust, found):
    """The verifier's outcomes by (id, subject); the script's must be the same or could not be checked."""
    report = verify(read_package(io.BytesIO(data)), parse_trust(trust.encode()))
    expected = {(check.id, check.subject): check.outcome.value for check in report.checks}
    for place, word in found.items():
        assert word in {expected.get(place), "could_not_be_checked"}, place
    return report, expected


def test_the_text_of_the_status_says_nothing_of_the_token(run):
    slow = {"accuracy": {"seconds": 3600}, "status_text": [STATUS]}
    data = package(a=script.stamped("tsa-a", **slow), b=script.stamped("tsa-b", **slow))
    status, checks, _, text, _ = run(data)
    report, _ = agrees(data, script.trust_text(), checks)
    assert f"{report.interval.existed_by:%Y-%m-%dT%H:%M:%SZ}" == "2026-03-01T13:00:00Z"
    assert (status, "最迟于此时已存在: 2026-03-01T13:00:00Z" in text) == (0, True)


@pytest.mark.fuzz
def test_the_text_of_the_status_names_no_policy(run):
    trust = script.trust_text(tsa_a=script.TABLES["tsa_a"] + 'policies = ["1.2.3.4"]\n')
    data = package(a=script.stamped("tsa-a", status_text=[STATUS]))
    status, checks, _, _, _ = run(data, trust=trust)
    assert (status, checks["5.1", f"tsa-a@{EARLY}"]) == (1, "failed")


def table(given):
    text = given.tsa.root.public_bytes(serialization.Encoding.PEM).decode()
    more = "".join(
        f"'''\n{each.public_bytes(serialization.Encoding.PEM).decode()}''', " for each in given.supplied
    )
    strict = "strict" if given.strict else "lenient"
    return (
        f"[[tsa]]\nname = \"tsa-a\"\norganisation = \"tsa-a Ltd\"\nroots = ['''\n{text}''']\n"
        f'policies = ["{POLICY}"]\nrevocation = "{strict}"\nintermediates = [{more}]\n'
    )


BY_NAME = {case.name: case for case in CASES}
FAILED = {
    "signed with SHA-1", "attribute contentType twice", "attributes signed out of order", "accuracy over an hour",
    "critical extension that is unknown", "serial number of 161 bits", "genTime without seconds",
    "bytes after TSTInfo, signed too",
}  # fmt: skip


@pytest.mark.parametrize("name", script.some(BY_NAME, "attributes signed out of order", "RSA, PKCS #1 v1.5"))
def test_no_token_passes_that_the_verifier_refuses(run, monkeypatch, name):
    monkeypatch.setattr(tsa_case, "NOTE", script.LOG.checkpoint(EARLY))
    given = BY_NAME[name].make()
    folder = f"heads/{EARLY}/revocation/tsa-a"
    files = {name: data for name, data in script.FILES.items() if not name.startswith(folder)}
    files |= {f"heads/{EARLY}/tokens/tsa-a.tsr": given.response}
    for number, data in enumerate(given.revocation, 1):
        crl = BY_NAME[name].needs != "ocsp" and "OCSP" not in name
        files[f"{folder}/{number}.{'crl' if crl else 'ocsp'}"] = getattr(data, "data", data)
    data = assemble(files, ("a.pdf", CONTRACT))
    trust = script.trust_text(tsa_a=table(given))
    _, checks, _, _, problems = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert problems == ""
    if name in FAILED:
        assert checks["5.1", f"tsa-a@{EARLY}"] == "failed" == expected["5.1", f"tsa-a@{EARLY}"]


@pytest.mark.fuzz
@pytest.mark.parametrize("gen_time", [b"20260301120000+0000", b"20260301120000.Z", b"20260230120000Z"])
def test_no_time_passes_that_the_verifier_refuses(run, gen_time):
    data = package(a=script.stamped("tsa-a", gen_time=gen_time))
    _, checks, _, _, _ = run(data)
    _, expected = agrees(data, script.trust_text(), checks)
    assert expected["5.1", f"tsa-a@{EARLY}"] == "failed"
