"""The page that a stranger uses, and a service or a record that does not tell the truth."""

import json
import re
from hashlib import sha3_256, sha256, sha512

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import expect

from notary.evidence import canonical
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.evidence.proof_file import TLOG_PROOF, ProofFile
from notary.evidence.statement import entry_of
from notary.merkle.hashing import hash_leaf
from tests.e2e.cards import outcomes_of


def altered(page, change):
    """The service lies: its answers to look-ups pass through `change`."""

    def handle(route):
        answer = route.fetch()
        body = answer.json()
        change(body["records"][0])
        route.fulfill(response=answer, json=body)

    page.route("**/v1/lookup/**", handle)


def made_up(data, real):
    """A record of `data` that fits together to its last hash, under the log's own name, by somebody else."""
    statement = json.loads(real["statement"])
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(data)
    statement["document"]["digests"] = {"sha-256": sha256(data).hexdigest(), "sm3": sm3.finalize().hex()}
    statement["document"]["size"] = len(data)
    text = canonical.dumps(statement)
    leaf = hash_leaf(entry_of(text))
    note = sign_checkpoint(Checkpoint(statement["log"], 1, leaf), Ed25519PrivateKey.generate())
    return {
        "number": real["number"],
        "entry": entry_of(text).hex(),
        "statement": text.decode(),
        "received": "2026-03-01T12:00:00Z",
        "state": "final",
        "proof": ProofFile(0, (), note.encode(), text).encode(TLOG_PROOF).decode(),
    }


@pytest.mark.parametrize(
    ("locale", "title", "sentence"),
    [
        ("zh-CN", "核验不一致", "没有本页面所列日志公钥的签名"),
        ("en-GB", "It does not check out", "No key that this page names for the log signed"),
    ],
)
def test_what_somebody_made_up_does_not_check_out(
    open_page, service, record, tmp_path, locale, title, sentence
):
    forged = tmp_path / "forged.pdf"
    forged.write_bytes(b"%PDF-1.7 what nobody signed")
    page = open_page("/verify", locale=locale)
    answer = {"algorithm": "sha-256", "records": [made_up(forged.read_bytes(), record)]}
    page.route("**/v1/lookup/**", lambda route: route.fulfill(status=200, json=answer))
    page.set_input_files("#file", forged)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "failed")
    expect(card.locator("h3").first).to_have_text(title)
    assert outcomes_of(card) == ["passed", "passed", "passed", "failed"]
    expect(card.locator("[data-check=signature]")).to_contain_text(sentence)


def digests_only(service, document, **claimed):
    digests = {"sha-256": sha256(document.read_bytes()).hexdigest(), **claimed}
    answer = service.submit_digests(digests, visibility="public")
    service.wait_for(answer["number"], without={"close"})


def test_every_claimed_digest_is_compared(open_page, service, unknown):
    data = unknown.read_bytes()
    digests_only(
        service,
        unknown,
        **{"sha-512": sha512(data).hexdigest(), "sha3-256": sha3_256(data).hexdigest()},
    )
    page = open_page("/verify")
    page.set_input_files("#file", unknown)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "passed")
    expect(card.locator("[data-check=document]")).to_contain_text("SHA-256, SHA-512, SHA3-256")


@pytest.mark.parametrize("name", ["sm3", "sha-384", "sha-512", "sha3-256"])
def test_a_claimed_digest_of_another_document_does_not_check_out(open_page, service, unknown, name):
    length = {"sm3": 32, "sha-384": 48, "sha-512": 64, "sha3-256": 32}[name]
    digests_only(service, unknown, **{name: "00" * length})
    page = open_page("/verify")
    page.set_input_files("#file", unknown)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "failed")
    expect(card.locator(".notice").first).to_contain_text("this document is not what its statement says")
    expect(card.locator("[data-check=document]")).to_contain_text(f"{name.upper()} of the document: not as")


def test_a_size_that_is_not_the_documents_does_not_check_out(open_page, service, unknown):
    digests = {"sha-256": sha256(unknown.read_bytes()).hexdigest()}
    answer = service.submit_digests(digests, size=7, visibility="public")
    service.wait_for(answer["number"], without={"close"})
    page = open_page("/verify", locale="zh-CN")
    page.set_input_files("#file", unknown)
    expect(page.locator(".record")).to_have_attribute("data-outcome", "failed")
    expect(page.locator("[data-check=document]")).to_contain_text("存证陈述写的是 7 字节")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("zh-CN", ["以上结论是本服务的陈述", "notary verify"]),
        ("en-GB", ["the word of this service", "notary verify"]),
    ],
)
def test_whose_word_the_result_is_stands_beside_it(open_page, document, record, locale, words):
    page = open_page("/verify", locale=locale)
    page.set_input_files("#file", document)
    for text in words:
        expect(page.locator(".record")).to_contain_text(text)


def set_to(**values):
    return lambda record: record.update(values)


def replaced(field, pattern, by):
    return lambda record: record.update({field: re.sub(pattern, by, record[field], count=1)})


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (replaced("proof", r"(?m)^index \d+", "index 0"), "tree"),
        (replaced("statement", r'"time":"2', '"time":"1'), "tree"),
        (set_to(entry="0" * 64), "statement"),
        (replaced("statement", r'("sha-256":")..', r"\g<1>00"), "document"),
    ],
)
def test_a_service_that_lies_is_found_out(open_page, document, record, change, failed):
    page = open_page("/verify", locale="zh-CN")
    altered(page, change)
    page.set_input_files("#file", document)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "failed")
    expect(card.locator("h3")).to_have_text("核验不一致")
    expect(card.locator(f"[data-check={failed}]")).to_have_attribute("data-outcome", "failed")


def test_a_record_that_is_not_closed_yet_is_neither_good_nor_bad(open_page, document, record):
    page = open_page("/verify")
    altered(page, set_to(proof=None, state="received"))
    page.set_input_files("#file", document)
    card = page.locator(".record")
    expect(card).to_have_attribute("data-outcome", "could_not_be_checked")
    expect(card.locator("h3")).to_have_text("Received, not in the log yet")
    expect(card.locator("[aria-current=step]")).to_have_attribute("data-state", "received")
