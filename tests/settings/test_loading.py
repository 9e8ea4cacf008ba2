"""Reading settings: variables, a file below them, and nothing unknown."""

from pathlib import Path

import pytest

from notary.errors import SettingsError
from notary.settings.anchors import Chain
from notary.settings.loading import load_settings

FILE = """
operator = "Example Ltd"
port = 9000
[[chains]]
name = "main"
rpc_urls = ["https://rpc.example.org"]
chain_id = 1
finality = "depth:12"
[[tsas]]
name = "tsa-one"
organisation = "One"
url = "https://tsa.example.org"
roots = ["one.pem"]
accuracy_ms = 1000
"""


def test_variables_win_over_the_file_and_arguments_over_both(environment, tmp_path):
    (tmp_path / "notary.toml").write_text(FILE)
    environment.setenv("NOTARY_CONFIG", str(tmp_path / "notary.toml"))
    settings = load_settings()
    assert (settings.operator, settings.port) == ("Example Ltd", 9000)
    assert settings.chains == (
        Chain(name="main", rpc_urls=("https://rpc.example.org",), chain_id=1, finality="depth:12"),
    )
    assert settings.tsas[0].roots == (Path("one.pem"),)
    environment.setenv("NOTARY_PORT", "9001")
    assert load_settings().port == 9001
    assert load_settings(port=9002).port == 9002


def test_nested_settings_may_be_json_in_a_variable(environment):
    environment.setenv("NOTARY_TSAS", '[{"name":"a","organisation":"A","url":"https://a","roots":["a.pem"]}]')
    assert load_settings().tsas[0].name == "a"


WRONG = {
    "unknown variable": ({"NOTARY_PROT": "1"}, "NOTARY_PROT is not a setting"),
    "lower case": ({"notary_prot": "1"}, "notary_prot is not a setting"),
    "missing": ({"NOTARY_ORIGIN": None}, "origin: Field required"),
    "port": ({"NOTARY_PORT": "65536"}, "port: Input should be less than or equal to 65535"),
    "url": ({"NOTARY_DATABASE_URL": "mysql://secret@host/db"}, "database_url: String should match"),
    "origin": ({"NOTARY_ORIGIN": "has spaces"}, "origin: String should match"),
    "json": ({"NOTARY_CHAINS": "[secret"}, "settings cannot be read"),
    "nested": ({"NOTARY_CHAINS": '[{"name":"x","rpc":1}]'}, "chains.0.rpc: Extra inputs are not permitted"),
    "no file": ({"NOTARY_CONFIG": "/nowhere/secret.toml"}, "is not a file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(environment, case):
    values, what = WRONG[case]
    for name, value in values.items():
        environment.delenv(name, raising=False) if value is None else environment.setenv(name, value)
    with pytest.raises(SettingsError, match=what) as caught:
        load_settings()
    assert "default factory" not in str(caught.value)
    if case != "no file":
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [("colour = 1", "colour: Extra inputs are not permitted"), ("port = ", "settings cannot be read")],
)
def test_a_file_that_is_wrong_is_refused(environment, tmp_path, text, what):
    (tmp_path / "notary.toml").write_text(text)
    environment.setenv("NOTARY_CONFIG", str(tmp_path / "notary.toml"))
    with pytest.raises(SettingsError, match=what):
        load_settings()
