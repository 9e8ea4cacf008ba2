"""The commands that a report gives to an expert, run as they stand in the folder of the unpacked package."""

import io
import re
import subprocess
import zipfile
from datetime import UTC, datetime

from notary.evidence.package import read_package, write_package
from notary.evidence.trust import parse_trust
from notary.evidence.verify import verify
from notary.report.details import commands
from notary.report.facts import facts_of
from tests.evidence import build
from tests.evidence.build import CONTRACT, DOCUMENT, EARLY
from tests.mini_tsa import GEN_TIME, MiniTsa

LOG = build.log()


class Ended(MiniTsa):
    """Whose certificate ended long ago."""

    def __init__(self):
        super().__init__(years=(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)))

    pem = build.FixedTsa.pem


def test_each_does_what_the_report_says_years_later_too(tmp_path):
    tsa = Ended()
    token = tsa.respond(LOG.checkpoint(EARLY), gen_time=GEN_TIME, tsa=True)
    files = {
        name: data for name, data in build.files(LOG).items() if not re.search("revocation|inspection", name)
    }
    files |= {f"heads/{EARLY}/tokens/tsa-a.tsr": token}
    data = write_package(files, ("contract.pdf", CONTRACT))
    trust = build.trust_text(LOG, tsa_a=build.tsa_table("tsa-a", tsa), tsa_b=None)
    result = verify(read_package(io.BytesIO(data)), parse_trust(trust.encode()))
    facts = facts_of(
        result,
        number=LOG.statements[DOCUMENT].number,
        operator="x",
        generated=datetime.now(UTC),
        proves_nothing=True,
    )
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    (tmp_path / "root.pem").write_text(tsa.pem)
    lines = [step["command"].replace("DOCUMENT", "data/document/contract.pdf") for step in commands(facts)]
    document, entry, stamp = (
        subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for line in lines[:3]
    )
    for digest in result.statement["document"]["digests"].values():
        assert digest in document
    assert entry.startswith(result.entry)
    assert "Verification: OK" in stamp
