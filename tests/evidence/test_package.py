"""The package: one ZIP of plain files, the same bytes for the same files, and every trick with ZIPs refused."""

import io
import re
import struct
import zipfile
from errno import EIO
from hashlib import sha256

import pytest

from notary.errors import FormatError
from notary.evidence.archive import MAX_FILES
from notary.evidence.package import digest_stream, read_package, write_package
from notary.evidence.package_names import FRAME, MAX_DOCUMENT, MAX_FILE, MAX_TOTAL
from tests.evidence import build
from tests.evidence.build import CONTRACT

FILES = build.files(build.log())
GOOD = write_package(FILES, ("contract.pdf", CONTRACT))
SMALL = {"data/statement.json": b"{}", "README.en.txt": b"read me"}
EPOCH = (1980, 1, 1, 0, 0, 0)
MIMETYPE = b"application/vnd.etsi.asic-e+zip"
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def read(data):
    return read_package(io.BytesIO(data))


def frame_of(members, **changes):
    """The frame of these members, of whatever names; `changes` are put in its place before the tags are listed."""
    found = {
        "mimetype": MIMETYPE,
        "bagit.txt": BAGIT,
        "manifest": listing(members, lambda n: n.startswith("data/")),
    }
    found |= changes
    found["manifest-sha256.txt"] = found.pop("manifest")
    tags = dict(members) | {name: data for name, data in found.items() if data is not None and name != "tags"}
    lines = listing(tags, lambda n: not n.startswith(("data/", "META-INF/")))
    found = {"tagmanifest-sha256.txt": lines} | found
    found["tagmanifest-sha256.txt"] = found.pop("tags", lines)
    return {name: data for name, data in found.items() if data is not None}


def listing(members, wanted):
    names = sorted((name for name in dict(members) if wanted(name)), key=str.encode)
    return "".join(f"{sha256(dict(members)[name]).hexdigest()}  {name}\n" for name in names).encode()


def zipped(members, *, info=None, comment=b"", frame=None, **options):
    """A ZIP by the library itself, so that what `write_package` refuses to write can be read."""
    whole = frame_of(members, **(frame or {}))
    buffer = io.BytesIO()
    first = [("mimetype", whole.pop("mimetype"))] if "mimetype" in whole else []
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in [*first, *whole.items(), *members]:
            member = zipfile.ZipInfo(name, EPOCH)
            for key, value in (info or {}).items():
                setattr(member, key, value)
            archive.writestr(member, data, **options)
        archive.comment = comment
    return buffer.getvalue()


def refused(data, message):
    with pytest.raises(FormatError, match=message):
        read(data)


def test_a_package_is_read_as_it_was_written():
    package = read(GOOD)
    assert package.files == FILES
    assert package.document == digest_stream(io.BytesIO(CONTRACT))
    assert package.document_name == "contract.pdf"
    assert package.sizes() == [build.EARLY, build.LATE]
    assert list(package.tokens(build.EARLY)) == ["tsa-a", "tsa-b"]
    assert package.tokens(build.LATE) == {}


def test_the_same_files_make_the_same_bytes():
    assert write_package(dict(reversed(FILES.items())), ("contract.pdf", CONTRACT)) == GOOD
    assert write_package(read(GOOD).files, ("contract.pdf", CONTRACT)) == GOOD


def test_a_package_without_a_document_has_none():
    package = read(write_package(SMALL))
    assert (package.files, package.document, package.document_name) == (SMALL, None, "")


def test_other_programs_can_read_it():
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        assert archive.testzip() is None
        assert archive.read("data/document/contract.pdf") == CONTRACT
        first, *rest = archive.namelist()
        assert (first, rest) == ("mimetype", sorted(rest, key=str.encode))
    # What `file` and readers of ASiC-E look for at a fixed place.
    assert GOOD[30:69] == b"mimetype" + MIMETYPE


def test_what_the_helper_makes_is_a_package():
    assert read(zipped(list(SMALL.items()))).files == SMALL


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"PK\x05\x06" + bytes(18), GOOD[:-1], GOOD[1:], b"a" * 200, GOOD[: len(GOOD) // 2]]
)
def test_what_is_no_zip_is_refused(data):
    refused(data, "not a readable ZIP|1 to 512 files")


