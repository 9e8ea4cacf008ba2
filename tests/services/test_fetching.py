"""A trust file from a service counts only if its fingerprint came by another way, and all versions follow."""

import pytest

from notary.errors import FormatError, NotFound, RequestError, SignatureError, TrustError, Unavailable
from notary.evidence.trust_statement import parse_trust_statement
from notary.services.fetching import fetch_trust
from tests.evidence.test_trust_statement import FIRST, PRINT, SECOND, THIRD, made, toml

URL = "https://notary.example"
PATH = f"{URL}/.well-known/notary-trust"
GOOD = {PATH: THIRD, f"{PATH}?version=1": FIRST, f"{PATH}?version=2": SECOND}
NEWEST = parse_trust_statement(THIRD).fingerprint


def fetch(pages, fingerprint=PRINT, url=URL):
    asked = []

    def get(address, limit):
        asked.append((address, limit))
        return pages.get(address)

    found = fetch_trust(get, url, fingerprint)
    assert {limit for _, limit in asked} == {65536}
    return found


@pytest.mark.parametrize("fingerprint", [PRINT, NEWEST])
@pytest.mark.parametrize("url", [URL, f"{URL}/", PATH])
def test_the_newest_version_is_reached_from_the_fingerprint_of_any(fingerprint, url):
    found = fetch(GOOD, fingerprint, url)
    assert (found.newest.note, found.compared) == (THIRD, fingerprint == NEWEST)
    assert found.pinned.fingerprint == fingerprint


def test_of_one_version_nothing_else_is_asked_for():
    found = fetch({PATH: FIRST})
    assert (found.newest.note, found.compared) == (FIRST, True)


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({PATH: None}, NotFound, "there is no trust statement at https://notary.example/.well-known"),
        ({f"{PATH}?version=2": None}, NotFound, "version=2"),
        ({f"{PATH}?version=1": SECOND}, TrustError, "another version of the trust statement was sent than 1"),
        ({f"{PATH}?version=1": made(toml((3,)), 1, keys=(3,))}, FormatError, "does not follow version 1"),
        ({PATH: made(toml((3,)), 3, SECOND, keys=(3,))}, SignatureError, "signed by no log key of version 2"),
        ({PATH: THIRD.replace(b"until", b"since")}, SignatureError, "does not fit the text"),
        ({PATH: b"<html>"}, FormatError, "no signature lines"),
    ],
)
def test_whatever_does_not_fit_is_refused(changes, error, reason):
    with pytest.raises(error, match=reason):
        fetch(GOOD | changes)


def test_all_versions_together_have_one_deadline():
    asked = []

    def slow(address, limit):
        asked.append(address)
        return GOOD[address]

    with pytest.raises(Unavailable, match=r"took more than 120 s"):
        fetch_trust(slow, URL, PRINT, clock=lambda: 61.0 * len(asked))
    assert asked == [PATH, f"{PATH}?version=1"]  # the third would begin after the deadline


@pytest.mark.parametrize("address", [f"{URL}?a=b", f"{PATH}?version=1", f"{URL}#part"])
def test_an_address_with_a_query_is_refused(address):
    with pytest.raises(RequestError, match="has no query and no fragment"):
        fetch_trust(GOOD.get, address, PRINT)


def test_a_fingerprint_of_something_else_is_refused():
    with pytest.raises(SignatureError, match="no version of the trust statement has the fingerprint"):
        fetch(GOOD, bytes(32))
