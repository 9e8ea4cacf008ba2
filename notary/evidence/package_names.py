"""The names that a package may hold, and how much of each (docs/formats.md §11.1, §15)."""

import re
from collections.abc import Collection, Mapping

from notary.errors import FormatError
from notary.evidence.archive import MAX_FILES
from notary.evidence.timestamp_revocation import MAX_DATA
from notary.evidence.timestamp_status import Kind

MIMETYPE = "mimetype"
BAGIT = "bagit.txt"
MANIFEST = "manifest-sha256.txt"
TAGMANIFEST = "tagmanifest-sha256.txt"
FRAME = frozenset(
    {MIMETYPE, BAGIT, MANIFEST, TAGMANIFEST}
)  # follow from the rest, and stand in every package
STATEMENT, OPENINGS, REPORT = "data/statement.json", "data/openings.json", "data/report.pdf"
DOCUMENT = "data/document/"  # and the file's name
EXPECTED = "controls/expected.json"
_READ = frozenset({STATEMENT, OPENINGS, "receipt.txt", "consistency.json"})
_READ_FOLDERS = ("heads/", "inspection/", "incident/", "previous/")
PAYLOAD, META = "data/", "META-INF/"
_FOR_PEOPLE = (REPORT, META)  # what they say looks like evidence, and no check reads it

MAX_FILE = 8 * 1024 * 1024
MAX_HEADS = 16  # each costs a verifier signatures, tokens and an anchor
MAX_TOTAL = 64 * 1024 * 1024
MAX_ANCHORS = 16 * 1024 * 1024  # of all anchor.json
MAX_LISTS = 16 * 1024 * 1024  # of all revocation lists
MAX_OPENED = 2 * 1024 * 1024  # of all openings.json
MAX_OTS = 32  # OpenTimestamps files
MAX_DOCUMENT = 2 * 10**9  # all offsets stay below 2^31, where ZIP needs no fields of 64 bits

# What of one kind takes a verifier long, in bytes by the end of the name.
_TOGETHER = {"/anchor.json": MAX_ANCHORS, ".crl": MAX_LISTS, "/openings.json": MAX_OPENED}
_SIZE = r"[1-9][0-9]{0,18}"
_ANCHOR = r"[a-z0-9][a-z0-9._-]{0,63}"
_STATUS = rf"[1-{MAX_DATA}]\.({'|'.join(Kind)})"
_UP_TO_64 = r"(?:[1-9]|[1-5][0-9]|6[0-4])"  # 1 to 64
_OTS = re.compile(rf"heads/{_SIZE}/ots/")
_RECORD = r"(?:00[1-9]|0[1-5][0-9]|06[0-4])"  # 001 to 064
_NAMES = re.compile(
    r"mimetype|bagit\.txt|bag-info\.txt|(tag)?manifest-sha256\.txt|README\.(en|zh)\.txt"
    r"|data/(statement\.json|openings\.json|report\.pdf)|receipt\.txt|consistency\.json"
    rf"|heads/{_SIZE}/(checkpoint|inclusion\.tlog-proof|anchor\.json|header\.rlp|tokens/{_ANCHOR}\.tsr|ots/{_ANCHOR}\.ots)"
    rf"|heads/{_SIZE}/revocation/{_ANCHOR}/{_STATUS}"
    rf"|(inspection|incident|previous/{_UP_TO_64})/(statement\.json|openings\.json|inclusion\.tlog-proof)"
    rf"|META-INF/(evidencerecord{_RECORD}\.ers|signature{_RECORD}\.p7s|ASiC(EvidenceRecord)?Manifest{_RECORD}\.xml)"
    rf"|controls/{_ANCHOR}|tools/(check\.sh|check\.ps1|verify\.html)"
)
# No path and no control on any system; nothing that turns text round (U+202E and its like), that a bag would spell
# otherwise (%), or that programs cut off at the end (white space).
_DOCUMENT = re.compile(
    r"data/document/(?!\.{1,2}$)[^/\\:*?\"<>|%\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]{1,120}"
    r"(?<![ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000])"
)


def check_name(name: str) -> None:
    """Refuse a name that is none of §11.1.

    Raises:
        FormatError: it has no place in a package.
    """
    if not (_NAMES.fullmatch(name) or _DOCUMENT.fullmatch(name)):
        raise FormatError(f"{name[:80]!r} has no place in a package")


def is_read(name: str) -> bool:
    """Whether a check reads the member, for itself and not as one of those that the manifests list."""
    return is_document(name) or name in _READ or name.startswith(_READ_FOLDERS)


def unread(names: Collection[str]) -> str:
    """What of a package no check reads though it says something, for people; empty where there is none."""
    there = [place for place in _FOR_PEOPLE if any(name.startswith(place) for name in names)]
    return f"no check reads {' and '.join(there)}: nothing here vouches for what is in it" if there else ""


def is_document(name: str) -> bool:
    """Whether the member is the document, which may be larger than any other."""
    return name.startswith(DOCUMENT)


def check_sizes(sizes: Mapping[str, int]) -> None:
    """Limits of the members, by name, in bytes.

    Raises:
        FormatError: too many, too large, or more heads or documents than a package holds.
    """
    if not 1 <= len(sizes) <= MAX_FILES:
        raise FormatError(f"a package holds 1 to {MAX_FILES} files")
    if len({name.split("/")[1] for name in sizes if name.startswith("heads/")}) > MAX_HEADS:
        raise FormatError(f"a package holds at most {MAX_HEADS} heads")
    if sum(map(is_document, sizes)) > 1:
        raise FormatError("the package holds more than one document")
    for name, size in sizes.items():
        limit = MAX_DOCUMENT if is_document(name) else MAX_FILE
        if size > limit:
            raise FormatError(f"{name!r} is larger than {limit} bytes")
    _check_kinds(sizes)
    if sum(size for name, size in sizes.items() if not is_document(name)) > MAX_TOTAL:
        raise FormatError(f"the files of the package are larger than {MAX_TOTAL} bytes together")


def _check_kinds(sizes: Mapping[str, int]) -> None:
    read = {name: size for name, size in sizes.items() if is_read(name) and not is_document(name)}
    for ending, limit in _TOGETHER.items():
        if sum(size for name, size in read.items() if name.endswith(ending)) > limit:
            raise FormatError(
                f"the {ending.strip('./')} files of the package are larger than {limit} bytes together"
            )
    if sum(map(bool, map(_OTS.match, read))) > MAX_OTS:
        raise FormatError(f"a package holds at most {MAX_OTS} OpenTimestamps files")
