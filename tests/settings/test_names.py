"""Names that would be taken for options, and an embedded service that two processes would be."""

import pytest

from notary.errors import SettingsError
from notary.settings.loading import load_settings

CHAIN = {"rpc_urls": ["http://node.example"], "chain_id": 1}
TSA = {"organisation": "A", "url": "http://tsa.example", "roots": ["root.pem"]}
REFUSED = r"name: String should match pattern '\^\[a-z0-9\]\[a-z0-9-\]\{0,39\}\$'"


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    monkeypatch.delenv("NOTARY_CONFIG", raising=False)
    monkeypatch.setenv("NOTARY_ORIGIN", "log.example.org/2026")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("kind", "anchor"), [("chains", CHAIN), ("tsas", TSA)])
def test_no_anchor_has_the_name_of_an_option(kind, anchor):
    for name in ("-a", "--json", "-"):
        with pytest.raises(SettingsError, match=REFUSED):
            load_settings(**{kind: [anchor | {"name": name}]})
    for name in ("a", "a-", "0-a", "a" * 40):
        assert getattr(load_settings(**{kind: [anchor | {"name": name}]}), kind)[0].name == name
    with pytest.raises(SettingsError, match=REFUSED):
        load_settings(**{kind: [anchor | {"name": "a" * 41}]})


def test_the_embedded_service_is_one_process_with_a_file():
    with pytest.raises(
        SettingsError, match="embedded: the embedded service is one process with a SQLite file"
    ):
        load_settings(embedded=True, database_url="postgresql://localhost/notary")
    assert load_settings(embedded=True).embedded
    assert not load_settings(database_url="postgresql://localhost/notary").embedded
