"""`tools/check.sh` on unpacked packages: what it passes, what it fails, and what it says that it cannot do.

A run takes seconds. `make test` makes about twenty of them, one or more of each kind; `make test-fuzz` makes all.
"""

import io
import re
import shutil
import subprocess
import zipfile
from os.path import realpath

import pytest

from notary.evidence.assemble import assemble
from notary.evidence.catalogue import CHECKS
from notary.evidence.commitments import encode_openings
from notary.evidence.consistency import encode_consistency
from notary.evidence.outcome import Outcome
from notary.evidence.package import read_package, write_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from notary.services.package_tools import static_members
from tests.evidence import build
from tests.evidence.build import CONTRACT, DOCUMENT, EARLY, LATE, moment
from tests.mini_revocation import both
from tests.mini_tsa import GEN_TIME, MiniTsa, authority_extensions, certificate, key

LOG = build.log()
PROGRAMS = (
    "sha256sum", "xxd", "openssl",
    "awk", "cat", "cmp", "cut", "find", "grep", "head", "mkdir", "rm", "sed", "sort", "tr", "uniq", "wc",
)  # fmt: skip
SHELLS = [
    "bash",
    *(["busybox"] if shutil.which("busybox") else []),
]  # the header of the run says which is missing
AWKS = ("mawk", "gawk", "original-awk", "bwk", "busybox")
# Those that are another program than the system's, or that once more.
OTHER_AWKS = [
    name
    for name in AWKS
    if shutil.which(name) and realpath(shutil.which(name)) != realpath(shutil.which("awk"))
] or ["awk"]
WORDS = {"passed": "passed", "FAILED": "failed", "could": "could_not_be_checked"}


class Tsa(MiniTsa):
    """With keys of its own, of a kind that openssl checks in tokens."""

    def __init__(self, label):
        super().__init__("p256", root=f"{label} root")
        self.root_key, self.middle_key = key("p256", f"{label} root"), key("p256", f"{label} middle")
        self.key = key("p256", f"{label} signer")
        root, authority = f"{label} root", authority_extensions()
        self.root = certificate(root, self.root_key.public_key(), root, self.root_key, extensions=authority)
        public = self.middle_key.public_key()
        self.middle = certificate("Middle", public, root, self.root_key, extensions=authority)
        self.signer = self.issue(label, extensions=self.extensions)

    pem = build.FixedTsa.pem


def tsa_of(kind):
    """One whose signer has a key of another kind."""
    made = Tsa("tsa-a")
    made.kind, made.key = kind, key(kind, f"{kind} signer")
    return made


TSAS = {name: Tsa(name) for name in ("tsa-a", "tsa-b")}


def stamped(name, size=EARLY, **more):
    return TSAS[name].respond(LOG.checkpoint(size), **{"gen_time": GEN_TIME, "tsa": True, **more})


FILES = build.files(LOG) | static_members()
for label, tsa in TSAS.items():
    FILES[f"heads/{EARLY}/tokens/{label}.tsr"] = stamped(label)
    for number, each in enumerate(both(tsa, at=moment(12, 30)), 1):
        FILES[f"heads/{EARLY}/revocation/{label}/{number}.crl"] = each.data
WHOLE = assemble(FILES, ("合同 $(touch x) 'a.pdf", CONTRACT))
NO_BLOCK = build.chain_table(LOG, blocks=[])  # so that the anchor bounds nothing
TABLES = {f"tsa_{label[-1]}": build.tsa_table(label, tsa) for label, tsa in TSAS.items()}


def trust_text(**changes):
    return build.trust_text(LOG, **(TABLES | changes))


