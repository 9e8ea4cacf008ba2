"""Run the time-stamp suite through our verifier and others, and write docs/timestamps.md.

python scripts/compare_timestamps.py [FILE]
"""

import importlib
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from timestamps.table import Subject, markdown, row, sums
from timestamps.tool import Question
from timestamps.tools import TOOLS

ROOT = Path(__file__).resolve().parent.parent

PAGE = """\
# Time stamps beside other verifiers

The {count} cases of `tests/evidence/tsa_cases.py`, each a response made for the purpose by the test suite's own
authority, given to this project's verifier and to others. A verdict is wrong when a good token is not accepted or a
bad one is. Written by `.venv/bin/python scripts/compare_timestamps.py` on {date} with {versions}; keys and
certificates are made anew in each run. `make test-anchoring` puts every case to every tool again and
compares; `make test` takes a sample.

**The suite is ours**, and was written beside our verifier: 0 for it is what its tests demand
(`tests/evidence/test_tsa_cases.py`), not a finding. So each case names the rule it rests on. Where no standard sets
the rule, *ours* does: a limit or an allow-list that another tool may set elsewhere.

| mark | says |
|---|---|
| ✓ | right: a good token is accepted, a bad one refused, for whatever reason |
| ✓ breaks | a bad token ends in an error that is none of the tool's answers; not counted as wrong |
| ✗ accepts | wrong: a bad token is accepted |
| ✗ refuses | wrong: a good token is refused, or its kind is not supported |
| ✗ breaks | wrong: a good token ends in such an error |
| caller | its caller's job: it takes no policy, nonce, status, roots, time of the exchange or such data; not counted |
| policy | differs from a rule of ours; not counted |

In brackets: the check of [formats](formats.md) §9 that must refuse it in ours, and does.

**How each is asked.** notary: `check_token` with roots, policy, nonce, and the times of request and response where
a case is of those. rfc3161ng: `check_timestamp` with data, hash, nonce and the certificate of the trusted signer,
since it takes no roots. rfc3161-client: `verify_message` of a `Verifier` with roots, policy and nonce. pyHanko:
`validate_tst_signed_data` with the roots alone and `moment` = genTime; it takes the token, not the response.
openssl: `openssl ts -verify -queryfile`, the query with imprint, policy and nonce; once plain, so as of today, and
once with `-attime` genTime. Certificates that the caller has are given to each that takes them.

**Revocation** (check 15). Cases with revocation data, and those called strict, are put to notary by
`check_revocation`, to pyHanko with the lists, the OCSP responses and `revocation_mode="require"`, and to openssl in
its last column with `-crl_check_all` and the lists beside the root: `openssl ts` takes no OCSP responses. pyHanko
looks at a response only where the certificate names a responder, so the signer's does in these cases. Both take
what a CA says only if it was said at the moment they are asked about or before: they tell what was known then. RFC
3161 §4 makes a token depend on what is known later, a compromised key above all. So cases with data from after
genTime are refused there for its date alone, the good ones too. The other tools take no revocation data. Serial
numbers used once (22) is asked of notary by `Serials`; the others see one token.

**Ed25519.** RFC 8419 §3.1 has signers use SHA-512 as the digest. Ours accepts another digest of its allow-list with a
warning: what the signature protects is that digest, so refusing it would turn sound tokens bad and make none safer.

{sums}
{table}"""


def subjects() -> Iterator[Subject]:
    """Each case of the suite, made."""
    sys.path.insert(0, str(ROOT))  # the suite belongs to the tests
    mini = importlib.import_module("tests.mini_tsa")
    for case in importlib.import_module("tests.evidence.tsa_cases").CASES:
        given = case.make()
        lists, answers = (
            tuple(each.data for each in given.revocation if each.kind == kind) for kind in ("crl", "ocsp")
        )
        question = Question(
            given.response,
            given.data,
            given.digest,
            mini.der(given.tsa.root),
            mini.der(given.tsa.signer),
            tuple(map(mini.der, given.supplied)),
            mini.POLICY,
            given.nonce,
            given.sent,
            given.received,
            lists,
            answers,
            given.strict,
            given.others,
        )
        yield Subject(case.name, case.rule, case.check, case.needs, question)


def page() -> str:
    """The whole document."""
    rows = [row(subject, TOOLS) for subject in subjects()]
    names = [tool.name for tool in TOOLS]
    versions = dict.fromkeys(f"{tool.name.removesuffix(' -attime')} {tool.version()}" for tool in TOOLS)
    return PAGE.format(
        count=len(rows),
        date=datetime.now(UTC).date(),
        versions=", ".join(versions),
        sums=markdown(["in sum", "", "", *names], sums(rows, TOOLS)),
        table=markdown(["case", "rule", "must", *names], rows),
    )


def main(path: Path) -> None:
    """Write it, and say where."""
    logging.disable()  # pyHanko tells of each token that it refuses
    path.write_text(page(), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "timestamps.md")
