"""`notary dev`: the whole service in one process, with a local chain and a local TSA as its children.

Everything lies in one folder and goes on where it stopped. Its anchors prove nothing, and everything says so.
"""

import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog
import uvicorn

from notary import keys, wiring
from notary.anchoring.contract import deploy, open_log, read_head
from notary.anchoring.fields import quantity
from notary.anchoring.rpc import Node
from notary.api.app import create_app
from notary.api.quick import config
from notary.embedded.children import CHAIN_ID, Children, children
from notary.embedded.guard import bound, until_signal
from notary.embedded.own_settings import STORED, read_stored, settings_of, values_of
from notary.errors import Fatal
from notary.settings import Settings
from notary.settings.loading import named
from notary.store.connecting import open_database
from notary.store.inspections import give_all_back
from notary.store.migrate import migrate
from notary.worker import Worker

_FUNDS = 10**20  # wei; anvil gives what is asked for
_log = structlog.get_logger()


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
        ignored = sorted(named() & values_of(folder, found, None, host, 0).keys())
        if ignored:
            _log.warning("this service goes by settings of its own, and by none of these", ignored=ignored)
        serve(settings, listener, ready)


def configure(folder: Path, found: Children, host: str = "127.0.0.1", port: int = 8000) -> Settings:
    """Settings of the embedded service; on the first call make keys, contract and log."""
    if not (folder / "keys").exists():
        keys.create(folder / "keys")
    settings = settings_of(folder, found, None, host, port)
    database = open_database(settings.database_url)
    migrate(database)
    with database.writing() as connection:
        give_all_back(connection)  # what an earlier process of this folder took: it is gone
    database.dispose()
    contract, log_id = _contract(folder, settings, found)
    settings = settings_of(folder, found, f"0x{contract.hex()}", host, port)
    anchored = partial(read_head, Node(found.chain_url, CHAIN_ID), contract, log_id)
    wiring.open_new_log(settings, CHAIN_ID, contract, log_id, anchored)
    return settings


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


def _contract(folder: Path, settings: Settings, found: Children) -> tuple[bytes, bytes]:
    """Address of the contract and log id: deployed and opened once, then read from the folder."""
    node = Node(found.chain_url, CHAIN_ID)
    wallet = keys.load_secp256k1(settings.wallet_key)
    head = keys.load_secp256k1(settings.head_key)
    _fund(node, wallet.address)
    stored = read_stored(folder / STORED)
    contract = deploy(node, wallet) if stored is None else bytes.fromhex(stored["contract"])
    # Durable once it is at its name. A crash before it leaves a contract that nobody uses.
    draft = folder / f"{STORED}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump({"contract": contract.hex(), "chain_url": found.chain_url, "tsa_url": found.tsa_url}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / STORED)
    return contract, open_log(
        node, wallet, contract, settings.origin, head.address, later=wiring.head_keys(settings)
    )


def _fund(node: Node, address: str) -> None:
    """Fill the wallet, unless it is full enough."""
    # Not at each start: a gift changes the state beside the blocks, and the chain then gives proofs of its newest
    # block that do not hold, for which an anchor in that block would have to wait.
    if quantity(node.ask("eth_getBalance", address, "latest")) < _FUNDS // 2:
        node.ask("anvil_setBalance", address, hex(_FUNDS))
