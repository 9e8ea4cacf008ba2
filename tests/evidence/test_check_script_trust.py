"""Trust files that `tools/check.sh` must refuse as the verifier does, before a shell computes with what they say."""

import pytest

from notary.errors import TrustError
from notary.evidence.assemble import assemble
from notary.evidence.trust import parse_trust
from tests.evidence import test_check_script as script
from tests.evidence.build import CONTRACT, EARLY

bare, run = script.bare, script.run
SILENT = {f"heads/{EARLY}/tokens/{name}.tsr": script.stamped(name, accuracy=False) for name in script.TSAS}
PLAIN = assemble(script.FILES | SILENT, ("a.pdf", CONTRACT))


def with_lines(lines):
    return script.trust_text(tsa_a=script.TABLES["tsa_a"] + lines, tsa_b=script.TABLES["tsa_b"] + lines)


@pytest.mark.parametrize("shell", script.SHELLS)
def test_what_a_trust_file_says_is_never_run(run, tmp_path, shell):
    made = tmp_path / "made"
    text = with_lines(f'accuracy_ms = "found[$(echo >{made})0]"\n')
    status, checks, _, _, problems = run(PLAIN, trust=text, shell=shell)
    assert (status, checks, made.exists()) == (2, {}, False)
    assert "check.sh: the trust file cannot be read by this script" in problems


REFUSED = {
    "a negative accuracy": with_lines("accuracy_ms = -3600000\n"),
    "an accuracy over an hour": with_lines("accuracy_ms = 3600001\n"),
    "an accuracy in quotes": with_lines('accuracy_ms = "1000"\n'),
    "k in quotes": script.trust_text().replace("version = 1", 'version = 1\nk = "1"'),
    "a version in quotes": script.trust_text().replace("version = 1", 'version = "1"'),
    "a version in a list": script.trust_text().replace("version = 1", "version = [1]"),
    "a name without quotes": script.trust_text().replace('name = "tsa-a"', "name = tsa-a"),
    "an organisation with a tab": script.trust_text().replace("tsa-a Ltd", "tsa-a\tLtd"),
}


@pytest.mark.parametrize("what", script.some(REFUSED, "a negative accuracy", "k in quotes"))
def test_a_trust_file_that_the_verifier_refuses_is_refused(run, what):
    with pytest.raises(TrustError, match=r"."):
        parse_trust(REFUSED[what].encode())
    status, checks, _, _, problems = run(PLAIN, trust=REFUSED[what])
    assert (status, checks) == (2, {})
    assert problems.startswith(("check.sh: trust file", "line "))


@pytest.mark.fuzz
def test_a_published_accuracy_is_added_to_the_bound(run):
    status, _, _, text, _ = run(PLAIN, trust=with_lines("accuracy_ms = 2001\n"))
    assert status == 0
    assert "2026-03-01T12:00:03Z" in text


def test_head_keys_with_a_period_are_read_and_looked_for(run):
    table = f'[[chain.head_key]]\naddress = "0x{"11" * 20}"\nuntil = 2027-01-01T00:00:00Z\n\n[[tsa]]'
    text = script.trust_text().replace("[[tsa]]", table, 1)
    parse_trust(text.encode())
    status, checks, _, _, problems = run(trust=text)
    assert problems == ""
    assert [word for (id_, _), word in checks.items() if id_ == "6.6"] == ["could_not_be_checked"]
    assert status == 0