def some(cases, *kept):
    """Names of cases: those that `make test` runs, and the others behind their marker."""
    assert set(kept) <= set(cases)
    return [pytest.param(name, marks=() if name in kept else pytest.mark.fuzz) for name in cases]


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A PATH with the programs that the script may use, and no other."""
    folder = tmp_path_factory.mktemp("bin")
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found, (
            f"this test needs the program {name}: install it (Debian and Ubuntu: coreutils, xxd, openssl)"
        )
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture(scope="module")
def run(bare, tmp_path_factory):
    """Unpack a package, run its script, and give status, outcomes by (id, subject), controls by name, and the text."""

    place = tmp_path_factory.mktemp("run")
    for name in ("dash", "bash"):
        assert shutil.which(name), f"this test needs {name}: install it (Debian and Ubuntu: dash, bash)"
    shells = {name: [shutil.which(name)] for name in ("dash", "bash")} | {
        "busybox": [shutil.which("busybox"), "sh"]
    }

    def go(data=WHOLE, *arguments, trust=None, change=lambda folder: None, shell="dash", awk=None):
        folder = place / "unpacked"
        shutil.rmtree(folder, ignore_errors=True)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(folder)
        change(folder)
        (place / "trust.toml").write_text(trust_text() if trust is None else trust)
        trusted = ["--trust", str(place / "trust.toml")] if trust != "" else []
        before = sorted(folder.rglob("*"))
        (place / "tmp").mkdir(exist_ok=True)
        done = subprocess.run(
            [*shells[shell], "tools/check.sh", *trusted, *arguments],
            cwd=folder,
            env={
                "PATH": str(with_awk(place / "awk", bare, awk)),
                "TMPDIR": str(place / "tmp"),
                "LANG": "de_DE.UTF-8",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=300,  # the machine may be busy
        )
        assert sorted(folder.rglob("*")) == before
        assert not list((place / "tmp").iterdir())
        return done.returncode, *parsed(done.stdout), done.stdout, done.stderr

    return go


@pytest.fixture(scope="module")
def whole(run):
    """What a run on the good package gave."""
    return run()


def parsed(text):
    checks, _, controls = text.partition("\nControls:")
    rows = re.findall(
        r"^(\d\.\d) +(passed|FAILED|could)[^\n]*?(?:通过|未能核验)  (.*)$", checks, re.MULTILINE
    )
    listed = re.findall(r"^(\d\.\d) +(\S+) +(\S+)", controls, re.MULTILINE)
    return {(id_, subject): WORDS[word] for id_, word, subject in rows}, {n: w for _, n, w in listed}


def test_a_good_package_passes_and_every_control_fails_as_stated(whole):
    status, checks, controls, text, problems = whole
    assert (status, problems) == (0, "")
    assert set(checks.values()) == {"passed"}
    assert {id_ for (id_, _), word in checks.items() if word == "passed"} == {
        "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "3.1", "3.2", "3.3", "4.1", "4.2", "4.3", "5.1", "5.2",
        "6.1", "6.2", "6.3", "6.4", "6.5", "7.1", "7.2", "8.1", "9.1",
    }  # fmt: skip
    assert "Outcome 核验结论: passed" in text
    assert "2026-03-01T12:00:01Z" in text
    assert set(controls.values()) == {"fails"}
    assert len(controls) == 11


def test_it_says_what_the_verifier_says_or_that_it_cannot(whole):
    report = verify(read_package(io.BytesIO(WHOLE)), parse_trust(trust_text().encode()))
    expected = {(check.id, check.subject): check.outcome.value for check in report.checks}
    assert report.outcome is Outcome.PASSED
    checks = whole[1]
    assert [place for place in checks if place in expected] == [
        p for p in expected if p in checks
    ]  # the same order
    for place, word in checks.items():
        assert word in {expected[place], "could_not_be_checked"}, place
    assert set(expected) == set(checks)


def test_without_trust_it_is_never_passed(run):
    status, checks, controls, _, _ = run(trust="")
    assert status == 2
    assert {id_ for (id_, _), word in checks.items() if word == "passed"} == {"1.1", "2.1", "2.3", "2.4"}
    assert {name for name, word in controls.items() if word == "fails"} == {
        "document-one-bit",
        "opening-changed",
    }


def with_awk(folder, bare, awk):
    """The same programs with another awk."""
    if awk is None:
        return bare
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for each in bare.iterdir():
        (folder / each.name).symlink_to(shutil.which(awk) if each.name == "awk" else each.resolve())
    return folder


@pytest.mark.parametrize("shell", SHELLS)
def test_other_shells_say_the_same(run, whole, shell):
    assert run(shell=shell) == whole


@pytest.mark.parametrize("awk", OTHER_AWKS)
def test_every_awk_says_the_same(run, whole, awk):
    """GNU's, that of the BSDs and macOS, busybox', where they are installed; else that of the system once more."""
    assert run(awk=awk) == whole


def damaged(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


TOKEN_A, LIST_A = f"heads/{EARLY}/tokens/tsa-a.tsr", f"heads/{EARLY}/revocation/tsa-a/1.crl"
EARLY_PROOF, LATE_PROOF = (f"heads/{size}/inclusion.tlog-proof" for size in (EARLY, LATE))
STATEMENT, ANCHOR = FILES["data/statement.json"], FILES[f"heads/{LATE}/anchor.json"]
OTHER = build.Log("thief ")
REVOKED = both(TSAS["tsa-a"], (TSAS["tsa-a"].signer, moment(11), None), at=moment(12, 30))[0].data
# What is changed in the package, with its manifests made anew, and the ids that must then fail.
CHANGES = {
    "another digest": ({"data/statement.json": STATEMENT.replace(b'"size":37', b'"size":38')}, {"2.3", "3.2", "4.2"}),
    "a number without its check": ({"data/statement.json": STATEMENT.replace(b"YRH", b"YRG")}, {"2.1"}),
    "a statement with a space": ({"data/statement.json": STATEMENT.replace(b",", b", ", 1)}, {"2.1"}),
    "a statement with a newline": ({"data/statement.json": STATEMENT + b"\n"}, {"2.1"}),
    "a 30th of February": ({"data/statement.json": STATEMENT.replace(b"2026-03-01T11", b"2026-02-30T11")}, {"2.1"}),
    "a statement that is missing": ({"data/statement.json": None}, {"2.1"}),
    "openings of another": ({"data/openings.json": encode_openings(LOG.openings[5])}, {"2.4"}),
    "an opening twice": ({"data/openings.json": encode_openings(LOG.openings[DOCUMENT][:1] * 2)}, {"2.4"}),
    "a checkpoint without an end": ({f"heads/{EARLY}/checkpoint": LOG.checkpoint(EARLY)[:-1]}, {"3.1"}),
    "a checkpoint of another log": ({EARLY_PROOF: OTHER.proof(DOCUMENT, EARLY)}, {"3.1"}),
    "a proof of another entry": ({EARLY_PROOF: LOG.proof(1, EARLY)}, {"3.2"}),
    "a proof under another size": ({EARLY_PROOF: LOG.proof(DOCUMENT, LATE)}, {"3.1"}),
    "a proof with a byte behind it": ({EARLY_PROOF: LOG.proof(DOCUMENT, EARLY) + b"\0"}, {"3.1"}),
    "a proof that is missing": ({EARLY_PROOF: None}, {"3.2"}),
    "no link between the heads": ({"consistency.json": None}, set()),
    "a link to no head": ({"consistency.json": encode_consistency((LOG.consistency(3, LATE),))}, {"3.3"}),
    "a receipt of another": ({"receipt.txt": LOG.receipt(1)}, {"4.2"}),
    "a receipt that promised later": ({"receipt.txt": LOG.receipt(DOCUMENT, 1, size=4)}, {"4.3"}),
    "a token over another head": ({TOKEN_A: stamped("tsa-a", size=LATE)}, {"5.1"}),
    "a token of another authority": ({TOKEN_A: stamped("tsa-b")}, {"5.1"}),
    "a token of no known name": ({f"heads/{EARLY}/tokens/tsa-c.tsr": stamped("tsa-a")}, set()),
    "no token": ({TOKEN_A: b""}, {"5.1"}),
    "a serial number twice": (
        {f"heads/{LATE}/tokens/tsa-a.tsr": stamped("tsa-a", size=LATE, gen_time=moment(13))},
        {"5.1"},
    ),
    "a revoked certificate": ({LIST_A: REVOKED}, {"5.2"}),
    "a list with a bit changed": ({LIST_A: damaged(FILES[LIST_A], len(FILES[LIST_A]) - 1)}, {"5.2"}),
    "no list": ({LIST_A: None}, set()),
    "a header of another block": ({f"heads/{LATE}/header.rlp": build.NOT_BEFORE}, {"6.1"}),
    "an anchor with a space": ({f"heads/{LATE}/anchor.json": ANCHOR + b" "}, {"6.1"}),
}  # fmt: skip


@pytest.mark.parametrize(
    "what",
    some(
        CHANGES,
        "another digest",
        "a checkpoint of another log",
        "a proof of another entry",
        "a receipt of another",
        "a token over another head",
        "a revoked certificate",
    ),
)
def test_what_is_wrong_is_failed_and_nothing_else(run, what):
    changes, ids = CHANGES[what]
    files = {name: data for name, data in (FILES | changes).items() if data is not None}
    data = write_package(files, ("contract.pdf", CONTRACT))
    status, checks, _, text, problems = run(data)
    report = verify(read_package(io.BytesIO(data)), parse_trust(trust_text().encode()))
    assert {check.id for check in report.failures()} == ids
    assert {id_ for (id_, _), word in checks.items() if word == "failed"} == ids, text
    assert (status, problems) == (1 if ids else 0 if report.outcome is Outcome.PASSED else 2, "")
    expected = {(check.id, check.subject): check.outcome.value for check in report.checks}
    for place, word in checks.items():
        assert word in {expected[place], "could_not_be_checked"}, (place, text)


def removed(folder):
    (folder / "receipt.txt").unlink()


def added(name, data=b""):
    def change(folder):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    return change


def linked(folder):
    (folder / "receipt.txt").unlink()
    (folder / "receipt.txt").symlink_to(folder / "data/statement.json")


def spoilt(name):
    def change(folder):
        path = folder / name
        path.write_bytes(damaged(path.read_bytes(), 0))

    return change


FOLDERS = {
    "a file less": removed,
    "a file more": added("heads/4/tokens/x.tsr"),
    "a name of no package": added("x.sh"),
    "a name that is an option": added("-rf"),
    "a name with a newline": added("data/a\nb"),
    "a name with a command": added("`touch y`"),
    "a second document": added("data/document/b"),
    "a document with a sign of direction": added("data/document/b\u202e"),
    "a link": linked,
    "a changed payload": spoilt("data/statement.json"),
    "a changed tag": spoilt("heads/4/checkpoint"),
    "a changed manifest": spoilt("manifest-sha256.txt"),
    "a changed manifest of tags": spoilt("tagmanifest-sha256.txt"),
    "a changed type": spoilt("mimetype"),
    "a changed bag": spoilt("bagit.txt"),
}


@pytest.mark.parametrize(
    "what", some(FOLDERS, "a file more", "a name with a newline", "a link", "a changed payload")
)
def test_a_folder_that_is_not_as_its_manifests_say_fails_before_anything_else(run, what):
    status, checks, controls, _, problems = run(change=FOLDERS[what])
    assert (status, checks, controls, problems) == (1, {("1.1", ""): "failed"}, {}, "")


def test_what_lies_under_meta_inf_is_in_no_manifest_and_read_by_no_check(run, whole):
    status, _, _, text, _ = run(change=added("META-INF/signature001.p7s", b"later"))
    assert status == 0
    said = "No check reads META-INF/: nothing here vouches for what is in it.", "任何核验均不读取 META-INF/"
    assert all(each in text for each in said)
    assert all("reads data/report.pdf" not in each for each in (text, whole[3]))


@pytest.mark.parametrize("name", some(("token-imprint.tsr", "wrong-sibling"), "wrong-sibling"))
def test_a_control_that_would_pass_is_found_out(run, name):
    files = read_package(io.BytesIO(WHOLE)).files
    member = TOKEN_A if name.endswith("tsr") else EARLY_PROOF
    data = write_package(files | {f"controls/{name}": files[member]}, ("合同 $(touch x) 'a.pdf", CONTRACT))
    status, _, controls, text, _ = run(data)
    assert (status, controls[name.removesuffix(".tsr")]) == (1, "DOES")
    assert "do not believe this result" in text


@pytest.mark.fuzz
def test_controls_that_cannot_be_read_are_no_controls(run):
    files = read_package(io.BytesIO(WHOLE)).files
    status, _, _, text, _ = run(write_package(files | {"controls/expected.json": b"{}"}))
    assert (status, "is not of its form" in text) == (1, True)


GIVEN = {
    "none": (None, 2, "could_not_be_checked"),
    "-rf": (CONTRACT, 0, "passed"),
    "other": (CONTRACT + b"x", 1, "failed"),
}


@pytest.mark.parametrize("name", some(GIVEN, "other"))
def test_the_document_that_one_holds_is_compared(run, tmp_path, name):
    data, wanted, word = GIVEN[name]
    (tmp_path / name).write_bytes(data or b"")
    given = [] if data is None else ["--document", str(tmp_path / name)]
    status, checks, _, _, _ = run(assemble(FILES), *given)
    assert (status, checks["2.3", "given" if given else ""]) == (wanted, word)


PERIODS = build.key_table("log_key", LOG.origin, LOG.key, "until = 2026-03-01T11:59:00Z")
COMPROMISED = build.key_table(
    "log_key", LOG.origin, LOG.key, "until = 2026-04-01T00:00:00Z", "last_good_size = 5"
)
TRUSTS = {
    "two names of one source": (
        trust_text(tsa_b=TABLES["tsa_b"].replace("tsa-b Ltd", "TSA A Ltd"), chain=NO_BLOCK), 2,
    ),
    "another log": (trust_text().replace('2026"\ntest', '2027"\ntest'), None),
    "a key that ended before": (trust_text(log_key=PERIODS), 1),
    "a key that was stolen": (trust_text(log_key=COMPROMISED), 1),
    "another key": (trust_text(log_key=build.key_table("log_key", LOG.origin, build.ed25519("x"))), 1),
    "an unknown key": (trust_text() + "more = 1\n", None),
    "an unknown table": (trust_text() + "[[more]]\n", None),
    "a key twice": (trust_text() + 'name = "a"\n', None),
    "a version to come": (trust_text().replace("version = 1", "version = 2"), None),
    "no TOML": ("version = ", None),
    "a chain that proves nothing": (trust_text().replace("ethereum", "anvil").replace("= true", "= false"), None),
    "a key that is not its id's": (trust_text().replace("+d9e9015c+", "+d9e9015d+"), None),
    "three sources": (trust_text(top=build.trust_tables(LOG)["top"] + "k = 3\n"), 0),
    "four sources": (trust_text(top=build.trust_tables(LOG)["top"] + "k = 4\n"), 2),
}  # fmt: skip


@pytest.mark.parametrize("what", some(TRUSTS, "another key", "a key that ended before", "an unknown key"))
def test_trust_is_taken_from_the_trust_file_and_nothing_is_passed_over_in_it(run, what):
    text, expected = TRUSTS[what]
    status, checks, _, _, problems = run(trust=text)
    wanted = 2 if expected is None else expected
    assert (status, bool(problems), bool(checks)) == (wanted, expected is None, expected is not None)
    if expected is not None:
        report = verify(read_package(io.BytesIO(WHOLE)), parse_trust(text.encode()))
        found = {(check.id, check.subject): check.outcome.value for check in report.checks}
        for place, word in checks.items():
            assert word in {found[place], "could_not_be_checked"}, place


def test_names_and_sentences_are_those_of_the_other_verifiers():
    script = static_members()["tools/check.sh"].decode()
    found = re.findall(
        r"^ +(\d\.\d)-(passed|failed|unchecked)\) s_en='(.*)' s_zh='(.*)' ;;$", script, re.MULTILINE
    )
    assert len(found) > 30
    for id_, word, english, chinese in found:
        outcome = Outcome.UNCHECKED if word == "unchecked" else Outcome(word)
        texts = english.replace("'\\''", "'"), chinese
        assert texts == tuple(CHECKS[id_].sentence(outcome, language) for language in ("en", "zh"))
