"""`notary verify --node, --explorer`: what those say of a block whom the verifier names on his own command line.

The only way of this command to a network, taken only where it is asked for, and by the one client of `outbound`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from notary.cli.plain import plain
from notary.errors import RequestError, SettingsError, ToolMissing, Unavailable
from notary.evidence.asked import BlockAnswer, WantedBlock

if TYPE_CHECKING:
    from notary.outbound import Outbound

MAX_BLOCKS = 32  # that are asked for: the evidence says how many it has
MAX_ANSWER = 4 * 2**20  # bytes; a block without its transactions, whose hashes it lists
_MAX_REASON = 200
_HASH = re.compile("0x[0-9a-fA-F]{64}")
_QUANTITY = re.compile("0x[0-9a-fA-F]{1,64}")
_GET_BLOCK = "eth_getBlockByNumber"


class Source(Protocol):
    """Somebody who can be asked for a block."""

    name: str  # without what may be a key in its URL

    def block(self, wanted: WantedBlock) -> Any:
        """The block of that chain and number, in JSON-RPC's form, or None.

        Raises:
            Unavailable: no answer, or it is of another chain.
        """


@dataclass(slots=True)
class Node:
    """An endpoint of Ethereum's JSON-RPC; Blockscout's `/api/eth-rpc` is one, too."""

    url: str
    name: str
    outbound: "Outbound"
    chain_id: int | None = None  # once it has said so

    def block(self, wanted: WantedBlock) -> Any:
        """As `Source`."""
        if self.chain_id is None:
            self.chain_id = _quantity(self._call("eth_chainId"))
        if self.chain_id != wanted.chain_id:
            raise Unavailable(f"it is of chain {self.chain_id}, the block of chain {wanted.chain_id}")
        return self._call(_GET_BLOCK, hex(wanted.number), False)

    def _call(self, method: str, *params: Any) -> Any:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return _result(
            self.outbound.post(self.url, json.dumps(question).encode(), "application/json", MAX_ANSWER)
        )


@dataclass(slots=True)
class Explorer:
    """An explorer whose API is like Etherscan's: the same question, in a URL. The chain is the URL's to name."""

    url: str
    name: str
    outbound: "Outbound"

    def block(self, wanted: WantedBlock) -> Any:
        """As `Source`."""
        parts = urlsplit(self.url)
        named = parse_qsl(parts.query, keep_blank_values=True)
        for chain in (value for name, value in named if name == "chainid"):
            if chain != str(wanted.chain_id):
                raise Unavailable(f"its URL is for chain {chain}, the block is of chain {wanted.chain_id}")
        asked = {
            "chainid": str(wanted.chain_id),  # Etherscan's second version serves many chains by one address
            "module": "proxy",
            "action": _GET_BLOCK,
            "tag": hex(wanted.number),
            "boolean": "false",
        }
        # Of two values of one name some servers take the first and some the last.
        query = urlencode([*((name, value) for name, value in named if name not in asked), *asked.items()])
        found = self.outbound.get(urlunsplit(parts._replace(query=query)), MAX_ANSWER)
        if found is None:
            raise Unavailable("there is no such API at this address")
        return _result(found)


def sources_of(nodes: Sequence[str], explorers: Sequence[str], *, allow_private: bool) -> list[Source]:
    """Who is to be asked; nobody yet is.

    Raises:
        RequestError: a URL that may not be asked.
        ToolMissing: the part that speaks to a network is not installed.
    """
    if not nodes and not explorers:
        return []
    try:
        from notary.outbound import Outbound, check_url  # noqa: PLC0415 - the base package has no way to a network
    except ModuleNotFoundError as error:
        raise ToolMissing(
            "--node and --explorer ask over the network, which the base package cannot: install notary[server]"
        ) from error
    outbound = Outbound(allow_private=allow_private)
    found: list[Source] = []
    for kind, urls, make in (("node", nodes, Node), ("explorer", explorers, Explorer)):
        for url in urls:
            try:
                parts = check_url(url)
            except SettingsError as error:
                raise RequestError(f"--{kind}: {error}") from error
            if parts.scheme != "https" and not allow_private:
                # Whoever stands between could answer what he likes.
                raise RequestError(
                    f"--{kind}: give an https URL; with --allow-private also http, this machine and private networks"
                )
            found.append(make(url, f"{kind} {_host(parts)}", outbound))
    return found


def ask(sources: Sequence[Source], blocks: Iterable[WantedBlock]) -> list[BlockAnswer]:
    """What each says of the first 32 of the blocks. Whatever goes wrong is an answer without a hash, and a sentence."""
    return [_ask(source, block) for block in islice(blocks, MAX_BLOCKS) for source in sources]


def _ask(source: Source, wanted: WantedBlock) -> BlockAnswer:
    try:
        found, trouble = _hash_of(source.block(wanted), wanted.number), ""
    except Unavailable as error:
        found, trouble = None, plain(str(error))
    except UnicodeError:  # of a name with an empty label, or one that is too long
        found, trouble = None, "its name cannot be resolved"
    return BlockAnswer(wanted.chain_id, wanted.number, found, source.name, trouble)


def _hash_of(block: Any, number: int) -> bytes:
    if block is None:
        raise Unavailable("it does not have this block")
    if not isinstance(block, dict) or _quantity(block.get("number")) != number:
        raise Unavailable("its answer is not the block that was asked for")
    found = block.get("hash")
    if not isinstance(found, str) or not _HASH.fullmatch(found):
        raise Unavailable("its answer has no hash of the block")
    return bytes.fromhex(found[2:])


def _result(data: bytes) -> Any:
    """The result of a JSON-RPC answer; explorers put their own refusals in its place, as text."""
    try:
        reply: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unavailable("its answer is not JSON") from error
    failure = reply.get("error") if isinstance(reply, dict) else "not JSON-RPC"
    if failure is None and "result" in reply and "status" not in reply:
        return reply["result"]
    reason = failure.get("message") if isinstance(failure, dict) else failure or reply.get("result")
    raise Unavailable(f"it refuses to answer: {str(reason)[:_MAX_REASON]}")


def _quantity(value: Any) -> int:
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Unavailable("its answer is not a number where it must be")
    return int(value, 16)


def _host(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    return host if parts.port is None else f"{host}:{parts.port}"
