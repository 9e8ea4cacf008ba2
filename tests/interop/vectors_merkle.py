"""Other people's proofs and another implementation's log, judged as their authors judge them."""

import base64
import json

import pytest

from notary.errors import ProofError
from notary.merkle.append import append_tiles
from notary.merkle.hashing import EMPTY_ROOT, hash_leaves
from notary.merkle.proof import check_consistency, check_inclusion, consistency_path, inclusion_path
from notary.merkle.tile_nodes import node_from_tiles
from notary.merkle.tiles import (
    Bundle,
    Tile,
    decode_bundle,
    encode_bundle,
    entry_bundles,
    new_tiles,
    parse_tile_path,
)
from notary.merkle.tree import CompactRange, root_of

# How many files there are, so that a folder that is empty or cut short fails.
INCLUSION_PROBES = 53
CONSISTENCY_PROBES = 43
LOG_FILES = 30
LOG_SIZE = 15


def probes(folder):
    found = {path.relative_to(folder): json.loads(path.read_bytes()) for path in folder.rglob("*.json")}
    for probe in found.values():
        for name in {"root", "root1", "root2", "leafHash"} & probe.keys():
            probe[name] = base64.b64decode(probe[name] or "")
        probe["proof"] = [base64.b64decode(digest) for digest in probe["proof"] or ()]
    return found


def accepts(check, *arguments):
    try:
        check(*arguments)
    except ProofError:
        return False
    return True


def test_every_inclusion_probe_is_judged_as_published(vectors):
    found = probes(vectors / "merkle-proofs" / "inclusion")
    wrong = [
        name
        for name, probe in found.items()
        if accepts(
            check_inclusion,
            probe["leafHash"],
            probe["leafIdx"],
            probe["treeSize"],
            probe["proof"],
            probe["root"],
        )
        == probe["wantErr"]
    ]
    assert wrong == []
    assert [probe["wantErr"] for probe in found.values()].count(False) == 4
    assert len(found) == INCLUSION_PROBES


def test_every_consistency_probe_is_judged_as_published(vectors):
    found = probes(vectors / "merkle-proofs" / "consistency")
    wrong = [
        name
        for name, probe in found.items()
        if accepts(
            check_consistency,
            probe["size1"],
            probe["size2"],
            probe["proof"],
            probe["root1"],
            probe["root2"],
        )
        == probe["wantErr"]
    ]
    assert wrong == []
    assert [probe["wantErr"] for probe in found.values()].count(False) == 3
    assert len(found) == CONSISTENCY_PROBES


@pytest.fixture(scope="module")
def log(vectors):
    return vectors / "tessera-log"


@pytest.fixture(scope="module")
def leaf_hashes(log):
    bundle = (log / Bundle(0, LOG_SIZE).path()).read_bytes()
    return hash_leaves(decode_bundle(bundle, LOG_SIZE))


def signed_root(log, size):
    _, size_line, root, *_ = (log / f"checkpoint.{size}").read_text(encoding="utf-8").split("\n")
    assert int(size_line) == size
    return base64.b64decode(root, validate=True)


def test_every_historic_root_is_reproduced(log, leaf_hashes):
    assert len(list(log.glob("checkpoint.*"))) == LOG_SIZE + 1
    assert (log / "checkpoint").read_bytes() == (log / "checkpoint.15").read_bytes()
    assert signed_root(log, 0) == EMPTY_ROOT
    for size in range(LOG_SIZE + 1):
        root = signed_root(log, size)
        assert root_of(leaf_hashes[:size]) == root
        assert CompactRange().extended(leaf_hashes[:size]).root() == root
        assert append_tiles(0, leaf_hashes[:size], lambda _: b"")[1] == root


def test_every_file_of_the_log_is_made_byte_for_byte(log, leaf_hashes):
    files = {
        path.relative_to(log).as_posix(): path.read_bytes()
        for path in (log / "tile").rglob("*")
        if path.is_file()
    }
    entries = decode_bundle(files["tile/entries/000.p/15"], LOG_SIZE)
    made = {}
    for size in range(1, LOG_SIZE + 1):
        tiles, _ = append_tiles(size - 1, leaf_hashes[size - 1 : size], lambda tile: files[tile.path()])
        assert list(tiles) == new_tiles(size - 1, size) == [Tile(0, 0, size)]
        made |= {tile.path(): data for tile, data in tiles.items()}
        assert entry_bundles(size - 1, size) == [Bundle(0, size)]
        made[Bundle(0, size).path()] = encode_bundle(entries[:size])
    assert made == files
    assert all(parse_tile_path(path).path() == path for path in files)
    assert len(files) == LOG_FILES


def test_proofs_from_the_tiles_of_the_log_lead_to_its_signed_roots(log, leaf_hashes):
    def read(tile):
        return (log / tile.path()).read_bytes()

    for size in range(1, LOG_SIZE + 1):
        node = node_from_tiles(read, size)
        for index in range(size):
            path = inclusion_path(index, size, node)
            check_inclusion(leaf_hashes[index], index, size, path, signed_root(log, size))
            old = index + 1
            path = consistency_path(old, size, node)
            check_consistency(old, size, path, signed_root(log, old), signed_root(log, size))
