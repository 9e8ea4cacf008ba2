"""What makes one folder of files an ASiC-E container and a BagIt bag, too (docs/formats.md §11.3).

ETSI EN 319 162-1 and RFC 8493. All of it follows from the other members, so a reader makes it again and compares.
"""

from collections.abc import Mapping
from hashlib import sha256

from notary.errors import FormatError
from notary.evidence.package_names import BAGIT, FRAME, MANIFEST, META, MIMETYPE, PAYLOAD, REPORT, TAGMANIFEST

FIXED = {
    MIMETYPE: b"application/vnd.etsi.asic-e+zip",
    BAGIT: b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
}


def manifest(digests: Mapping[str, str]) -> bytes:
    """Lines of digest and name, in ascending order of the names' bytes, as `sha256sum -c` reads them."""
    lines = sorted((name.encode(), digest) for name, digest in digests.items())
    return b"".join(digest.encode() + b"  " + name + b"\n" for name, digest in lines)


def manifest_of_payload(digests: Mapping[str, str]) -> bytes:
    """`manifest-sha256.txt`, of the members under `data/` among these (name to SHA-256 in hex)."""
    return manifest({name: digest for name, digest in digests.items() if name.startswith(PAYLOAD)})


def manifest_of_tags(digests: Mapping[str, str]) -> bytes:
    """`tagmanifest-sha256.txt`, of all others but itself and META-INF, where a signature may be added later."""
    apart = (PAYLOAD, META)
    return manifest(
        {name: d for name, d in digests.items() if not name.startswith(apart) and name != TAGMANIFEST}
    )


def evidence_manifest(files: Mapping[str, bytes]) -> bytes:
    """The lines of the manifests for those members that a check reads, in one order (docs/formats.md §11.7).

    Guides, tools and controls may be others in a later release, and the report is made of the rest.
    """
    apart = (META, "controls/", "tools/", "README.", "bag-info.txt", REPORT)
    return manifest({n: sha256(d).hexdigest() for n, d in files.items() if not n.startswith(apart)})


def check_frame(found: Mapping[str, bytes], digests: Mapping[str, str]) -> None:
    """Check the members of `FRAME` against the SHA-256, in hex, of every member.

    Raises:
        FormatError: one is missing, or is not as the members say.
    """
    for name in sorted(FRAME):
        if name not in found:
            raise FormatError(f"the package has no {name}")
    for name, data in FIXED.items():
        if found[name] != data:
            raise FormatError(f"{name} does not hold what it must")
    for name, wanted in (
        (MANIFEST, manifest_of_payload(digests)),
        (TAGMANIFEST, manifest_of_tags(digests)),
    ):
        if found[name] != wanted:
            raise FormatError(f"{name} {_difference(found[name], wanted)}")


def _difference(found: bytes, wanted: bytes) -> str:
    """The first member that a manifest says something else of, for people."""
    stated, real = (
        {line[66:]: line[:64] for line in text.split(b"\n") if line[64:66] == b"  "}
        for text in (found, wanted)
    )
    for name in sorted(stated.keys() | real.keys()):
        shown = repr(name.decode("utf-8", "replace")[:160])
        if name not in stated:
            return f"does not list {shown}"
        if name not in real:
            return f"lists {shown}, which is not there to be listed"
        if stated[name] != real[name]:
            return f"has another digest: {shown} is not the file that it lists"
    return "is not of the form: a line for each file, in the order of their names"
