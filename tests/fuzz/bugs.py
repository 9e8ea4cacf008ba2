"""Bugs as people make them, one at a time, in either verifier: the other must be seen to disagree."""

from dataclasses import dataclass
from pathlib import Path

JS = "notary/api/static/verifier"
PY = "notary/evidence"


@dataclass(frozen=True)
class Bug:
    """`old` stands once in the file, and becomes `new`."""

    path: str
    old: str
    new: str

    def found(self, tree: Path) -> int:
        """How often `old` stands there: not once where the code has become another."""
        return (tree / self.path).read_text().count(self.old)

    def apply(self, tree: Path) -> None:
        """Make it, in a copy."""
        assert self.found(tree) == 1
        file = tree / self.path
        file.write_text(file.read_text().replace(self.old, self.new))


BUGS = {
    "js: the index of two heads may differ": Bug(
        f"{JS}/heads.js", "if (first && first.index !== head.index)", "if (false)"
    ),
    "js: a root is not compared": Bug(
        f"{JS}/heads.js", "if (!equal(root, head.root))", "if (!equal(root, root))"
    ),
    "js: a checkpoint of another size": Bug(
        f"{JS}/heads.js", "if (checkpoint.size !== size)", "if (checkpoint.size < size)"
    ),
    "js: the stamped bytes are not compared": Bug(
        f"{JS}/heads.js", "stored !== undefined && !equal(", "stored === undefined && !equal("
    ),
    "js: a longer path": Bug(f"{JS}/tree.js", "way.length !== path.length", "way.length > path.length"),
    "js: no prefix of a leaf": Bug(f"{JS}/tree.js", "sha256(ZERO, entry)", "sha256(entry)"),
    "js: a consistency proof that is too short": Bug(
        f"{JS}/tree.js", "if (sn !== 0n || !equal(older", "if (!equal(older"
    ),
    "js: the older root is not compared": Bug(f"{JS}/tree.js", "!equal(older, oldRoot) || ", ""),
    "js: any line of a key will do": Bug(
        f"{JS}/note.js",
        "throw new FormatError(`a signature of",
        "continue; throw new FormatError(`a signature of",
    ),
    "js: lines by name alone": Bug(
        f"{JS}/note.js", "line.name === key.name && equal(line.keyId, key.keyId)", "line.name === key.name"
    ),
    "js: a name opened twice": Bug(f"{JS}/commitments.js", "if (name in values) throw", "if (false) throw"),
    "js: openings of another statement": Bug(
        f"{JS}/commitments.js", "if (!equal(root, hexBytes(commitments.root, 32)))", "if (false)"
    ),
    "js: an index as old as the promise": Bug(
        f"{JS}/promise.js", "index < receipt.size", "index <= receipt.size"
    ),
    "js: the event of another contract": Bug(
        f"{JS}/chain_state.js", "if (!equal(bytesOf(address), contract))", "if (false)"
    ),
    "js: a failed transaction": Bug(
        f"{JS}/chain_state.js", "if (!equal(bytesOf(status), Uint8Array.of(1)))", "if (false)"
    ),
    "js: a trie node of another hash": Bug(f"{JS}/mpt.js", "if (!equal(keccak256(raw), hash))", "if (false)"),
    "js: seals of a third": Bug(
        f"{JS}/seals.js", "3 * signers.size < 2 * members.size", "3 * signers.size < members.size"
    ),
    "js: base64 in any spelling": Bug(f"{JS}/bytes.js", "if (base64(bytes) !== text)", "if (false)"),
    "js: trailing bytes of an OpenTimestamps file": Bug(
        f"{JS}/ots_file.js", "  reader.end();\n  return { digest", "  return { digest"
    ),
    "js: an unknown operation": Bug(
        f"{JS}/ots_file.js", 'throw new FormatError("an operation that is not known")', "return message"
    ),
    "js: a chain that is cut is complete": Bug(
        f"{JS}/following.js", "if (last.previous !== null) throw", "if (false) throw"
    ),
    "js: an inspection of another record": Bug(
        f"{JS}/following.js", 'type === "inspection" && previous === entry', 'type === "inspection"'
    ),
    "js: the size of a document": Bug(
        f"{JS}/verify.js", "statement.document.size !== null && statement.document.size !== size", "false"
    ),
    "js: a later version of ZIP": Bug(f"{JS}/zip.js", "if (view.getUint8(6) > MAX_VERSION)", "if (false)"),
    "js: a directory of 64 bits": Bug(f"{JS}/zip.js", "if (pointsElsewhere(directory))", "if (false)"),
    "js: no kind of chain but those of today": Bug(
        f"{JS}/anchor_file.js", "/^[a-z0-9-]{1,32}$/", "/^(?:ethereum|op|qbft|ibft2|anvil)$/"
    ),
    "js: a stranger's line of four bytes": Bug(
        f"{JS}/note.js", "if (value.length < 5)", "if (value.length < 4)"
    ),
    "js: a stranger's name with any blank": Bug(f"{JS}/note.js", "[^\\p{White_Space}", "[^ \\n"),
    "js: a note of any length": Bug(f"{JS}/note.js", "if (bytes.length > MAX_NOTE)", "if (false)"),
    "py: the header once more is not compared": Bug(
        f"{PY}/anchored.py",
        'if package.files.get(f"{folder}/header.rlp", evidence.header) != evidence.header:',
        "if False:",
    ),
    "py: the not-before block's time": Bug(
        f"{PY}/anchored.py",
        "elif (block.chain_id, block.number, block.time) != (",
        "elif (block.chain_id, block.number) != (",
    ),
    "py: a trie node of another hash": Bug(f"{PY}/mpt.py", "if keccak256(raw) != reference:", "if False:"),
    "py: nodes that are not on the way": Bug(f"{PY}/mpt.py", "    if waiting:\n", "    if False:\n"),
    "py: bytes behind an RLP value": Bug(f"{PY}/rlp.py", "if end != len(data):", "if end > len(data):"),
    "py: lengths in a longer form": Bug(
        f"{PY}/rlp.py", 'if size[:1] == b"\\x00" or length <= _SHORT:', "if False:"
    ),
    "py: two headers of a file that differ": Bug(
        f"{PY}/archive.py", "if _read(stream, offset, len(local)) != local:", "if False:"
    ),
    "py: the place of a file in the directory is not compared": Bug(
        f"{PY}/archive.py", "if entry.offset != offset or", "if"
    ),
    "py: data between files": Bug(f"{PY}/archive.py", "if offset != begin:", "if False:"),
    "py: a member on another disk": Bug(f"{PY}/archive.py", "if entry.disk or entry", "if entry"),
    "py: a checkpoint of another size": Bug(
        f"{PY}/heads.py", "if size != point.size:", "if size > point.size:"
    ),
    "py: the file checkpoint is not compared": Bug(
        f"{PY}/heads.py",
        'if package.files.get(f"heads/{size}/checkpoint", signed.note) != signed.note:',
        "if False:",
    ),
    "py: the size of a document": Bug(
        f"{PY}/verify.py", "if body.size is not None and body.size != digests.size:", "if False:"
    ),
    "py: an inspection opens anything": Bug(
        f"{PY}/verify.py", 'if found.keys() - {"inspection"}:', "if False:"
    ),
    "py: base64 in any spelling": Bug(
        f"{PY}/note.py", "    if base64.b64encode(value).decode() != text:", "    if False:"
    ),
    "py: a name opened twice": Bug(f"{PY}/commitments.py", "        if name in opened:", "        if False:"),
    "py: a salt of any length": Bug(f"{PY}/commitments.py", "{{{_SALT_TEXT}}}", "+"),
    "py: base64url in any spelling": Bug(
        f"{PY}/commitments.py", "    if _b64(decoded) != disclosure:", "    if False:"
    ),
    "py: JSON in any spelling": Bug(f"{PY}/canonical.py", "    if dumps(value) != data:", "    if False:"),
    "py: too few seals": Bug(
        f"{PY}/chain_seals.py", "    if len(sealers) < validators.quorum:", "    if False:"
    ),
    "py: a seal of anybody": Bug(
        f"{PY}/chain_seals.py", "        if address not in trusted:", "        if False:"
    ),
    "py: the messageDigest is not compared": Bug(
        f"{PY}/timestamp_cms.py",
        'if bytes(_one(attributes, _MESSAGE_DIGEST, "messageDigest")) != computed:',
        "if False:",
    ),
    "py: an index as old as the promise": Bug(
        f"{PY}/promise.py", "heads[0].index < promise.size", "heads[0].index <= promise.size"
    ),
}
