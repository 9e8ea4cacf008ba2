"""A name of X.500 is of bounded length, wherever it stands in a token, since to compare names takes long."""

import pytest

from notary.errors import FormatError
from notary.evidence.asn1 import parse
from notary.evidence.timestamp_form import GENERAL_NAME, MAX_NAME, NAME
from tests.evidence.test_odd_certificates import GOOD, agreed, case
from tests.evidence.tsa_raw import SIGNER_INFO, RawTsa, changed, common, tagged

UNREADABLE = 4
MARKS = "\u0301\u0323"  # each pair changes places, and with all before it


def of_size(size):
    """A name of that many bytes."""
    frame = len(common("x" * size)) - size
    name = common("x" * (size - frame))
    assert len(name) == size
    return name


class Named(RawTsa):
    """Its tokens name their signer by this Name and the number of the signer's certificate."""

    def __init__(self, issuer):
        super().__init__()
        self.stated = issuer

    def respond(self, data, **more):
        return changed(parse(super().respond(data, **more)), (*SIGNER_INFO, 1, 0), self.stated)


def test_a_name_of_2048_bytes_is_read_and_no_longer_one(tmp_path):
    cases, expected = {}, {}
    for size in (MAX_NAME, MAX_NAME + 1):
        for place in ("signer", "middle"):
            cases[size, place] = case(RawTsa(names={place: of_size(size)}))
            expected[size, place] = GOOD if size == MAX_NAME else UNREADABLE
    agreed(tmp_path, cases, expected)


def test_a_long_name_of_a_signer_is_not_compared(tmp_path):
    """Marks in the wrong order: of 26,000 a comparison takes more than a second, and each certificate needs one."""
    cases = {
        "short": case(Named(common("a" + 100 * MARKS))),
        "long": case(Named(common("a" + 13000 * MARKS))),
    }
    agreed(tmp_path, cases, {"short": 9, "long": UNREADABLE})


@pytest.mark.parametrize("form", [NAME, GENERAL_NAME])
def test_a_name_is_as_long_in_either_place(form):
    def wrapped(name):
        return parse(name if form is NAME else tagged(4, name))

    form.check(wrapped(of_size(MAX_NAME)))
    with pytest.raises(FormatError, match="a name of more than 2048 bytes"):
        form.check(wrapped(of_size(MAX_NAME + 1)))