@pytest.mark.parametrize("tail", [b"\n", b"more", GOOD])
def test_trailing_data_is_refused(tail):
    refused(GOOD + tail, "not a readable ZIP")


@pytest.mark.parametrize("head", [b"\n", b"#!/bin/sh\n", GOOD])
def test_data_in_front_is_refused(head):
    refused(head + GOOD, "not a readable ZIP")
    # and also where every offset was made to fit
    moved = bytearray(head + GOOD)
    begin = struct.unpack_from("<L", GOOD, len(GOOD) - 6)[0]
    struct.pack_into("<L", moved, len(moved) - 6, begin + len(head))
    at = begin + len(head)
    while moved[at : at + 4] == b"PK\x01\x02":
        (offset,) = struct.unpack_from("<L", moved, at + 42)
        struct.pack_into("<L", moved, at + 42, offset + len(head))
        at += 46 + sum(struct.unpack_from("<3H", moved, at + 28))
    refused(bytes(moved), "before, behind or between")


def test_a_comment_is_refused():
    refused(zipped(list(SMALL.items()), comment=b"hello"), "does not end with its directory")
    refused(zipped(list(SMALL.items()), info={"comment": b"hello"}), "extra fields")


def test_a_gap_between_the_files_is_refused():
    begin = struct.unpack_from("<L", GOOD, len(GOOD) - 6)[0]
    hidden = bytearray(GOOD[:begin] + b"hidden" + GOOD[begin:])
    struct.pack_into("<L", hidden, len(hidden) - 6, begin + 6)
    refused(bytes(hidden), "before, behind or between")


def test_a_file_that_only_a_reader_from_the_front_sees_is_refused():
    with_more = zipped([*SMALL.items(), ("receipt.txt", b"hidden")])
    begin = struct.unpack_from("<L", with_more, len(with_more) - 6)[0]
    directory = with_more[begin:-22]
    kept = directory[: directory.rindex(b"PK\x01\x02")]
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 6, 6, len(kept), begin, 0)
    refused(with_more[:begin] + kept + end, "before, behind or between")


def test_a_directory_in_another_order_than_the_files_is_refused():
    data = zipped(list(SMALL.items()))
    begin = struct.unpack_from("<L", data, len(data) - 6)[0]
    first, *records = data[begin:-22].split(b"PK\x01\x02")
    assert first == b""
    refused(data[:begin] + b"".join(b"PK\x01\x02" + r for r in reversed(records)) + data[-22:], "between")


@pytest.mark.parametrize(
    ("field", "value"), [(4, 1), (6, 1), (8, 2), (10, 2), (12, 5), (16, 5), (20, 1)], ids=str
)
def test_an_end_that_says_something_else_is_refused(field, value):
    data = bytearray(GOOD)
    struct.pack_into("<L" if field in (12, 16) else "<H", data, len(data) - 22 + field, value)
    refused(bytes(data), "not a readable ZIP")


@pytest.mark.parametrize("more", [1, -1])
def test_a_count_of_files_that_is_not_that_of_the_directory_is_refused(more):
    data = bytearray(GOOD)
    for at in (len(data) - 22 + 8, len(data) - 22 + 10):  # on this disk, and in all
        (count,) = struct.unpack_from("<H", data, at)
        struct.pack_into("<H", data, at, count + more)
    refused(bytes(data), "^not a readable ZIP: the directory is not where it must be$")


def test_a_directory_of_64_bits_is_refused():
    begin = struct.unpack_from("<L", GOOD, len(GOOD) - 6)[0]
    size = len(GOOD) - 22 - begin
    count = struct.unpack_from("<H", GOOD, len(GOOD) - 12)[0]
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, begin)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, begin + size, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size + 76, begin, 0)
    refused(GOOD[:-22] + record + locator + end, "^not a readable ZIP: it has a directory of 64 bits$")
    refused(
        GOOD[:-22] + record + bytes(20) + end, "^not a readable ZIP: the directory is not where it must be$"
    )


def test_too_many_files_are_refused():
    many = {f"heads/1/tokens/{name}.tsr": b"" for name in range(1, MAX_FILES - 2)}
    refused(zipped(list(many.items())), "1 to 512 files")
    with pytest.raises(FormatError, match="1 to 512 files"):
        write_package(many)
    del many["heads/1/tokens/1.tsr"]
    assert len(read(write_package(many)).files) == MAX_FILES - len(FRAME)
    with zipfile.ZipFile(empty := io.BytesIO(), "w"):
        pass
    refused(empty.getvalue(), "1 to 512 files")


