"""Facts -> the pages behind the first: every check, the data checked, and how to check it again."""

import json
from collections.abc import Iterable
from typing import Any

from notary.evidence.outcome import Check, Claim, Outcome
from notary.report.facts import AnchorFact, Facts, by_number
from notary.report.found import SignatureFact
from notary.report.particulars import removed, revision_rows, signature_rows
from notary.report.phrases import (
    Pair,
    check_name,
    check_sentence,
    cut,
    known,
    phrase,
    same,
    utc,
)
from notary.report.sentences import bound_row, shown_bounds


def page_two(facts: Facts) -> dict[str, Any]:
    """Everything behind page 1, as JSON."""
    shown = shown_bounds(facts)
    return {
        "checks": check_rows(facts),
        "more_bounds": [bound_row(n, b) for n, b in enumerate(facts.attested, 1) if (n, b) not in shown],
        "merkle": merkle_rows(facts),
        "chain": chain_rows(facts),
        "no-chain": not facts.anchors and all(bound.kind != "chain" for bound in facts.bounds),
        "inspection": inspection(facts),
        "openings": [
            {"name": name, "value": cut(value if isinstance(value, str) else _json(value))}
            for name, value in facts.openings
        ]
        + withheld(facts),
        "evidence": [
            *(_row(phrase("merkle.evidence", name=cut(name)), digest) for name, digest in facts.evidence),
            # So that whoever has this report has a source for what to trust outside the package.
            *(
                []
                if facts.trust is None
                else [_row(phrase("merkle.trust", version=facts.trust[0]), facts.trust[1])]
            ),
        ],
        "expert": commands(facts),
    }


def withheld(facts: Facts) -> list[dict[str, Any]]:
    """How many commitments are not opened, beside those that are; nothing where none is."""
    count = facts.result.withheld
    return [{"name": "withheld", "value": f"{count} 项未出示"}] if count else []


def check_rows(facts: Facts) -> list[dict[str, Any]]:
    """Every check that was made, by id, and every required one that was not.

    Those that passed alike share a row, whatever they were made of: what went wrong is not to be searched for.
    """
    rows = [
        {
            "id": check.id,
            "name": check_name(check.id),
            "mark": check.outcome.value,
            "outcome": phrase(f"mark.{check.outcome}"),
            "claim": phrase(
                f"claim.{Claim.NOT_COVERED if check.outcome is Outcome.UNCHECKED else check.claim}"
            ),
            "subject": cut(subject),
            "sentence": None if check.outcome is Outcome.PASSED else _finding(check),
        }
        for check, subject in _together(facts.result.checks)
    ]
    made = {check.id for check in facts.result.checks}
    rows += [
        {
            "id": id_,
            "name": check_name(id_),
            "mark": Outcome.UNCHECKED.value,
            "outcome": phrase(f"mark.{Outcome.UNCHECKED}"),
            "claim": phrase("claim.not_covered"),
            "subject": "",
            "sentence": check_sentence(id_, Outcome.UNCHECKED),
        }
        for id_ in facts.missing
        if id_ not in made
    ]
    return sorted(rows, key=lambda row: by_number(row["id"]))


def _together(checks: Iterable[Check]) -> list[tuple[Check, str]]:
    """Checks with what each was made of; passed ones of one id and class are one."""
    subjects: dict[object, list[str]] = {}
    first: dict[object, Check] = {}
    for check in checks:
        alike = (check.id, check.claim) if check.outcome is Outcome.PASSED else object()
        first.setdefault(alike, check)
        subjects.setdefault(alike, []).append(check.subject)
    return [(check, ", ".join(filter(None, subjects[alike]))) for alike, check in first.items()]


def merkle_rows(facts: Facts) -> list[dict[str, Any]]:
    """Entry, index, and the root of each head; [] before the record is closed into a batch."""
    if facts.result.index is None:
        return []
    return [
        _row(phrase("merkle.entry"), facts.result.entry),
        _row(phrase("merkle.index"), str(facts.result.index)),
        *(_row(phrase("merkle.head", size=head.size), head.root) for head in facts.heads),
    ]


def chain_rows(facts: Facts) -> list[dict[str, Any]]:
    """Chain, block, contract and log id of each anchor."""
    return [
        row
        for anchor in facts.anchors
        for row in (
            _row(phrase("chain.chain"), _recorded(anchor)),
            _row(phrase("chain.hash"), anchor.block_hash),
            _row(phrase("chain.contract"), anchor.contract),
            _row(phrase("chain.log"), anchor.log_id),
        )
    ]


