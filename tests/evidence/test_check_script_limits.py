"""Where `tools/check.sh` must decide as the verifiers do, to the microsecond, byte and digit, or leave it open."""

import base64
import re
import subprocess

import pytest

from notary.errors import ChainError, FormatError, TrustError
from notary.evidence.chain_header import decode_header
from notary.evidence.commitments import Opening, name_of
from notary.evidence.package import write_package
from notary.evidence.trust import parse_trust
from notary.services.package_tools import static_members
from tests.evidence import build, mini_chain
from tests.evidence import test_check_script as script
from tests.evidence.build import CONTRACT, EARLY
from tests.evidence.test_check_script_tokens import agrees, package, packed

bare, run = script.bare, script.run
TEXT = static_members()["tools/check.sh"].decode()
READER = re.search(r'^    cat >"\$work/rlp.awk" <<.*?^END_OF_READER$', TEXT, re.MULTILINE | re.DOTALL)[0]


def functions(*names):
    """The text of functions of the script, and of the constants that they use."""
    constants = re.findall(r"^(?:TAB|US|H64|NUMBER|UTF8)=.*$", TEXT, re.MULTILINE)
    found = [re.search(rf"^{name}\(\) {{.*?^}}$", TEXT, re.MULTILINE | re.DOTALL)[0] for name in names]
    return "\n".join(["NL='\n'", *constants, *found])


def ask(program, lines, work, shell=("dash",)):
    """What a piece of the script prints, a line for each of `lines`."""
    done = subprocess.run(
        [*shell, "-c", program],
        input="".join(f"{line}\n" for line in lines),
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "work": str(work)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


# --- 2.4: what an opened value may be

SALT = '"AAAAAAAAAAAAAAAAAAAAAA"'
# The text of a disclosure, and what the script says of it: its name, "?" (not read here) or "" (wrong).
DISCLOSURES = {
    f'[{SALT},"title","x"]': "title",
    f'{" " * 300}[{SALT} , "title" , "x" ] ': "title",
    f'[{SALT},"metadata",{{"合同编号":"A-1","n":[1,-2,[],{{}}],"b":{{"c":null}},"t":true}}]': "metadata",
    f'[{SALT},"title","𠮷€é"]': "title",
    f'[{SALT},"sequence",{10**15 - 1}]': "sequence",
    f'[{SALT},"ti\\u0074le","x"]': "?",
    f'[{SALT},"title","\\ud800"]': "?",
    f'[{SALT},"title",1.5]': "?",
    f'[{SALT},"title",1e5]': "?",
    f'[{SALT},"title",01]': "?",
    f'[{SALT},"title",1 2]': "?",
    f'[{SALT},"title",{2**53}]': "?",
    f'[{SALT},"title",oops]': "?",
    f'[{SALT},"title",v]': "?",
    f'[{SALT},"title","x""y"]': "?",
    f'[{SALT},"title","x" "y"]': "?",
    f'[{SALT},"title","x"': "?",
    f'[{SALT},"title","x"]]': "?",
    f'[{SALT},"title","x"],': "?",
    f'[{SALT},"title"]': "?",
    f'[{SALT},"title","x","y"]': "?",
    f'[{SALT},"title",[1,]]': "?",
    f'[{SALT},"title",[1 1]]': "?",
    f'[{SALT},"title",{{"a":1,"a":2}}]': "?",
    f'[{SALT},"title",[{{"a":1}},{{"a":2}}]]': "?",
    f'[{SALT},"title",{{"":1}}]': "?",
    f'[{SALT},"title",{{"{"k" * 65}":1}}]': "?",
    f'[{SALT},"title",{{1:1}}]': "?",
    f'[{SALT},"title",{{"a"}}]': "?",
    f'[{SALT},"title",{"[" * 11}{"]" * 11}]': "?",
    f'[[{SALT},"title","x"]]': "?",
    f'{{"a":{SALT},"b":"title","c":"x"}}': "?",
    f'[{SALT},1,"x"]': "?",
    f'[{SALT},"title","x"]\n[{SALT},"holder","x"]': "?",
    f'[{SALT},"title","a\tb"]': "?",
    f'[{SALT},"owner","x"]': "",
    '["short","title","x"]': "",
    f'[{SALT},"title","'.encode() + b'\xff"]': "",
    f'[{SALT},"title","'.encode() + b'\xed\xa0\x80"]': "",
    f'[{SALT},"title","'.encode() + b'\xc0\xaf"]': "",
}  # fmt: skip
READ = (
    functions("matches", "name_of")
    + """
while IFS= read -r line; do
    if name_of "$line"; then printf '%s\\n' "$name"; else printf '\\n'; fi
done
"""
)


def test_an_opened_value_is_read_as_the_verifier_reads_it_or_left_open(tmp_path):
    made = [
        base64.urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).rstrip(b"=").decode()
        for text in DISCLOSURES
    ]
    assert ask(READ, made, tmp_path) == list(DISCLOSURES.values())
    for disclosure, (text, said) in zip(made, DISCLOSURES.items(), strict=True):
        opening = Opening(disclosure, 0, ())
        if said not in {"", "?"}:
            assert name_of(opening) == said
        elif said == "":
            with pytest.raises(FormatError, match=r"."):
                name_of(opening)
        else:
            assert text, "either may be: the script leaves it open"