def test_the_same_name_twice_is_refused():
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped([*SMALL.items(), ("README.en.txt", b"another")])
    refused(data, "'README.en.txt' stands in the package twice")


NAMES = [
    "../statement.json", "/data/statement.json", "heads/../statement.json", "heads/4/../checkpoint",
    "C:/statement.json", "heads\\4\\checkpoint", "data/STATEMENT.JSON", "data/statement.json/", "heads/",
    "heads/04/checkpoint", "heads/0/checkpoint", "heads/-1/checkpoint",
    "heads/99999999999999999999/checkpoint", "heads/4/tokens/TSA.tsr", "heads/4/tokens/.tsr",
    "heads/4/tokens/a/b.tsr", "heads/4/tokens/a.tsr.exe", "run.sh", "trust.toml", "data/statement.json ",
    " data/statement.json", "statement.json", "manifest.json", "data/", "data/a.txt", "README.txt",
    "data/document/", "data/document/.", "data/document/..", "data/document/../x", "data/document/a/b",
    "data/document/a\\b", "data/document/a:b", "data/document/a\nb", "data/document/a\u202efdp.exe",
    "data/document/a\u2066b", "data/document/a\x85b", "data/document/" + "a" * 121, "data/document/a%b",
    "data/document/a ", "data/document/a\u3000", "data/document/a\u00a0", "document/a.pdf",
    "previous/0/statement.json", "previous/65/statement.json", "previous/01/statement.json",
    "previous/statement.json", "META-INF/manifest.xml", "META-INF/evidencerecord000.ers",
    "META-INF/evidencerecord065.ers", "META-INF/signature01.p7s", "META-INF/signatures001.xml", "controls/",
    "controls/a/b", "controls/A", "controls/.a", "controls/" + "a" * 65, "tools/check.exe", "tools/",
    "tagmanifest-sha512.txt",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_without_a_place_in_a_package_is_refused(name):
    refused(zipped([*SMALL.items(), (name, b"x")]), "has no place in a package")
    with pytest.raises(FormatError, match="has no place in a package"):
        write_package({name: b"x"})


def test_of_a_long_name_80_characters_are_said():
    name, shown = "controls/" + "A" * 80, re.escape(repr("controls/" + "A" * 71))
    with pytest.raises(FormatError, match=f"^{shown} has no place in a package$"):
        write_package({name: b"x"})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"x" * 100)
    refused(buffer.getvalue(), f"^{shown} is compressed$")


PLACES = [
    "bag-info.txt", "README.zh.txt", "data/report.pdf", "previous/1/statement.json",
    "previous/9/openings.json", "previous/10/inclusion.tlog-proof", "previous/64/statement.json",
    "META-INF/evidencerecord001.ers", "META-INF/evidencerecord064.ers",
    "META-INF/ASiCEvidenceRecordManifest059.xml", "META-INF/ASiCManifest001.xml",
    "META-INF/signature001.p7s", "controls/expected.json", "controls/document-one-bit",
    "controls/token.tsr", "tools/check.sh", "tools/check.ps1", "tools/verify.html",
    "incident/openings.json",
]  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_a_name_with_a_place_in_a_package_is_read(name):
    assert read(write_package(SMALL | {name: b"x"})).files == SMALL | {name: b"x"}


@pytest.mark.parametrize("name", sorted(FRAME))
def test_what_follows_from_the_rest_cannot_be_given(name):
    with pytest.raises(FormatError, match="follows from the other files"):
        write_package(SMALL | {name: b"x"})


@pytest.mark.parametrize("name", ["合同 (终稿).pdf", "a.b..c", "...", "𠮷.pdf", "a" * 120, "文" * 120, "-rf"])
def test_a_document_keeps_its_name(name):
    assert read(write_package(SMALL, (name, b"x"))).document_name == name


def test_a_name_in_another_encoding_is_refused():
    data = zipped([*SMALL.items(), ("data/document/a.pdf", b"x")])
    data = data.replace(b"data/document/a.pdf", b"data/document/\x80.pdf")
    refused(data, "^a name in the ZIP is neither ASCII nor marked as UTF-8 and UTF-8$")
    data = zipped([*SMALL.items(), ("data/document/é.pdf", b"x")]).replace("é".encode(), b"\xe9.")
    refused(data, "^a name in the ZIP is neither ASCII nor marked as UTF-8 and UTF-8$")


