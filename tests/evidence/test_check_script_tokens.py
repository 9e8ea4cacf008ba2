"""Time stamps that `tools/check.sh` must not pass: every token of the suite, and hostile texts around one."""

import io

import pytest
from cryptography.hazmat.primitives import serialization

from notary.evidence.package import read_package, write_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from tests.evidence import test_check_script as script
from tests.evidence import tsa_case
from tests.evidence.build import CONTRACT, EARLY, moment
from tests.evidence.tsa_cases import CASES
from tests.mini_revocation import both, crl, ocsp
from tests.mini_tsa import POLICY, authority_extensions, certificate, der, key

bare, run = script.bare, script.run
STATUS = (
    "x\nAccuracy: 0x00 seconds, unspecified millis, unspecified micros\nPolicy OID: 1.2.3.4\n"
    "Time stamp: Jan  1 12:00:00 2026 GMT"
)


def package(**tokens):
    files = {f"heads/{EARLY}/tokens/tsa-{name}.tsr": data for name, data in tokens.items()}
    return packed(script.FILES | files)


def packed(files):
    """Without controls, which would all be tried."""
    return write_package(files, ("a.pdf", CONTRACT))


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


@pytest.mark.parametrize(("policies", "word"), [(["1.2.3.4", POLICY], "passed"), (["1.2.3.4"], "failed")])
def test_the_policy_is_that_of_the_token(run, policies, word):
    listed = ", ".join(f'"{policy}"' for policy in policies)
    trust = script.trust_text(tsa_a=script.TABLES["tsa_a"] + f"policies = [{listed}]\n")
    data = packed(script.FILES)
    _, checks, _, _, problems = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    place = "5.1", f"tsa-a@{EARLY}"
    assert (checks[place], expected[place], problems) == (word, word, "")


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


@pytest.mark.parametrize(
    "name",
    script.some(
        BY_NAME,
        "attributes signed out of order",
        "RSA, PKCS #1 v1.5",
        "CA for web servers",
        "CA for time-stamping and web servers",
        "signer is a CA",
        "signer named by key identifier",
    ),
)
def test_no_token_passes_that_the_verifier_refuses(run, monkeypatch, name):
    monkeypatch.setattr(tsa_case, "NOTE", script.LOG.checkpoint(EARLY))
    given = BY_NAME[name].make()
    folder = f"heads/{EARLY}/revocation/tsa-a"
    files = {name: data for name, data in script.FILES.items() if not name.startswith(folder)}
    files |= {f"heads/{EARLY}/tokens/tsa-a.tsr": given.response}
    for number, data in enumerate(given.revocation, 1):
        crl = BY_NAME[name].needs != "ocsp" and "OCSP" not in name
        files[f"{folder}/{number}.{'crl' if crl else 'ocsp'}"] = getattr(data, "data", data)
    data = packed(files)
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


TSA = script.TSAS["tsa-a"]
EARLIER, LATER = moment(11), moment(12, 20)  # than the tokens, which are of 12:00
# Of the lists of the authority's CA: entries and moment of each. Then whether the certificate counts as revoked.
LISTS = {
    "revoked in the older one": ([((EARLIER, None), moment(12, 10)), (None, moment(12, 30))], True),
    "revoked in the newer one": ([(None, moment(12, 10)), ((LATER, None), moment(12, 30))], True),
    "revoked in one from before the token": ([((EARLIER, None), moment(11, 30)), (None, moment(12, 30))], True),
    "superseded before the token": ([((EARLIER, "superseded"), moment(12, 10)), (None, moment(12, 30))], True),
    "superseded after the token": ([((LATER, "superseded"), moment(12, 25)), (None, moment(12, 30))], False),
    "superseded, invalid before": ([((LATER, "superseded", EARLIER), moment(12, 25)), (None, moment(12, 30))], True),
    "one from before the token": ([(None, moment(11, 30)), (None, moment(12, 30))], False),
}  # fmt: skip


@pytest.mark.parametrize("what", script.some(LISTS, "revoked in the older one", "one from before the token"))
def test_a_revocation_in_any_of_several_lists_of_one_issuer_counts(run, what):
    lists, revoked = LISTS[what]
    folder, files = f"heads/{EARLY}/revocation/tsa-a", dict(script.FILES)
    for number, (entry, at) in enumerate(lists, 3):
        made = both(TSA, *([] if entry is None else [(TSA.signer, *entry)]), at=at)[0]
        files[f"{folder}/{number}.crl"] = made.data
    del files[f"{folder}/1.crl"]
    data = packed(files)
    status, checks, _, text, problems = run(data)
    _, expected = agrees(data, script.trust_text(), checks)
    place = "5.2", f"tsa-a@{EARLY}"
    assert (expected[place] == "failed", checks[place] == "failed", problems) == (revoked, revoked, ""), text
    assert status == (1 if revoked else 0)
    if what == "one from before the token":
        assert checks[place] == "passed"


