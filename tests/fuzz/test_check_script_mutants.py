"""Mutants of packages before `tools/check.sh`: of each check it says what the verifier says, or that it cannot tell."""

import io
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from random import Random

import pytest
from rlp.exceptions import DecodingError

from notary.errors import EvidenceError
from notary.evidence.outcome import Outcome
from notary.evidence.package import read_package
from notary.evidence.verify import unreadable, verify
from notary.services import package_tools
from tests.evidence import build
from tests.evidence import test_check_script as script
from tests.evidence.build import EARLY
from tests.evidence.test_check_script import parsed
from tests.fuzz import corpus
from tests.fuzz import structures as s
from tests.fuzz.corpus import DOCUMENT_NAME, Sample
from tests.fuzz.mutations import WAYS
from tests.fuzz.zips import packed

SCRIPT = Path(package_tools.__file__).parent / "check.sh"
SEED = int(os.environ.get("NOTARY_FUZZ_SEED", "1000"))
PARTS, OF_PART = 8, int(os.environ.get("NOTARY_FUZZ_SCRIPT_MUTANTS", "480")) // 8
IN_TEST = 6
OPEN = Outcome.UNCHECKED.value
# Of the ways of the other mutants those that leave a ZIP whose files can be unpacked.
WAYS_HERE = {way: weight for way, weight in WAYS.items() if way.__name__ != "_headers"}


def stamped() -> Sample:
    """A head with one token and its lists, of kinds that openssl reads."""
    kept = (f"heads/{EARLY}/", "data/statement.json", "data/openings.json", "receipt.txt")
    files = {
        name: data for name, data in script.FILES.items() if name.startswith(kept) and "tsa-b" not in name
    }
    trust = script.trust_text(chain=None, tsa_b=None)
    return Sample("stamped", files | {DOCUMENT_NAME: build.CONTRACT}, trust)


def unstamped(sample: Sample) -> Sample:
    """Without tokens, which take the script most of its time."""
    files = {
        name: data
        for name, data in sample.files.items()
        if "/tokens/" not in name and "/revocation/" not in name
    }
    return Sample(sample.name, files, sample.trust_text)


def samples() -> list[tuple[Sample, int]]:
    found = [
        (stamped(), 2),
        (corpus.anchored(), 4),
        (unstamped(corpus.whole()), 3),
        (unstamped(corpus.chained()), 2),
    ]
    return [*found, (unstamped(corpus.sealed()), 1), (corpus.in_bitcoin(), 1)]


def mutants(seed, count):
    """What was done, the sample, and the package."""
    random, made = Random(seed), 0
    chosen, weights = zip(*samples(), strict=True)
    while made < count:
        sample = random.choices(chosen, weights)[0]
        way = random.choices(list(WAYS_HERE), list(WAYS_HERE.values()))[0]
        try:
            what, changed, _ = way(sample, random)
        except (s.NoChangeError, ValueError, LookupError, TypeError, AttributeError, DecodingError):
            continue
        if changed == sample.files:
            continue
        made += 1
        yield f"{sample.name}: {what}", sample, packed(changed)


def run(data, sample, folder):
    """Exit status, outcomes by (id, subject), and the text."""
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder / "package")
    (folder / "trust.toml").write_text(sample.trust_text)
    (folder / "tmp").mkdir()
    done = subprocess.run(
        ["dash", str(SCRIPT), "--package", str(folder / "package"), "--trust", str(folder / "trust.toml")],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(folder / "tmp")},
        capture_output=True,
        check=False,
        timeout=120,
    )
    text = done.stdout.decode(errors="replace")
    return done.returncode, parsed(text)[0], text + done.stderr.decode(errors="replace")


def faults(what, sample, data, folder):
    """Where the script says something that the verifier does not."""
    try:
        report = verify(read_package(io.BytesIO(data)), sample.trust)
    except EvidenceError as error:
        report = unreadable(error)
    status, checks, text = run(data, sample, folder)
    expected = {(check.id, check.subject): check.outcome.value for check in report.checks}
    wrong = [
        f"{what}: {place} is {word}, not {expected.get(place)}"
        for place, word in checks.items()
        if word not in {expected.get(place), OPEN}
    ]
    # It passes what fails only where it says of that check, or of one of its head, that it cannot tell.
    left = {_head(place) for place, word in checks.items() if word == OPEN}
    unseen = sorted(
        place
        for place, word in expected.items()
        if word == "failed" and checks.get(place) != OPEN and (place in checks or _head(place) not in left)
    )
    if status == 0 and unseen:
        wrong.append(f"{what}: exit 0, and {unseen} failed")
    if status not in (0, 1, 2) or not checks:
        wrong.append(f"{what}: exit {status}: {text[-400:]}")
    return wrong, status


def _head(place):
    """The size in the subject of a check: `head 7`, `tsa-a@7`."""
    return place[1].rpartition("@")[2].removeprefix("head ")


def judged(seed, count, folder):
    wrong, ends = [], []
    for what, sample, data in mutants(seed, count):
        found, status = faults(what, sample, data, folder)
        wrong += found
        ends.append(status)
    return wrong, ends


def test_the_script_and_the_verifier_agree_on_mutants(tmp_path):
    wrong, ends = judged(0, IN_TEST, tmp_path / "x")
    assert wrong == []
    assert 1 in ends


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_script_and_the_verifier_agree_on_many_mutants(tmp_path, part):
    wrong, ends = judged(SEED + part, OF_PART, tmp_path / "x")
    assert wrong == []
    assert ends.count(1) > OF_PART // 2


@pytest.mark.parametrize("sample", [sample for sample, _ in samples()], ids=lambda sample: sample.name)
def test_unchanged_nothing_fails(tmp_path, sample):
    wrong, status = faults("unchanged", sample, packed(sample.files), tmp_path / "x")
    assert (wrong, status in (0, 2)) == ([], True)


def test_a_disagreement_is_found(tmp_path, monkeypatch):
    """As if the verifier had failed what the script passes."""
    sample = corpus.anchored()
    true = verify(read_package(io.BytesIO(packed(sample.files))), sample.trust)
    checks = tuple(
        type(each)(each.id, Outcome.FAILED, each.claim, each.subject) if each.id == "7.2" else each
        for each in true.checks
    )
    monkeypatch.setattr(f"{__name__}.verify", lambda *_: type(true)(checks, required=true.required))
    wrong, status = faults("x", sample, packed(sample.files), tmp_path / "x")
    assert status == 0
    assert len(wrong) == 2, wrong