def test_a_name_cut_off_by_a_zero_byte_is_refused():
    data = zipped([*SMALL.items(), ("data/document/a.pdf", b"x")])
    data = data.replace(b"data/document/a.pdf", b"data/document/a\x00pdf")
    refused(data, "has no place in a package")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_file_is_refused_before_it_is_unpacked(method):
    bomb = bytes(MAX_FILE + 1)
    data = zipped([("README.en.txt", bomb)], compress_type=method)
    assert len(data) < 20_000
    refused(data, "'mimetype' is compressed")


def test_a_file_over_the_limit_is_refused():
    assert read(write_package({"README.en.txt": bytes(MAX_FILE)}))
    large = bytes(MAX_FILE + 1)
    refused(zipped([("README.en.txt", large)]), "'README.en.txt' is larger than 8388608 bytes")
    with pytest.raises(FormatError, match=r"'README.en.txt' is larger than 8388608"):
        write_package({"README.en.txt": large})
    refused(zipped([], frame={"tags": large}), "'tagmanifest-sha256.txt' is larger than 8388608")


def test_files_over_the_limit_together_are_refused():
    many = {f"heads/{size}/checkpoint": bytes(MAX_FILE) for size in range(1, MAX_TOTAL // MAX_FILE + 2)}
    with pytest.raises(FormatError, match="larger than 67108864 bytes together"):
        write_package(many)
    refused(zipped(list(many.items())), "larger than 67108864 bytes together")


def test_sizes_that_lie_are_refused():
    whole = zipped(list(SMALL.items()))
    for at in (20, 24):  # compressed and real size in the directory
        data = bytearray(whole)
        struct.pack_into("<L", data, data.rindex(b"PK\x01\x02") + at, 2**31)
        refused(bytes(data), "is compressed")
    data = bytearray(whole)
    for at in (20, 24):
        struct.pack_into("<L", data, data.rindex(b"PK\x01\x02") + at, MAX_DOCUMENT + 1)
    refused(bytes(data), "before, behind or between")


@pytest.mark.parametrize(
    ("bit", "message"), [(0, "encrypted"), (3, "encrypted"), (6, "encrypted"), (13, "encrypted")]
)
def test_a_flag_for_encryption_or_streaming_is_refused(bit, message):
    data = bytearray(zipped(list(SMALL.items())))
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = data.index(mark) + at
        struct.pack_into("<H", data, place, struct.unpack_from("<H", data, place)[0] | 1 << bit)
    refused(bytes(data), message)


@pytest.mark.parametrize(
    "attributes", [0o120777 << 16, 0o040755 << 16, 0o010644 << 16, 0o060644 << 16, 0x10, 0x08], ids=hex
)
def test_what_would_not_unpack_as_a_plain_file_is_refused(attributes):
    refused(zipped(list(SMALL.items()), info={"external_attr": attributes}), "a link, folder or device")
    for plain in (0o100644 << 16, 0o644 << 16, 0x20, 0):
        assert read(zipped(list(SMALL.items()), info={"external_attr": plain})).files == SMALL


def test_a_document_cannot_be_a_link_to_what_nobody_checked():
    target = b"../../README.en.txt"
    members = [("README.en.txt", b"anything"), ("data/document/contract.pdf", target)]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in [*frame_of(members).items(), *members]:
            member = zipfile.ZipInfo(name, EPOCH)
            member.external_attr = (0o120777 if data is target else 0o100644) << 16
            archive.writestr(member, data)
    refused(buffer.getvalue(), "'data/document/contract.pdf' is marked as a link")


def test_extra_fields_are_refused():
    refused(zipped(list(SMALL.items()), info={"extra": b"\xfe\xca\x00\x00"}), "extra fields")


@pytest.mark.parametrize("at", [4, 6, 8, 10, 12, 14, 18, 22, 26, 28, 31])
def test_two_headers_that_differ_are_refused(at):
    data = bytearray(zipped(list(SMALL.items())))
    data[data.index(b"PK\x03\x04", 4) + at] ^= 1
    refused(bytes(data), "two headers of")


def test_bytes_that_do_not_fit_their_checksum_are_refused():
    refused(
        zipped(list(SMALL.items())).replace(b"read me", b"read ME"),
        "'README.en.txt' is damaged: its bytes do not fit their checksum",
    )


@pytest.mark.parametrize("at", range(0, len(GOOD), 1500))
def test_a_disk_that_cannot_be_read_says_nothing_of_the_package(at):
    class Disk(io.BytesIO):
        def read(self, size=-1):
            begin = self.tell()
            data = super().read(size)
            if begin <= at < begin + len(data):
                raise OSError(EIO, "no good")
            return data

    with pytest.raises(OSError, match="no good"):
        read_package(Disk(GOOD))


def test_a_file_that_ends_while_it_is_read_is_refused():
    class Shrinking(io.BytesIO):
        def read(self, size=-1):
            return super().read(size)[:-1]

    with pytest.raises(FormatError, match=r"^not a readable ZIP: it ended while it was read$"):
        read_package(Shrinking(GOOD))


def with_field(at, size, value):
    """The small package with that value in the first entry of the directory, and in front where it stands there too."""
    data = bytearray(zipped(list(SMALL.items())))
    struct.pack_into(size, data, data.index(b"PK\x01\x02") + at, value)
    if at in range(6, 30):
        struct.pack_into(size, data, at - 2, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("at", "size", "good", "bad", "message"),
    [
        (4, "<H", (0, 0xFFFF), (), ""),
        (6, "<H", (0, 10, 63, 0xFF3F), (64, 255, 0x0140), "^'mimetype' needs a later version of ZIP$"),
        (8, "<H", (0x800,), (0x801, 0xFFFF), "^'mimetype' is encrypted or has extra fields$"),
        (10, "<H", (), (8, 99, 0x100), "^'mimetype' is compressed$"),
        (12, "<H", (0, 0xFFFF), (), ""),
        (14, "<H", (0, 0xFFFF), (), ""),
        (34, "<H", (), (1, 0xFFFF), "^'mimetype' is said to lie on another disk, or to be made of records$"),
        (36, "<H", (1,), (2, 3, 0x8000), "^'mimetype' is said to lie on another disk, or to be made of records$"),
        (38, "<L", (0x80000000, 0x0FFFFFE7), (0x10000000, 8, 16), "^'mimetype' is marked as a link"),
    ],
)  # fmt: skip
def test_each_field_of_an_entry_is_free_or_checked(at, size, good, bad, message):
    for value in good:
        assert read(with_field(at, size, value)).files == SMALL
    for value in bad:
        refused(with_field(at, size, value), message)


def test_an_entry_that_is_cut_is_refused():
    data = zipped(list(SMALL.items()))
    end = "^not a readable ZIP: the directory is not where it must be$"
    refused(data[-22:-10] + struct.pack("<2LH", 0, 0, 0), end)  # no entry at all
    last = data.rindex(b"PK\x01\x02")
    for place, value in ((0, b"PX"), (28, b"\xff\xff")):  # its mark, the length of its name
        refused(data[: last + place] + value + data[last + place + 2 :], end)


def lines(*pairs):
    return "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data in pairs).encode()


ONE, TWO = ("data/openings.json", b"{}"), ("data/statement.json", b"{}")
PAIR = [ONE, TWO]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "the package has no manifest-sha256.txt"),
        (b"", "does not list 'data/openings.json'"),
        (lines(TWO), "does not list 'data/openings.json'"),
        (lines(TWO, ONE), "is not of the form"),
        (lines(ONE, TWO) + b"\n", "is not of the form"),
        (lines(ONE, TWO)[:-1], "is not of the form"),
        (lines(ONE, TWO).replace(b"\n", b"\r\n"), "does not list|is not there"),
        (lines(ONE, TWO)[:64].upper() + lines(ONE, TWO)[64:], "another digest"),
        (lines(ONE, TWO).replace(b"  ", b" "), "does not list"),
        (lines(ONE, TWO).replace(b"  ", b" *"), "does not list"),
        (lines(ONE, TWO).replace(b"  ", b"\t "), "does not list"),
        (lines(ONE, TWO).replace(b"  ", b"   "), "lists ' data/openings.json'"),
        (lines(ONE, ONE, TWO), "is not of the form"),
        (lines(ONE, TWO, ("data/report.pdf", b"")), "lists 'data/report.pdf', which is not there"),
        (lines(ONE, TWO, ("README.en.txt", b"read me")), "lists 'README.en.txt', which is not there"),
        (lines(ONE, ("data/statement.json", b"[]")), "'data/statement.json' is not the file that it lists"),
        (b"\xff" + lines(ONE, TWO), "does not list"),
        (lines(ONE, TWO) + b"0" * 64 + b"  \xff\n", "lists '\ufffd', which is not there"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(manifest, message):
    refused(zipped(PAIR, frame={"manifest": manifest}), message)


TAGS = {"mimetype": MIMETYPE, "bagit.txt": BAGIT, "manifest-sha256.txt": lines(ONE, TWO)}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (None, "the package has no tagmanifest-sha256.txt"),
        (lines(*sorted(TAGS.items()))[81:], "tagmanifest-sha256.txt does not list 'bagit.txt'"),
        (lines(*sorted((TAGS | {"mimetype": b""}).items())), "'mimetype' is not the file that it lists"),
        (lines(*sorted((TAGS | {"bag-info.txt": b""}).items())), "lists 'bag-info.txt', which is not there"),
        (lines(*sorted((TAGS | dict(PAIR)).items())), "lists 'data/openings.json', which is not there to be"),
        (lines(*sorted(TAGS.items(), reverse=True)), "is not of the form"),
    ],
)
def test_a_manifest_of_tags_that_does_not_fit_is_refused(tags, message):
    assert read(zipped(PAIR, frame={"tags": lines(*sorted(TAGS.items()))})).files == dict(PAIR)
    refused(zipped(PAIR, frame={"tags": tags}), message)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("mimetype", None, "the first file of the package is not mimetype"),
        ("mimetype", MIMETYPE + b"\n", "mimetype does not hold what it must"),
        ("mimetype", b"application/vnd.etsi.asic-s+zip", "mimetype does not hold what it must"),
        ("bagit.txt", None, "the package has no bagit.txt"),
        ("bagit.txt", BAGIT.replace(b"1.0", b"0.97"), "bagit.txt does not hold what it must"),
        ("bagit.txt", BAGIT.replace(b"\n", b"\r\n"), "bagit.txt does not hold what it must"),
    ],
)
def test_what_makes_a_container_and_a_bag_of_it_is_fixed(name, data, message):
    refused(zipped(PAIR, frame={name: data}), message)


