"""`notary dev`: the whole service in one process, with a local chain and a local TSA as its children.

Everything lies in one folder and goes on where it stopped. Its anchors prove nothing, and everything says so.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from notary import keys, wiring
from notary.anchoring.contract import deploy, open_log, read_head
from notary.anchoring.fields import quantity
from notary.anchoring.rpc import Node
from notary.api.app import create_app
from notary.api.quick import config
from notary.embedded import seal, tsa
from notary.embedded.anvil import Anvil
from notary.embedded.guard import alone_in, bound, until_signal
from notary.errors import Fatal, ToolMissing
from notary.settings import Settings
from notary.settings.anchors import Chain, Tsa
from notary.settings.loading import load_settings, named
from notary.store.connecting import open_database
from notary.store.inspections import give_all_back
from notary.store.migrate import migrate
from notary.worker import Worker

ORIGIN = "localhost/notary-embedded"
CHAIN_ID = 31337
OPERATOR = "notary embedded (proves nothing 无证明力)"
_CHAIN, _TSA = "local-chain", "local-tsa"
_FUNDS = 10**20  # wei; anvil gives what is asked for
_TSA_SECONDS = 20
_STORED = "embedded.json"
# Defaults in the place of what variables of another service may name.
_IN_THE_FOLDER: dict[str, Any] = dict.fromkeys(
    ("objects_url", "s3_endpoint", "s3_access_key_file", "s3_secret_key_file")
) | {"ots": (), "former_tsas": (), "stamps_needed": 1}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Children:
    """The local chain and TSA, and where they listen."""

    chain_url: str
    tsa_url: str


def run(folder: Path, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP; then stop the API, the worker and the children, in this order.

    Raises:
        SettingsError: the address is taken, or another service runs in `folder`.
        ToolMissing: anvil or openssl is not installed.
        Fatal: the state of the log is unclear.
    """
    # Whatever can be refused is refused before anything is started or written.
    with until_signal(), bound(host, port) as listener, children(folder) as found:
        settings = configure(folder, found, host, listener.getsockname()[1])
        ignored = sorted(named() & _values(folder, found, None, host, 0).keys())
        if ignored:
            _log.warning("this service goes by settings of its own, and by none of these", ignored=ignored)
        serve(settings, listener, ready)


