"""The address under which the embedded service says that it can be reached."""

import pytest

from notary.embedded.children import Children
from notary.embedded.own_settings import settings_of


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:8001"), ("::1", "http://[::1]:8001")]
)
def test_the_address_on_reports_is_one_that_a_browser_takes(tmp_path, host, url):
    found = Children("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert settings_of(tmp_path, found, None, host, 8001).public_url == url
