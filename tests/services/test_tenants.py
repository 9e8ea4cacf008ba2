"""Organisations and their keys, on both databases."""

from datetime import timedelta
from hashlib import sha256

import pytest

from notary.errors import Conflict, KeyInvalid, NotFound, RequestError, ScopeMissing, Unavailable
from notary.services.tenants import Tenants
from notary.services.types import Principal
from notary.store import tenants as stored
from tests.rig import Clock

SCOPES = frozenset({"submit", "read", "report"})


@pytest.fixture
def tenants(database):
    return Tenants(database, Clock())


def test_a_key_names_its_organisation_and_scopes(tenants):
    ours, theirs = tenants.add("公司"), tenants.add("another")
    principal = tenants.authenticate(ours, "read")
    assert principal == Principal(principal.tenant_id, SCOPES)
    assert tenants.authenticate(theirs, "read").tenant_id != principal.tenant_id
    more = tenants.give_key("公司", ("read",))
    assert tenants.authenticate(more, "read") == Principal(principal.tenant_id, frozenset({"read"}))
    assert len({ours, theirs, more}) == 3


def test_the_stored_key_is_a_hash(tenants, database):
    _, key_id, secret = tenants.add("a company").split("_")
    with database.reading() as connection:
        key = stored.find_api_key(connection, key_id)
    assert key.secret_sha256 == sha256(secret.encode()).digest()
    assert len(secret) == 43  # 256 bits


def test_a_revoked_key_keeps_its_first_date(tenants, database):
    key = tenants.add("a company")
    key_id = key.split("_")[1]
    tenants.revoke_key(key_id)
    first = tenants.now()
    tenants.now.advance(60)
    tenants.revoke_key(key_id)
    with pytest.raises(KeyInvalid, match="unknown, revoked or expired"):
        tenants.authenticate(key, "read")
    with database.reading() as connection:
        assert stored.find_api_key(connection, key_id).revoked_at == first
    assert tenants.now() == first + timedelta(seconds=60)


def test_a_key_is_good_until_it_expires(tenants, database):
    end = tenants.now() + timedelta(days=1)
    first, second = tenants.add("a company", expires=end), tenants.give_key("a company", expires=end)
    for_ever = tenants.give_key("a company")
    tenants.now.advance(86399)
    assert {tenants.authenticate(key, "read").scopes for key in (first, second, for_ever)} == {SCOPES}
    tenants.now.advance(1)
    for key in (first, second):
        with pytest.raises(KeyInvalid, match="unknown, revoked or expired"):
            tenants.authenticate(key, "read")
        with database.reading() as connection:
            assert stored.find_api_key(connection, key.split("_")[1]).expires_at == end
    assert tenants.authenticate(for_ever, "read")


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_key_is_given_that_has_expired_already(tenants, seconds):
    end = tenants.now() + timedelta(seconds=seconds)
    with pytest.raises(RequestError, match="is past: a key expires at a time to come"):
        tenants.add("a company", expires=end)
    tenants.add("a company")  # nothing was made before
    with pytest.raises(RequestError, match="is past: a key expires at a time to come"):
        tenants.give_key("a company", expires=end)


@pytest.mark.parametrize(
    "token", ["", "nk_", "nk__", "nk_0123456789abcdef_", "x" * 5000, "nk_\0_\0", "nk_é_é"]
)
def test_what_is_no_key_is_refused(tenants, token):
    with pytest.raises(KeyInvalid, match="unknown, revoked or expired"):
        tenants.authenticate(token, "read")


def test_a_key_with_the_secret_of_another_is_refused(tenants):
    one, two = (tenants.add(name).split("_") for name in ("one", "two"))
    with pytest.raises(KeyInvalid, match="unknown, revoked or expired"):
        tenants.authenticate("_".join([one[0], one[1], two[2]]), "read")


def test_a_scope_that_was_not_given_is_missing(tenants):
    key = tenants.add("a company", ("submit",))
    with pytest.raises(ScopeMissing, match="no scope 'report'"):
        tenants.authenticate(key, "report")


@pytest.mark.parametrize("scopes", [(), ("read", "write"), ("",)])
def test_scopes_are_those_that_there_are(tenants, scopes):
    with pytest.raises(RequestError, match="scopes are one or more of submit, read, report"):
        tenants.add("a company", scopes)
    with pytest.raises(NotFound, match="no tenant named 'a company'"):
        tenants.give_key("a company")  # nothing was made


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_name_is_of_1_to_100_characters(tenants, name):
    with pytest.raises(RequestError, match="1 to 100 characters"):
        tenants.add(name)


def test_a_name_is_given_once(tenants):
    tenants.add("a company")
    with pytest.raises(Conflict, match="a tenant named 'a company' already"):
        tenants.add(" a company ")
    assert tenants.give_key(" a company ")


def test_what_is_not_there_cannot_be_given_a_key_or_revoked(tenants):
    with pytest.raises(NotFound, match="no tenant named 'nobody'"):
        tenants.give_key("nobody")
    with pytest.raises(NotFound, match="no API key 'x'"):
        tenants.revoke_key("x")


def test_what_is_known_of_a_key_is_read_again_by_one_before_it_is_too_old(database):
    ticks = [100.0]
    tenants = Tenants(database, Clock(), lambda: ticks[0])
    key = tenants.add("a company")
    assert not tenants.ageing(key)
    assert not tenants.ageing("no key")
    principal = tenants.authenticate(key, "submit")
    for seconds, ageing in ((0.9, False), (0.2, True), (0.1, False), (0.5, False)):
        ticks[0] += seconds
        assert tenants.recent(key, "submit") == principal
        assert tenants.ageing(key) is ageing
    tenants.read_again(key, "submit")
    ticks[0] += 1.9  # without that it would be too old since a second
    assert tenants.recent(key, "submit") == principal
    ticks[0] += 0.2
    assert tenants.recent(key, "submit") is None


def test_a_key_that_is_read_again_and_found_revoked_is_forgotten(database, monkeypatch):
    tenants, others = Tenants(database, Clock(), lambda: 0.0), Tenants(database, Clock())
    key = tenants.add("a company")
    principal = tenants.authenticate(key, "submit")

    def fail(*_arguments):
        raise Unavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(stored, "find_api_key", fail)
        tenants.read_again(key, "submit")
    assert tenants.recent(key, "submit") == principal  # an outage is no word about the key
    others.revoke_key(key.split("_")[1])
    assert tenants.recent(key, "submit") == principal
    tenants.read_again(key, "submit")
    assert tenants.recent(key, "submit") is None