def test_a_list_from_the_second_of_the_token_may_be_from_before_it(run):
    files = script.FILES | {
        f"heads/{EARLY}/tokens/tsa-a.tsr": script.stamped("tsa-a", gen_time=b"20260301120000.5Z")
    }
    folder = f"heads/{EARLY}/revocation/tsa-a"
    files |= {f"{folder}/{number}.crl": each.data for number, each in enumerate(both(TSA, at=moment(12)), 1)}
    data, strict = packed(files), script.TABLES["tsa_a"].replace('"lenient"', '"strict"')
    trust = script.trust_text(tsa_a=strict if "strict" in strict else f'{strict}revocation = "strict"\n')
    status, checks, _, text, problems = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    place = "5.2", f"tsa-a@{EARLY}"
    assert (status, checks[place], expected[place], problems) == (1, "failed", "failed", ""), text


def test_a_response_that_the_script_does_not_read_leaves_no_bound(run):
    name = f"heads/{EARLY}/revocation/tsa-a/3.ocsp"
    for more in ({}, {"status": "REVOKED", "revoked_at": moment(11)}):
        answer = ocsp(TSA.signer, TSA.middle, TSA.middle_key, at=moment(12, 30), **more)
        data, trust = packed(script.FILES | {name: answer.data}), script.trust_text(chain=script.NO_BLOCK)
        status, checks, _, text, problems = run(data, trust=trust)
        _, expected = agrees(data, trust, checks)
        place = "5.2", f"tsa-a@{EARLY}"
        assert (status, checks[place], problems) == (2, "could_not_be_checked", ""), text
        assert expected[place] == ("failed" if more else "passed")


def test_a_ca_of_the_same_name_that_signed_nothing_makes_no_good_token_fail(run):
    """OpenSSL goes by names, takes one of the two, and does not try the other."""
    public, place = key("p256", "namesake").public_key(), ("5.1", f"tsa-a@{EARLY}")
    root = TSA.root.subject.rfc4514_string().removeprefix("CN=")
    other = certificate("Middle", public, root, TSA.root_key, extensions=authority_extensions())
    assert other.subject == TSA.middle.subject
    words = set()
    held = sorted(map(der, (TSA.signer, TSA.middle, other)))  # as it is written
    response = TSA.respond(script.LOG.checkpoint(EARLY), certificates=[TSA.signer, TSA.middle, other])
    assert b"".join(held) in response
    for order in (held, held[::-1]):
        data, trust = package(a=response.replace(b"".join(held), b"".join(order))), script.trust_text()
        _, checks, _, _, problems = run(data, trust=trust)
        _, expected = agrees(data, trust, checks)
        assert (expected[place], problems) == ("passed", "")
        words.add(checks[place])
    assert words == {"passed", "could_not_be_checked"}


def test_a_revocation_that_cannot_be_told_leaves_no_bound(run):
    """The intermediate is revoked and no list speaks of the signer: OpenSSL asks of the signer first."""
    listed = crl(TSA.root, TSA.root_key, (TSA.middle, EARLIER, None), at=moment(12, 30)).data
    folder = f"heads/{EARLY}/revocation/tsa-a"
    files = {name: data for name, data in script.FILES.items() if not name.startswith(folder)}
    data, trust = packed(files | {f"{folder}/1.crl": listed}), script.trust_text(chain=script.NO_BLOCK)
    status, checks, _, _, _ = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert expected["5.2", f"tsa-a@{EARLY}"] == "failed"
    assert (status, checks["8.1", ""]) == (2, "could_not_be_checked")


def test_a_token_that_is_not_compared_does_not_pass_and_bounds_nothing(run):
    """Signed with PSS, which OpenSSL checks and the script does not read; nothing else is wrong with it."""
    tsa = tsa_case.authority("pss")
    token = tsa.respond(script.LOG.checkpoint(EARLY), tsa=True)
    trust = script.trust_text(tsa_a=table(tsa_case.Given(token, tsa)), chain=script.NO_BLOCK)
    folder = f"heads/{EARLY}/revocation/tsa-a"
    files = {name: data for name, data in script.FILES.items() if not name.startswith(folder)}
    data = packed(files | {f"heads/{EARLY}/tokens/tsa-a.tsr": token})
    status, checks, _, _, _ = run(data, trust=trust)
    _, expected = agrees(data, trust, checks)
    assert expected["5.1", f"tsa-a@{EARLY}"] == "passed"
    assert checks["5.1", f"tsa-a@{EARLY}"] == "could_not_be_checked"
    assert (status, checks["8.1", ""]) == (2, "could_not_be_checked")