def test_the_last_character_of_base64url_has_one_spelling(tmp_path):
    good = base64.urlsafe_b64encode(f'[{SALT},"title","xyz"]'.encode()).rstrip(b"=").decode()
    assert len(good) % 4  # there are bits that say nothing
    last = good[-1]
    other = good[:-1] + chr(ord(last) + 1)
    with pytest.raises(FormatError, match="one spelling"):
        name_of(Opening(other, 0, ()))
    assert ask(READ, [good, other], tmp_path) == ["title", ""]


# --- 3.1: the period of a key, and 8.1


@pytest.mark.parametrize(
    ("period", "gen_time", "accuracy", "word"),
    [
        ("until", b"20260301115959.5Z", {"millis": 400}, "passed"),
        ("since", b"20260301115959.2Z", {"millis": 300}, "failed"),
        pytest.param("until", b"20260301115959.5Z", {"millis": 500}, "passed", marks=pytest.mark.fuzz),
        pytest.param("until", b"20260301115959.5Z", {"millis": 500, "micros": 1}, "failed", marks=pytest.mark.fuzz),
        pytest.param("since", b"20260301115959.5Z", {"millis": 500}, "passed", marks=pytest.mark.fuzz),
        pytest.param("since", b"20260301115959.9999999Z", {"seconds": 0}, "passed", marks=pytest.mark.fuzz),
        pytest.param("until", b"20260301120000.0000001Z", {"seconds": 0}, "failed", marks=pytest.mark.fuzz),
    ],
)  # fmt: skip
def test_the_period_of_a_key_is_kept_to_the_microsecond(run, period, gen_time, accuracy, word):
    stamped = {"gen_time": gen_time, "accuracy": accuracy}
    data = package(a=script.stamped("tsa-a", **stamped), b=script.stamped("tsa-b", **stamped))
    table = build.key_table("log_key", script.LOG.origin, script.LOG.key, f"{period} = 2026-03-01T12:00:00Z")
    trust = script.trust_text(log_key=table, chain=None)
    _, checks, _, text, _ = run(data, trust=trust)
    agrees(data, trust, checks)
    found = checks.get(("3.1", f"head {EARLY} key period"), "passed")
    assert found == word, text
    if word == "passed":
        assert "最迟于此时已存在: 2026-03-01T12:00:00Z" in text


def test_a_time_behind_which_no_bound_can_be_written_is_refused(run):
    data = package(a=script.stamped("tsa-a", gen_time=b"99991231235959Z"))
    _, checks, _, text, _ = run(data)
    _, expected = agrees(data, script.trust_text(), checks)
    assert checks["5.1", f"tsa-a@{EARLY}"] == expected["5.1", f"tsa-a@{EARLY}"] == "failed"
    assert "Its genTime is of the year 9999" in text


# --- 4.3, 6.1, 1.1, the trust file


def test_nobody_broke_a_promise_that_was_not_made_of_this_entry(run):
    data = packed(script.FILES | {"receipt.txt": script.LOG.receipt(1, 1, size=4)})
    status, checks, _, text, _ = run(data)
    assert (status, checks["4.1", ""], checks["4.2", ""]) == (1, "passed", "failed")
    assert ("4.3", "") not in checks
    assert "promise" not in text