@contextlib.contextmanager
def children(folder: Path) -> Iterator[Children]:
    """Start both children, and stop both when the block ends.

    Raises:
        SettingsError: another service runs in `folder`; starting here would end its chain.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(alone_in(folder))
        tsa_url = stack.enter_context(_running_tsa(folder / "tsa"))
        chain = Anvil(folder / "chain", _free_port(), CHAIN_ID)
        stack.callback(chain.stop)
        chain.start()
        yield Children(chain.url, tsa_url)


def configure(folder: Path, found: Children, host: str = "127.0.0.1", port: int = 8000) -> Settings:
    """Settings of the embedded service; on the first call make keys, contract and log."""
    if not (folder / "keys").exists():
        keys.create(folder / "keys")
    settings = _settings(folder, found, None, host, port)
    database = open_database(settings.database_url)
    migrate(database)
    with database.writing() as connection:
        give_all_back(connection)  # what an earlier process of this folder took: it is gone
    database.dispose()
    contract, log_id = _contract(folder, settings, found)
    settings = _settings(folder, found, f"0x{contract.hex()}", host, port)
    anchored = partial(read_head, Node(found.chain_url, CHAIN_ID), contract, log_id)
    wiring.open_new_log(settings, CHAIN_ID, contract, log_id, anchored)
    return settings


def stored_settings(folder: Path) -> Settings | None:
    """Settings of an embedded service as it last ran in `folder`; None where there was none."""
    stored = _read(folder / _STORED)
    if stored is None:
        return None
    found = Children(stored["chain_url"], stored["tsa_url"])
    return _settings(folder, found, f"0x{stored['contract']}", "127.0.0.1", 8000)


def serve(settings: Settings, listener: socket.socket, ready: Callable[[str], None]) -> None:
    """API and worker in this process, until a signal or a fatal error.

    Raises:
        Fatal: a step found the state of the log unclear.
    """
    assembly = wiring.build(settings)
    fatal: list[Fatal] = []

    def stop(error: Fatal) -> None:
        fatal.append(error)
        server.should_exit = True

    server = uvicorn.Server(config(create_app(assembly.services, stop)))
    worker = Worker(assembly.steps, beat=assembly.beat)

    def work() -> None:
        try:
            worker.run()
        except Fatal as error:
            stop(error)

    thread = threading.Thread(target=work, name="worker")
    signal.signal(signal.SIGHUP, server.handle_exit)  # of the others the server takes care itself
    try:
        thread.start()
        ready(settings.public_url)
        server.run([listener])
    finally:
        worker.stop.set()
        if thread.is_alive():
            thread.join()
        assembly.close()
    if fatal:
        raise fatal[0]


def on_signal(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop())


def _settings(folder: Path, found: Children, contract: str | None, host: str, port: int) -> Settings:
    return load_settings(**_values(folder, found, contract, host, port))


def _values(folder: Path, found: Children, contract: str | None, host: str, port: int) -> dict[str, Any]:
    """Everything is in the folder: no database, bucket or key that variables of another service name is touched."""
    chain = Chain(
        name=_CHAIN, rpc_urls=(found.chain_url,), chain_id=CHAIN_ID, contract=contract, profile="anvil"
    )
    authority = Tsa(
        name=_TSA,
        organisation="Embedded test TSA (proves nothing)",
        url=found.tsa_url,
        roots=(folder / "tsa" / tsa.ROOT,),
        policies=(tsa.POLICY,),
    )
    certificates, key = seal.prepare(folder / "seal")
    return _IN_THE_FOLDER | {
        "data_dir": folder,
        "database_url": f"sqlite:///{folder / 'notary.db'}",
        "log_key": folder / "keys" / "log.pem",
        "receipt_key": folder / "keys" / "receipt.pem",
        "head_key": folder / "keys" / "head.key",
        "wallet_key": folder / "keys" / "wallet.key",
        "temp_dir": folder / "spool",
        "origin": ORIGIN,
        "operator": OPERATOR,
        "embedded": True,
        "host": host,
        "port": port,
        "public_url": f"http://{f'[{host}]' if ':' in host else host}:{port}",
        "chains": (chain,),
        "tsas": (authority,),
        "allow_private_addresses": True,
        "seal_certificates": certificates,
        "seal_key": key,
        "stamp_interval_seconds": 1,
        "revocation_interval_seconds": 1,
        "anchor_interval_seconds": 5,
        "poll_interval_seconds": 1,
        "not_before_margin_seconds": 1,  # chain, authority and service go by one clock
    }


def _contract(folder: Path, settings: Settings, found: Children) -> tuple[bytes, bytes]:
    """Address of the contract and log id: deployed and opened once, then read from the folder."""
    node = Node(found.chain_url, CHAIN_ID)
    wallet = keys.load_secp256k1(settings.wallet_key)
    head = keys.load_secp256k1(settings.head_key)
    _fund(node, wallet.address)
    stored = _read(folder / _STORED)
    contract = deploy(node, wallet) if stored is None else bytes.fromhex(stored["contract"])
    # Durable once it is at its name. A crash before it leaves a contract that nobody uses.
    draft = folder / f"{_STORED}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump({"contract": contract.hex(), "chain_url": found.chain_url, "tsa_url": found.tsa_url}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _STORED)
    return contract, open_log(
        node, wallet, contract, settings.origin, head.address, later=wiring.head_keys(settings)
    )


def _fund(node: Node, address: str) -> None:
    """Fill the wallet, unless it is full enough."""
    # Not at each start: a gift changes the state beside the blocks, and the chain then gives proofs of its newest
    # block that do not hold, for which an anchor in that block would have to wait.
    if quantity(node.ask("eth_getBalance", address, "latest")) < _FUNDS // 2:
        node.ask("anvil_setBalance", address, hex(_FUNDS))


def _read(path: Path) -> dict[str, str] | None:
    if not path.exists():
        return None
    stored: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return stored


@contextlib.contextmanager
def _running_tsa(folder: Path) -> Iterator[str]:
    tsa.prepare(folder)
    command = [
        sys.executable,
        "-m",
        "notary.embedded.tsa",
        "--dir",
        str(folder),
        "--port",
        "0",
        "--until-eof",
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            url = process.stdout.readline().strip()
            if not url:
                raise ToolMissing(
                    "the local time-stamping authority does not start; run it by hand to see why"
                )
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_TSA_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
