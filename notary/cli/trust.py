"""The trust file of this service."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from notary import wiring
from notary.anchoring.rpc import octets, record
from notary.cli.folder import DataDir, settings_of
from notary.evidence.chain import decode_evidence, decode_header
from notary.evidence.package import read_package
from notary.wiring.nodes import nodes_of


def command(
    data_dir: DataDir = None,
    block: Annotated[
        list[int] | None, typer.Option(help="Also name this block, as the chain's node says it is.")
    ] = None,
    package: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also name the blocks of this package's anchors, as the chain's node says they are.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Print the trust file of this service. Verifiers must compare it with another source."""
    settings = settings_of(data_dir)
    numbers = [*(block or []), *(number for path in package or [] for number in _blocks(path))]
    assembly = wiring.build(settings, working=False)
    try:
        blocks = []
        for number in sorted(set(numbers)):
            chain = settings.chains[0]
            node, *_ = nodes_of(chain)
            node.require_chain()
            found = record(node.ask("eth_getBlockByNumber", hex(number), False))
            blocks.append((chain.chain_id, number, octets(found.get("hash"), 32)))
        sys.stdout.write(assembly.trust.file(blocks))
    finally:
        assembly.close()


def _blocks(path: Path) -> list[int]:
    """Numbers only: a package's own word for a hash would be worth nothing."""
    with path.open("rb") as stream:
        files = read_package(stream).files
    anchors = [decode_evidence(data) for name, data in files.items() if name.endswith("/anchor.json")]
    return [decode_header(each.header, each.profile).number for each in anchors]