HEADERS = f"""
stop() {{ echo "$1" >&2; exit 3; }}
{functions("read_header")}
{READER}
while IFS= read -r line; do
    if read_header "$line"; then printf '%s\\n' "$block"; else printf '\\n'; fi
done
"""


def test_numbers_of_blocks_reach_as_far_as_those_of_the_verifier(tmp_path):
    numbers = [0, 1, 2**48 - 1, 2**48, 2**53 - 1]
    headers = [mini_chain.header(number, 1) for number in [*numbers, 2**53]]
    assert [decode_header(header, "ethereum").number for header in headers[:-1]] == numbers
    with pytest.raises(ChainError, match=r"."):
        decode_header(headers[-1], "ethereum")
    said = ask(HEADERS, [header.hex() for header in headers], tmp_path)
    assert said == [*map(str, numbers), ""]


def sparse(name, size):
    def change(folder):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(size)

    return change


def many(folder):
    for number in range(9):
        sparse(f"controls/more-{number}", 8 * 1024 * 1024)(folder)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (sparse("data/report.pdf", 8 * 1024 * 1024 + 1), "a file is larger than 8 MiB"),
        (sparse("data/document/a.pdf", 2 * 10**9 + 1), "the document is larger than 2,000,000,000 bytes"),
        (many, "the files are larger than 64 MiB together"),
    ],
)
def test_a_file_that_no_package_may_hold_fails_before_it_is_read(run, change, why):
    status, checks, _, text, _ = run(packed(script.FILES), change=change)
    assert (status, checks) == (1, {("1.1", ""): "failed"})
    assert why in text


def test_sizes_up_to_the_limits_are_no_fault(run):
    _, _, _, text, _ = run(packed(script.FILES), change=sparse("data/report.pdf", 8 * 1024 * 1024))
    assert "larger" not in text
    assert "manifest-sha256.txt lists it" in text


def test_a_chain_of_a_profile_that_is_not_known_makes_no_trust_file(run):
    trust = script.trust_text().replace('"ethereum"', '"etherium"')
    with pytest.raises(TrustError, match="profile 'etherium' is not known"):
        parse_trust(trust.encode())
    status, checks, _, _, problems = run(trust=trust)
    assert (status, checks) == (2, {})
    assert "a profile that is not known: etherium" in problems


COUNT = (
    functions("folded", "is_decimal", "value", "count_sources")
    + """
stop() { echo "$1" >&2; exit 1; }
while IFS= read -r line; do
    chains=${line%% *} rest=${line#* }
    printf '%s' "$rest" | tr '|' '\\n' | while IFS= read -r each || [ -n "$each" ]; do
        printf 'x\\t1\\t%s\\t%s\\n' "$(folded "$each")" "$each"
    done >"$work/authorities"
    n=0
    : >"$work/trust"
    while [ "$n" -lt "$chains" ]; do n=$((n + 1)); printf 'chain\\t%s\\tchain_id\\t31337\\n' "$n" >>"$work/trust"; done
    count_sources
    echo "$sources"
done
"""
)


@pytest.mark.parametrize(
    ("chains", "names", "wanted"),
    [
        (0, "Mini Ltd|MINI LTD.", 1),
        (2, "Chain 31337", 1),
        (2, "Mini Ltd", 2),
        (0, "Mini Ltd|Other", 2),
        (0, "Große Zeit|GROSSE ZEIT", 2),  # one, but the script cannot tell: more are asked for, never fewer
    ],
)
def test_without_k_sources_are_counted_as_the_time_counts_them(tmp_path, chains, names, wanted):
    assert ask(COUNT, [f"{chains} {names}"], tmp_path) == [str(wanted)]


def test_one_organisation_in_two_spellings_needs_one_source(run):
    text = script.trust_text(chain=None, tsa_b=script.TABLES["tsa_b"].replace("tsa-b Ltd", "TSA A LTD."))
    data = write_package(script.FILES, ("a.pdf", CONTRACT))
    assert parse_trust(text.encode()).k == 1
    status, checks, _, _, _ = run(data, trust=text)
    assert (status, checks["8.1", ""]) == (0, "passed")
