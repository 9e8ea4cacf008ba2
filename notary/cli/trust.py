"""The trust file of this service."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from notary import wiring
from notary.anchoring.fields import octets, record
from notary.cli.folder import DataDir, settings_of
from notary.cli.key import rotating
from notary.errors import RequestError, SettingsError, TrustError
from notary.evidence.chain import decode_evidence, decode_header
from notary.evidence.fields import hexadecimal, show_moment
from notary.evidence.ots_file import heights_of
from notary.evidence.package import read_package
from notary.outbound import Outbound
from notary.services.fetching import fetch_trust
from notary.settings import Settings
from notary.wiring.headers import bitcoin_headers
from notary.wiring.nodes import nodes_of

Packages = Annotated[
    list[Path] | None,
    typer.Option(
        help="Also name the blocks of this package's anchors, as the chain's node says they are.",
        exists=True,
        dir_okay=False,
    ),
]
_ALONE = (
    "--from and --fingerprint go together, and with no other option but --allow-private and --accept-newer"
)


def command(
    data_dir: DataDir = None,
    block: Annotated[
        list[int] | None, typer.Option(help="Also name this block, as the chain's node says it is.")
    ] = None,
    package: Packages = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Sign, log and publish it as a trust statement, if it is new.")
    ] = False,
    source: Annotated[
        str | None, typer.Option("--from", help="Address of a service: take its trust file, not one's own.")
    ] = None,
    fingerprint: Annotated[
        str | None,
        typer.Option(help="SHA-256 of the newest version of that trust statement, from elsewhere."),
    ] = None,
    newer: Annotated[
        bool,
        typer.Option(
            "--accept-newer",
            help="With --from: a version after the one with the fingerprint, on its keys' word.",
        ),
    ] = False,
    private: Annotated[
        bool, typer.Option("--allow-private", help="With --from: loopback and private addresses, too.")
    ] = False,
) -> None:
    """Print the trust file of this service. Verifiers must compare it with another source."""
    if source is not None or fingerprint is not None:
        if source is None or fingerprint is None or publish or block or package:
            raise RequestError(_ALONE)
        _fetch(source, fingerprint, private=private, newer=newer)
    elif publish:
        _publish(settings_of(data_dir))
    else:
        _print_own(settings_of(data_dir), block or [], package or [])


def _print_own(settings: Settings, numbers: Sequence[int], packages: Sequence[Path]) -> None:
    """The trust file by the settings, with blocks of the first chain and those that packages are anchored in."""
    wanted = {place for path in packages for place in _blocks(path)}
    first = settings.chains[0].chain_id if settings.chains else 0
    wanted |= {(first, number) for number in numbers}
    heights = {height for path in packages for height in _heights(path)}
    assembly = wiring.build(settings, working=False)
    try:
        blocks = [_ask_block(settings, chain_id, number) for chain_id, number in sorted(wanted)]
        sys.stdout.write(assembly.trust.file(blocks, bitcoin_headers(settings, heights)))
    finally:
        assembly.close()


def _ask_block(settings: Settings, chain_id: int, number: int) -> tuple[int, int, bytes]:
    """Chain, number and hash (32 bytes) of a block, by the word of that chain's first node."""
    chain = next((chain for chain in settings.chains if chain.chain_id == chain_id), None)
    if chain is None:
        raise SettingsError(f"no node of chain {chain_id} is named for block {number}: set NOTARY_CHAINS")
    node, *_ = nodes_of(chain, settings)
    node.require_chain()
    found = record(node.ask("eth_getBlockByNumber", hex(number), False))
    return chain_id, number, octets(found.get("hash"), 32)


def _fetch(url: str, fingerprint: str, *, private: bool, newer: bool) -> None:
    found = fetch_trust(
        Outbound(allow_private=private).get, url, hexadecimal(fingerprint.lower(), "--fingerprint", 32)
    )
    newest, pinned = found.newest, found.pinned
    if not found.compared:
        keys = " and ".join(key.vkey for key in found.heirs)
        warning = (
            f"the fingerprint is that of version {pinned.version}; versions {pinned.version + 1} to {newest.version} "
            f"rest on {keys} of version {pinned.version} alone: whoever has that key can sign others"
        )
        if not newer:
            raise TrustError(
                f"{warning}. Compare the newest one's, {newest.fingerprint.hex()}, with a source of its own and "
                f"give that, or take it with --accept-newer"
            )
        typer.echo(warning, err=True)
    sys.stdout.write(newest.toml)
    typer.echo(
        f"trust statement {newest.version} of {newest.origin}, {show_moment(newest.date)}, "
        f"SHA-256 {newest.fingerprint.hex()}",
        err=True,
    )


def _publish(settings: Settings) -> None:
    with rotating(settings) as service:
        service.wait_closed()
        service.publish()
        newest = service.trust.published()  # now or before
    typer.echo(f"trust statement {newest.version}, SHA-256 {newest.fingerprint.hex()}")


def _heights(path: Path) -> set[int]:
    with path.open("rb") as stream:
        files = read_package(stream).files
    return {height for name, data in files.items() if name.endswith(".ots") for height in heights_of(data)}


def _blocks(path: Path) -> list[tuple[int, int]]:
    """Chain and number only: a package's own word for a hash would be worth nothing."""
    with path.open("rb") as stream:
        files = read_package(stream).files
    anchors = [decode_evidence(data) for name, data in files.items() if name.endswith("/anchor.json")]
    return [(each.chain_id, decode_header(each.header, each.profile).number) for each in anchors]
