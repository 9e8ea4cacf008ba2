"""What a statement commits to and the report does not open."""

import pytest

from notary.report.details import page_two
from tests.report import build
from tests.report.build import facts


@pytest.mark.parametrize(
    ("count", "row"), [(2, [{"name": "withheld", "value": "2 项未出示"}]), (0, []), (None, [])]
)
def test_how_many_are_not_opened_stands_beside_those_that_are(count, row):
    found = facts(build.result(openings={"title": "合同"}, withheld=count))
    assert page_two(found)["openings"] == [{"name": "title", "value": "合同"}, *row]