def test_the_type_stands_first():
    whole = frame_of(PAIR)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in [*PAIR, *whole.items()]:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data)
    refused(buffer.getvalue(), "the first file of the package is not mimetype")


def test_a_signature_can_be_added_without_touching_another_file():
    more = {"META-INF/signature001.p7s": b"signed", "META-INF/ASiCManifest001.xml": b"<a/>"}
    whole, other = (zipfile.ZipFile(io.BytesIO(write_package(FILES | add))) for add in ({}, more))
    with whole, other:
        assert set(other.namelist()) - set(whole.namelist()) == set(more)
        assert all(other.read(name) == whole.read(name) for name in whole.namelist())


def test_a_document_that_is_not_the_one_listed_is_refused():
    members = [("data/document/a.pdf", CONTRACT), ("data/statement.json", b"{}")]
    for other in (CONTRACT + b"x", CONTRACT[:-1] + b"x", b""):
        listed = lines(("data/document/a.pdf", other), members[1])
        refused(
            zipped(members, frame={"manifest": listed}),
            r"'data/document/a.pdf' is not the file that it lists",
        )


def test_two_documents_are_refused():
    refused(zipped([("data/document/a.pdf", b"a"), ("data/document/b.pdf", b"b")]), "more than one document")


def test_a_stream_longer_than_its_limit_is_refused():
    assert digest_stream(io.BytesIO(b"abc"), 3).size == 3
    with pytest.raises(FormatError, match="larger than the 2 bytes named"):
        digest_stream(io.BytesIO(b"abc"), 2)


def test_every_bit_of_a_package_counts():
    good = write_package(SMALL)
    for at in range(len(good)):
        for bit in range(8):
            data = good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
            try:
                package = read(data)
            except FormatError:
                continue
            # What may differ is only what a ZIP says of times, makers and permissions.
            assert package.files == SMALL