def inspection(facts: Facts) -> dict[str, Any] | None:
    """What the document's own signatures say, with the rule that unrecognised is not valid."""
    found = facts.inspection
    if found is None:
        return None
    count, reason = len(found.signatures), found.reason or "?"
    return {
        "summary": known("signature.outcome", found.outcome, count=count, reason=reason),
        "basis": phrase("signature.logged" if found.logged else "signature.unlogged"),
        "tool": found.tool,
        "truncated": found.truncated,
        "signatures": [_signature(number, item) for number, item in enumerate(found.signatures, 1)],
        "revisions": revision_rows(found),
        "removed": removed(found),
    }


def validity(item: SignatureFact) -> str:
    """The inspection's word, unless it says more than its own findings bear."""
    sound = item.integrity == "intact" and item.trust == "trusted"
    unchanged = item.covers == "whole_file" or (
        item.covers == "revision" and item.changes_after in ("none", "allowed")
    )
    return (
        "could_not_be_checked" if item.validity == "passed" and not (sound and unchanged) else item.validity
    )


def commands(facts: Facts) -> list[dict[str, Any]]:
    """What an expert types, from the package's own folder; only names of ours, never a submitter's text."""
    steps: list[tuple[Pair, str]] = []
    if facts.document is not None:
        steps.append((phrase("expert.document"), "sha256sum DOCUMENT; openssl dgst -sm3 DOCUMENT"))
    steps.append((phrase("expert.statement"), "sha256sum data/statement.json"))
    stamp = next((bound for bound in facts.bounds if bound.kind == "rfc3161"), None)
    if stamp is not None:
        head = f"heads/{stamp.size}"
        files = f"-data {head}/checkpoint -in {head}/tokens/{stamp.source}.tsr -CAfile root.pem"
        # As of then: the authority's certificate ends long before the evidence does.
        files += f" -attime {int(stamp.not_after.timestamp())}"
        steps.append((phrase("expert.stamp"), f"openssl ts -verify {files}"))
    if facts.anchors:
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber"}
        body = _json(call | {"params": [hex(facts.anchors[0].block_number), False]})
        steps.append((phrase("expert.chain"), f"curl --json '{body}' NODE"))
    document = "" if facts.document is None else " --document DOCUMENT"
    steps.append((phrase("expert.all"), f"notary verify PACKAGE.zip --trust TRUST.toml{document}"))
    return [{"what": what, "command": command} for what, command in steps]


def _signature(number: int, item: SignatureFact) -> dict[str, Any]:
    stamped = phrase("signature.no_time")
    if item.stamped_time is not None or item.stamp is not None:
        trust = known("signature.stamp", item.stamp or "unrecognised")
        shown = item.stamped_time or ""
        stamped = {language: f"{shown} ({trust[language]})".strip() for language in trust}
    unreadable = phrase("signature.unreadable")
    return {
        "number": str(number),
        "kind": known("signature.kind", item.kind),
        "field": cut(item.field),
        "signer": unreadable if item.signer is None else same(cut(item.signer)),
        "issuer": unreadable if item.issuer is None else same(cut(item.issuer)),
        "claimed": phrase("signature.no_time") if item.claimed_time is None else same(item.claimed_time),
        "stamped": stamped,
        "covers": known("signature.covers", item.covers),
        "changes": known("signature.changes", item.changes_after),
        "integrity": known("signature.integrity", item.integrity),
        "trust": known("signature.trust", item.trust),
        "validity": known("signature.validity", validity(item)),
        "mark": validity(item),
        "more": signature_rows(item),
    }


def _row(label: Pair, value: str | Pair) -> dict[str, Any]:
    return {
        "label": label,
        "value": same(value) if isinstance(value, str) else value,
        "mono": isinstance(value, str),
    }


def _recorded(anchor: AnchorFact) -> Pair:
    return phrase(
        "chain.recorded",
        chain=anchor.chain_id,
        block=anchor.block_number,
        time=f"{utc(anchor.block_time)} UTC",
        size=anchor.size,
    )


def _finding(check: Check) -> Pair:
    """The sentence; in English the detail, which is more exact, where there is one."""
    said = check_sentence(check.id, check.outcome)
    return {"zh": said["zh"], "en": cut(check.detail) or said["en"]}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
