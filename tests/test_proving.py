"""The proof of one entry, checked before it is handed out."""

import pytest
from sqlalchemy import text

from notary.errors import Fatal, NotFound, NotReady
from notary.evidence.checkpoint import open_checkpoint
from notary.evidence.proof_file import TLOG_PROOF, parse_proof_file
from notary.evidence.statement import entry_of
from notary.merkle.hashing import hash_leaf
from notary.merkle.proof import check_consistency, check_inclusion
from notary.store.checkpoints import checkpoint_at
from notary.store.records import record_by_number
from tests.databases import with_tables
from tests.rig import LOG_VERIFIER, ORIGIN, Rig


@pytest.fixture
def rig(tmp_path):
    database = with_tables(f"sqlite:///{tmp_path / 'notary.db'}")
    yield Rig(database, tmp_path).open()
    database.dispose()


@pytest.fixture
def closed(rig):
    rig.accepted = rig.submit(3)
    rig.sequencer().sequence()
    rig.accepted += rig.submit(4, first=3)
    rig.sequencer().sequence()
    return rig


def test_a_proof_leads_from_the_statement_to_the_signed_root(closed):
    for number, accepted in enumerate(closed.accepted, 1):
        data = closed.prover().prove(accepted.number)
        assert data == closed.prover().prove(accepted.seq)
        file = parse_proof_file(data, TLOG_PROOF)
        checkpoint = open_checkpoint(file.note, ORIGIN, [LOG_VERIFIER]).checkpoint
        assert (file.index, file.extra, checkpoint.size) == (number, accepted.statement, 8)
        leaf = hash_leaf(entry_of(file.extra))
        check_inclusion(leaf, file.index, checkpoint.size, file.path, checkpoint.root)


def test_a_proof_may_be_asked_for_at_an_earlier_size(closed):
    file = parse_proof_file(closed.prover().prove(closed.accepted[0].number, 4), TLOG_PROOF)
    assert open_checkpoint(file.note, ORIGIN, [LOG_VERIFIER]).checkpoint.size == 4
    with pytest.raises(NotReady, match="is not in a checkpoint of size 4 yet"):
        closed.prover().prove(closed.accepted[3].number, 4)
    with pytest.raises(NotFound, match="no checkpoint of size 5"):
        closed.prover().prove(closed.accepted[0].number, 5)


def test_what_waits_is_not_proved_yet(rig):
    (accepted,) = rig.submit(1)
    with pytest.raises(NotReady, match=f"record {accepted.number} is not in a checkpoint"):
        rig.prover().prove(accepted.number)


def test_paths_between_checkpoints(closed):
    prover = closed.prover()
    small, large = (prover.checkpoint(size).checkpoint for size in (4, 8))
    check_consistency(4, 8, prover.consistency(4, 8), small.root, large.root)
    assert prover.consistency(8, 8) == []
    check_inclusion(hash_leaf(closed.accepted[0].entry), 1, 4, prover.proof_at(1, 4), small.root)
    assert prover.checkpoint().checkpoint == large
    with pytest.raises(NotReady, match="entry 5 is not in the checkpoint of size 4"):
        prover.proof_at(5, 4)
    with pytest.raises(NotFound, match="there is no entry 8"):
        prover.proof_at(8, 8)
    with pytest.raises(NotFound, match="does not begin one of 4"):
        prover.consistency(8, 4)


def damaged(path):
    """Zeros for the first and for the last leaf hash."""
    path.write_bytes(bytes(32) + path.read_bytes()[32:-32] + bytes(32))


def test_nothing_is_proved_from_damaged_tiles(closed):
    damaged(closed.objects.root / "tile/0/000.p/8")
    prover = closed.prover()
    with pytest.raises(Fatal, match="the stored tiles do not prove record"):
        prover.prove(closed.accepted[0].number)
    with pytest.raises(Fatal, match="do not connect two checkpoints"):
        prover.consistency(4, 8)
    with pytest.raises(Fatal, match="do not have the root that was signed"):
        prover.checkpoint()
    prover.checkpoint(4)


def test_nothing_is_proved_by_a_checkpoint_that_another_signed(closed):
    with closed.database.writing() as connection:
        connection.execute(text("UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 4)"))
    with pytest.raises(Fatal, match="size 8 is signed for another size or root"):
        closed.prover().prove(closed.accepted[0].number)
    with closed.database.writing() as connection:
        connection.execute(text("UPDATE checkpoint SET note = X'00'"))
    with pytest.raises(Fatal, match="the stored checkpoint of size 8: a note has"):
        closed.prover().checkpoint()


def test_what_is_swapped_in_but_not_published_is_not_proved_yet(rig, monkeypatch):
    """Between the two the database is ahead of the tiles; a reader of that moment must not see damage."""
    (accepted,) = rig.submit(1)
    asked = []

    def look(*_arguments):
        for ask in (lambda: rig.prover().prove(accepted.number, 2), lambda: rig.prover().checkpoint(2)):
            with pytest.raises(NotReady, match="checkpoint of size 2 is being published"):
                ask()
        asked.append(rig.prover().checkpoint().checkpoint.size)
        return True

    sequencer = rig.sequencer()
    sequencer.acquire()
    with monkeypatch.context() as patch:
        patch.setattr("notary.log.staging.apply", look)
        sequencer.sequence()
    assert asked == [1]


def test_a_published_checkpoint_of_another_key_proves_nothing(closed):
    closed.objects.replace("checkpoint", b"another\n1\nAA==\n\n\xe2\x80\x94 another AAAAAAAA\n")
    with pytest.raises(Fatal, match="the published checkpoint is not ours"):
        closed.prover().checkpoint()


def test_an_older_checkpoint_that_a_leader_who_slept_puts_there_takes_no_proof_back(closed):
    prover = closed.prover()
    assert prover.published().checkpoint.size == 8
    proof = prover.prove(closed.accepted[-1].number)
    with closed.database.reading() as connection:
        older = checkpoint_at(connection, 4).note
    closed.objects.replace("checkpoint", older)
    assert prover.published().checkpoint.size == 8
    assert prover.prove(closed.accepted[-1].number) == proof


@pytest.mark.parametrize("column", ["statement", "entry"])
def test_a_statement_that_is_not_of_its_entry_is_not_proved(closed, column):
    broken, sound = closed.accepted[1], closed.accepted[2]
    with closed.database.writing() as connection:
        change = text(f"UPDATE record SET {column} = CAST({column} || x'20' AS BLOB) WHERE seq = :seq")
        connection.execute(change, {"seq": broken.seq})
    prover = closed.prover()
    with closed.database.reading() as connection:
        record = record_by_number(connection, broken.number)
    for prove in (prover.prove, lambda _: prover.cose_receipt(record), lambda _: prover.proof_at(2, 8)):
        with pytest.raises(Fatal, match=f"of record {broken.number} is not that of its entry"):
            prove(broken.number)
    assert prover.prove(sound.number)
