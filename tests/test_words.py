"""Words that belong to courts and notaries stand in nothing that a person reads of ours (docs/glossary.md)."""

import re
from dataclasses import astuple
from functools import cache
from pathlib import Path

import pytest

from notary.evidence.catalogue import CHECKS
from notary.evidence.outcome import Outcome

ROOT = Path(__file__).resolve().parents[1]
ENDINGS = {".toml", ".json", ".typ", ".html", ".js", ".txt", ".sh", ".ps1"}
DENIAL = "words: denial"


@cache
def banned_words():
    section = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").split("## Never for ourselves")[1]
    rows = re.findall(r"^\| ([^|]+?) \|", section, re.MULTILINE)
    return [word for word in rows if word != "word" and set(word) != {"-"}]


def offences(text):
    return [
        (number, word)
        for number, line in enumerate(text.splitlines(), 1)
        for word in banned_words()
        if word in line.lower() and DENIAL not in line
    ]


def readable_files():
    return sorted(path for path in (ROOT / "notary").rglob("*") if path.suffix in ENDINGS)


def test_the_glossary_bans_the_words_of_courts_and_notaries():
    assert {"公证", "判决", "司法认可", "鉴定意见", "案件"} <= set(banned_words())


def test_the_catalogues_and_the_template_are_among_the_files_read():
    names = {str(path.relative_to(ROOT)) for path in readable_files()}
    assert {"notary/report/catalogue/zh.toml", "notary/report/template.typ"} <= names


def test_no_file_that_a_person_reads_has_a_banned_word():
    found = {
        str(path.relative_to(ROOT)): hits
        for path in readable_files()
        if (hits := offences(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_no_check_has_a_banned_word():
    assert {id_: hits for id_, text in CHECKS.items() if (hits := offences("\n".join(astuple(text))))} == {}


@pytest.mark.parametrize("line", ['title = "区块链公证书"', "本案件的判决", "Our VERDICT: genuine"])
def test_a_banned_word_is_found(line):
    assert offences(f"first\n{line}")[0][0] == 2


def test_a_denial_needs_its_marker():
    assert offences('nature = "本报告不是公证书"')
    assert not offences('nature = "本报告不是公证书" # words: denial')


def test_every_check_has_a_name_and_a_sentence_for_each_outcome_in_both_languages():
    for id_, text in CHECKS.items():
        for language in ("zh", "en"):
            said = [text.name(language), *(text.sentence(outcome, language) for outcome in Outcome)]
            assert all(said), id_
            assert len(set(said)) == 4, id_
            assert all(bool(re.search("[一-鿿]", sentence)) is (language == "zh") for sentence in said), id_


def said_of(id_, outcome):
    return tuple(CHECKS[id_].sentence(outcome, language) for language in ("en", "zh"))


@pytest.mark.parametrize(
    ("id_", "outcome", "never"),
    [
        ("1.2", Outcome.PASSED, "this log|本日志"),  # 2.2 says whether it is
        ("2.4", Outcome.PASSED, "not changed|未被更改"),  # 3.2 alone shows when the statement was closed in
        ("5.2", Outcome.PASSED, "above it|各级签发证书"),  # the root is pinned, and nothing is asked of it
    ],
)
def test_a_sentence_says_no_more_than_its_check_shows(id_, outcome, never):
    for sentence in said_of(id_, outcome):
        assert not re.search(never, sentence)


@pytest.mark.parametrize(
    ("id_", "outcome", "words"),
    [
        ("1.1", Outcome.PASSED, ("the files of a package", "证据包的各文件")),  # a proof has no manifests
        ("2.3", Outcome.FAILED, ("or none was recorded", "或该记录没有对应的文件")),
        ("3.1", Outcome.FAILED, ("or is not attested within its period", "或未在该密钥的有效期内得到证明")),
        ("3.1", Outcome.FAILED, ("malformed or of another log or size", "格式有误、属于另一日志或大小不符")),
        ("3.2", Outcome.FAILED, ("heads place the entry differently", "各检查点所写的位置不同")),
        ("3.2", Outcome.UNCHECKED, ("or no trust file", "或缺少信任文件")),
        ("3.3", Outcome.FAILED, ("a consistency proof is malformed", "一致性证明有误")),
        ("3.3", Outcome.UNCHECKED, ("between heads that passed", "两个通过核验的检查点之间")),
        ("4.1", Outcome.FAILED, ("malformed or of another log", "格式有误或属于另一日志")),
        ("5.2", Outcome.FAILED, ("forged or damaged", "伪造或损坏")),
        ("6.1", Outcome.FAILED, ("The anchor is malformed", "锚定格式有误")),
        ("6.1", Outcome.UNCHECKED, ("does not name this chain", "未列该链")),
        ("6.3", Outcome.FAILED, ("no event of this log", "没有本日志的锚定事件")),
        ("6.5", Outcome.FAILED, ("The account proof does not hold", "账户证明不成立")),
        ("6.6", Outcome.FAILED, ("not in its period", "不在其期限之内")),
        ("7.1", Outcome.FAILED, ("A header is malformed", "区块头格式有误")),
        ("7.2", Outcome.FAILED, ("the proof that it is on it does not hold", "其证明不成立")),
        ("9.1", Outcome.UNCHECKED, ("no head that passed shows", "没有通过核验的检查点能证明")),
        ("9.2", Outcome.UNCHECKED, ("it is not opened", "其内容未出示")),
        (
            "3.1",
            Outcome.UNCHECKED,
            ("nothing dates it within the period", "无从判断检查点是否出自密钥的有效期内"),
        ),
    ],
)
def test_a_sentence_names_every_reason_that_its_check_has(id_, outcome, words):
    for word, sentence in zip(words, said_of(id_, outcome), strict=True):
        assert word in sentence


def test_every_id_that_verification_can_report_is_in_the_catalogue():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "notary/evidence").glob("*.py"))
    used = set(re.findall(r'(?:check|passed|failed|unchecked)\(\s*"(\d+\.\d+)"', source))
    assert {"1.1", "3.2", "9.1"} <= used
    assert used <= set(CHECKS)
