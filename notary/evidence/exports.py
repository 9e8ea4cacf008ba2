"""Evidence that is no package, made one, so that the same checks are made of it (docs/formats.md §12)."""

from notary.errors import FormatError
from notary.evidence.checkpoint import parse_checkpoint
from notary.evidence.commitments import encode_openings
from notary.evidence.cose import parse_receipt
from notary.evidence.heads import COSE
from notary.evidence.json_proof import parse_json_proof
from notary.evidence.note import parse_note
from notary.evidence.ots_file import MAX_FILE as MAX_OTS
from notary.evidence.package import Package
from notary.evidence.package_names import OPENINGS, STATEMENT
from notary.evidence.proof_file import TLOG_PROOF, ProofFile, parse_proof_file


def package_of_proof(data: bytes) -> Package:
    """A `.tlog-proof` of ours as a package: its statement is in the extra line.

    Raises:
        FormatError: not a tlog-proof, one without a statement, or its note is no checkpoint.
    """
    file = parse_proof_file(data, TLOG_PROOF)
    if file.extra is None:
        raise FormatError("the proof carries no statement in its extra line")
    size = parse_checkpoint(parse_note(file.note).text).size
    return Package({STATEMENT: file.extra, f"heads/{size}/inclusion.tlog-proof": data}, is_proof=True)


def package_of_json(data: bytes) -> Package:
    """A JSON proof as a package.

    Raises:
        FormatError: as `parse_json_proof`.
    """
    proof = parse_json_proof(data)
    inclusion = ProofFile(proof.index, proof.path, proof.note).encode(TLOG_PROOF)
    files = {STATEMENT: proof.statement, f"heads/{proof.size}/inclusion.tlog-proof": inclusion}
    if proof.openings:
        files[OPENINGS] = encode_openings(proof.openings)
    return Package(files, is_proof=True)


def package_of_cose(data: bytes, statement: bytes) -> Package:
    """A COSE receipt as a package, with the statement that it is of.

    Raises:
        FormatError: as `parse_receipt`.
    """
    size = parse_receipt(data).size
    return Package({STATEMENT: statement, f"heads/{size}/{COSE}": data}, is_proof=True)


def package_of_ots(data: bytes, proof: Package) -> Package:
    """An OpenTimestamps file as a package, with the proof whose checkpoint it is over.

    Raises:
        FormatError: the file is larger than any is, or `proof` is a package or under no checkpoint.
    """
    if len(data) > MAX_OTS:
        raise FormatError(f"an OpenTimestamps file of {len(data)} bytes is larger than {MAX_OTS}")
    notes = [name for name in proof.files if name.endswith("/inclusion.tlog-proof")]
    if not proof.is_proof or len(notes) != 1:
        raise FormatError("an OpenTimestamps file is checked beside a .tlog-proof or a JSON proof")
    return Package({**proof.files, f"heads/{proof.sizes()[0]}/ots/file.ots": data}, is_proof=True)
