"""Incidents are kept once, and what they contradict is found by no query that evidence is made from."""

from datetime import UTC, datetime

from notary.store import anchorings, outbox, standing
from notary.store.final_words import earliest_final, final_words
from notary.store.incidents import (
    CONTRADICTED,
    FOREIGN_HEAD,
    FOREIGN_NONCE,
    MOST_ACCUSATIONS,
    add_incident,
    contradicted,
    incidents,
    open_contradictions,
)
from tests.rig import Rig

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def final(connection, anchor="main", size=1):
    item = anchorings.create_anchoring(connection, anchor, "evm", size, NOW)
    anchorings.move(connection, item.id, "due", "final", NOW, evidence=b"evidence")
    return item


def test_an_incident_is_kept_once(database):
    with database.writing() as connection:
        for detail, new in (("nonce 5", True), ("nonce 6", False)):
            assert add_incident(connection, FOREIGN_NONCE, "main", "0xaa", detail, NOW) is new
        assert add_incident(connection, FOREIGN_NONCE, "main", "0xbb", "nonce 1", NOW)
        found = incidents(connection)
        assert [(each.kind, each.subject, each.detail) for each in found] == [
            ("foreign_nonce", "0xaa", "nonce 5"),
            ("foreign_nonce", "0xbb", "nonce 1"),
        ]
        assert open_contradictions(connection) == []


def test_of_accusations_without_end_the_first_are_kept_and_every_contradiction(database, tmp_path):
    Rig(database, tmp_path).open()
    with database.writing() as connection:
        for kind in (FOREIGN_NONCE, FOREIGN_HEAD):
            new = [
                add_incident(connection, kind, "main", str(at), "said", NOW)
                for at in range(MOST_ACCUSATIONS + 2)
            ]
            assert new == [True] * MOST_ACCUSATIONS + [False] * 2
        assert add_incident(connection, FOREIGN_HEAD, "second", "1", "said", NOW)
        items = [final(connection) for _ in range(MOST_ACCUSATIONS + 1)]
        assert all(
            add_incident(connection, CONTRADICTED, "main", str(each.id), "another", NOW) for each in items
        )
        assert not any(contradicted(connection, final(connection).id) for _ in range(2))
        assert all(contradicted(connection, each.id) for each in items)


def test_what_is_contradicted_is_kept_and_proves_nothing(database, tmp_path):
    Rig(database, tmp_path).open()
    with database.writing() as connection:
        first, other = final(connection), final(connection, "second")
        assert add_incident(connection, CONTRADICTED, "main", str(first.id), "another block", NOW)
        assert (contradicted(connection, first.id), contradicted(connection, other.id)) == (True, False)
        (unmended,) = open_contradictions(connection)
        assert unmended.subject == str(first.id)
        assert [item.id for item in earliest_final(connection, 0)] == [other.id]
        assert final_words(connection, "main", most=9) == []
        assert [i.id for i in anchorings.anchorings_of_sizes(connection, [1], "evm", "final")] == [other.id]
        assert [row[0] for row in standing.attested_heads(connection)] == ["second"]
        assert [each.anchor for each in standing.Standings(connection).of(1).attestations] == ["second"]
        assert anchorings.anchoring_by_id(connection, first.id).evidence == b"evidence"
        again = final(connection)
        assert open_contradictions(connection) == []
        assert [item.id for item in final_words(connection, "main", most=9)] == [again.id]


def test_attempts_of_earlier_anchorings_of_a_head_count_for_the_next_one(database, tmp_path):
    Rig(database, tmp_path).open()
    with database.writing() as connection:
        first = final(connection)
        kept = outbox.add_attempt(connection, first.id, "aa", b"raw", 5, NOW, "0xw")
        refused = anchorings.create_anchoring(connection, "main", "evm", 1, NOW)
        anchorings.move(connection, refused.id, "due", "rejected", NOW)
        late = outbox.add_attempt(connection, refused.id, "bb", b"raw", 6, NOW, "0xw")
        elsewhere = anchorings.create_anchoring(connection, "other", "evm", 1, NOW)
        outbox.add_attempt(connection, elsewhere.id, "dd", b"raw", 1, NOW, "0xv")
        item = anchorings.create_anchoring(connection, "main", "evm", 1, NOW)
        own = outbox.add_attempt(connection, item.id, "cc", b"raw", 7, NOW, "0xw")
        assert outbox.attempts_for(connection, item) == [kept, late, own]
