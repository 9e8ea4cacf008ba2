"""What the settings say of those who attest becomes what is trusted, or is refused when the service starts."""

from hashlib import sha256
from pathlib import Path

import certifi
import pytest
from asn1crypto import pem, x509

from notary.errors import SettingsError
from notary.evidence.bodies import Genesis
from notary.settings.anchors import Tsa
from notary.settings.loading import load_settings
from notary.tsa_profiles import PROFILES
from notary.wiring.checking import attesters
from notary.wiring.serving import anchors_of
from notary.wiring.trusting import authority, certificate, trust_source
from tests.mini_tsa import MiniTsa, der
from tests.rig import GENESIS, ORIGIN

DOCS = Path(__file__).parents[1] / "docs/operations.md"


def root(folder, label):
    """A PEM file of a root, and its fingerprint."""
    content = der(MiniTsa(root=label).root)
    path = folder / f"{label}.pem"
    path.write_bytes(pem.armor("CERTIFICATE", content))
    return path, sha256(content).hexdigest()


def tsa(name="a", **more):
    return {"name": name, "organisation": name, "url": "https://tsa.example"} | more


def source(monkeypatch, *tsas, **more):
    monkeypatch.setenv("NOTARY_ORIGIN", ORIGIN)
    assert isinstance(GENESIS, Genesis)
    return trust_source(load_settings(tsas=tsas, **more), GENESIS)


def test_a_root_is_one_of_those_that_are_pinned(tmp_path):
    (one, pin), (other, found) = root(tmp_path, "One"), root(tmp_path, "Other")
    assert authority(Tsa(**tsa(roots=[one, other]))).roots == (certificate(one), certificate(other))
    assert authority(Tsa(**tsa(roots=[one], root_sha256=[pin]))).roots == (certificate(one),)
    with pytest.raises(SettingsError, match=f"Other.pem is not a root that a is pinned to: .* is {found}"):
        authority(Tsa(**tsa(roots=[one, other], root_sha256=[pin])))


def test_a_file_that_is_no_certificate_is_named(tmp_path):
    path = tmp_path / "root.pem"
    for content in (b"", b"junk", pem.armor("CERTIFICATE", b"junk")):
        path.write_bytes(content)
        with pytest.raises(SettingsError, match=r"root.pem is not a readable certificate in PEM form"):
            certificate(path)


def test_one_root_does_not_speak_for_two_organisations(tmp_path, monkeypatch):
    (one, _), (other, _) = root(tmp_path, "One"), root(tmp_path, "Other")
    good = source(monkeypatch, tsa("a", roots=[one]), tsa("b", roots=[other]))
    assert [each.name for each in good.authorities] == ["a", "b"]
    same = tsa("c", roots=[one], organisation="A")
    assert len(source(monkeypatch, tsa("a", roots=[one]), same).authorities) == 2
    with pytest.raises(SettingsError, match="a token of a could count for b too"):
        source(monkeypatch, tsa("a", roots=[one]), tsa("b", roots=[one]))


def test_an_authority_that_is_not_asked_any_more_is_trusted_for_what_it_stamped(tmp_path, monkeypatch):
    now, then = (tsa(name, roots=[root(tmp_path, name)[0]]) for name in ("now", "then"))
    found = source(monkeypatch, now, former_tsas=[then])
    assert [each.name for each in found.trust().authorities] == ["now", "then"]
    assert [each.name for each in source(monkeypatch, now).trust().authorities] == ["now"]
    settings = load_settings(tsas=[now], former_tsas=[then])
    assert set(attesters(settings, GENESIS).authorities) == {"now", "then"}  # fsck reads its stamps, too
    anchors = anchors_of(settings)
    assert anchors.organisations == {"now": "now", "then": "then"}
    assert anchors_of(load_settings(former_tsas=[then])).kinds == frozenset()  # and nobody waits for it
    # One root under two organisations is refused, whether it is asked or not; nor can it be counted on for new stamps.
    with pytest.raises(SettingsError, match="could count for"):
        source(monkeypatch, now, former_tsas=[then | {"roots": now["roots"]}])
    with pytest.raises(SettingsError, match="2 organisations cannot stamp where authorities of 1 are named"):
        source(monkeypatch, now, former_tsas=[then], stamps_needed=2)
    with pytest.raises(SettingsError, match="have one name"):
        source(monkeypatch, now, former_tsas=[then | {"name": "now"}])


def test_a_verifier_is_told_how_many_are_needed_where_they_are_more_than_he_asks_for(tmp_path, monkeypatch):
    tsas = [tsa(name, roots=[root(tmp_path, name)[0]]) for name in ("one", "two", "three")]
    for needed, k in ((1, None), (2, None), (3, 3)):
        found = source(monkeypatch, *tsas, stamps_needed=needed)
        assert found.k == k
        assert found.trust().k == max(2, needed)
        assert ("\nk = 3\n" in found.file()) is (k == 3)


# Profiles


def test_a_profile_fills_in_what_is_not_given(tmp_path):
    path, pin = root(tmp_path, "One")
    known = PROFILES["sectigo"]
    found = Tsa(name="s", profile="sectigo", roots=[path])
    assert (found.organisation, found.url, found.policies) == (
        known.organisation,
        known.url,
        known.policies,
    )
    assert (found.root_sha256, found.interval_seconds) == (known.root_sha256, 15)
    with pytest.raises(SettingsError, match="is not a root that s is pinned to"):
        authority(found)
    own = Tsa(
        name="s",
        profile="sectigo",
        roots=[path],
        url="https://own.example",
        policies=(),
        root_sha256=[pin],
        interval_seconds=0,
    )
    assert (own.url, own.policies, own.interval_seconds) == ("https://own.example", (), 0)
    assert authority(own).organisation == known.organisation


def test_every_profile_is_one_of_its_own():
    every = {name: Tsa(name=name, profile=name, roots=["root.pem"]) for name in PROFILES}
    assert len({found.url for found in every.values()}) == len(every)
    assert len({found.organisation for found in every.values()}) == len(every)
    pins = [pin for found in every.values() for pin in found.root_sha256]
    assert len(set(pins)) == len(pins) >= 4


def test_every_profile_is_documented_as_it_is():
    rows = {line.split("|")[1].strip(): line for line in DOCS.read_text().splitlines() if "| `" in line}
    for name, profile in PROFILES.items():
        row = rows[f"`{name}`"]
        told = [profile.organisation, profile.url, *profile.policies, *profile.root_sha256]
        told += [f"{profile.interval_seconds:.0f} s"] if profile.interval_seconds else []
        assert [value for value in told if value not in row] == []
        assert ("supply and compare it" in row) is not bool(profile.root_sha256)


def test_the_pin_of_a_root_that_is_in_mozillas_list_is_of_that_list():
    (pin,) = PROFILES["digicert"].root_sha256
    listed = pem.unarmor(Path(certifi.where()).read_bytes(), multiple=True)
    (found,) = [content for _, _, content in listed if sha256(content).hexdigest() == pin]
    assert x509.Certificate.load(found).subject.native["common_name"] == "DigiCert Trusted Root G4"
