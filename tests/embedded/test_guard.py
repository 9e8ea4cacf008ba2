"""One process of the service has an SQLite database; commands come and go beside it."""

import pytest

from notary.embedded.guard import alone_in, one_process
from notary.errors import SettingsError
from notary.settings.loading import load_settings


def settings_of(**changes):
    return load_settings(origin="log.example.org", **changes)


def test_a_second_process_on_sqlite_is_refused_and_one_after_the_other_is_not(tmp_path):
    settings = settings_of(data_dir=tmp_path)
    (tmp_path / "notary.db").touch()
    for _ in range(2):
        with (
            one_process(settings),
            pytest.raises(
                SettingsError, match=r"another process of the service has .*notary.db: SQLite is for one"
            ),
            one_process(settings),
        ):
            pytest.fail("two have it")
    with (
        alone_in(tmp_path),
        pytest.raises(SettingsError, match="another process of the service"),
    ):  # `notary dev`
        one_process(settings).__enter__()


def test_where_there_is_no_database_nothing_is_made(tmp_path):
    with one_process(settings_of(data_dir=tmp_path / "typo")):
        assert list(tmp_path.iterdir()) == []


def test_any_number_of_processes_may_have_postgresql(tmp_path):
    settings = settings_of(data_dir=tmp_path, database_url="postgresql://db/notary")
    with one_process(settings), one_process(settings):
        assert list(tmp_path.iterdir()) == []


def test_a_file_of_somebody_else_that_has_the_name_of_the_lock_is_not_emptied(tmp_path):
    (tmp_path / "lock").write_text("of somebody else")
    with alone_in(tmp_path):
        pass
    assert (tmp_path / "lock").read_text() == "of somebody else"
