"""Head key and wallet in processes of their own anchor as keys in files do; nothing moves while they do not sign."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from notary.errors import LaneStopped, SignerUnavailable
from notary.signers import ExternalSigner
from tests.anchoring.local_chain import HEAD_KEY, STRANGER, WALLET
from tests.rig import ORIGIN

PROCESS = Path(__file__).parent / "signing_process.py"


def outside(account, form="der"):
    command = (sys.executable, str(PROCESS), account.key.hex().removeprefix("0x"), form)
    return ExternalSigner(account.address, command, 20.0)


@pytest.fixture
def anchor(chain):
    return replace(chain.anchor(chain.open(ORIGIN)), head_key=outside(HEAD_KEY), wallet=outside(WALLET))


def to_final(chain, log, advance):
    advance.step()
    (attempt,) = log.attempts(log.newest("test"))
    chain.receipt(bytes.fromhex(attempt.ref))
    chain.mine(2)
    advance.step()
    assert log.newest("test").state == "final"
    return attempt


def test_an_anchor_by_keys_that_never_come_here(chain, log, anchor):
    size = log.close()
    to_final(chain, log, log.advance(anchor))
    assert anchor.on_chain_head() == (size, log.head(size).root)


def test_a_head_key_that_does_not_sign_takes_no_nonce(chain, log, anchor):
    log.close()
    down = replace(anchor, head_key=outside(HEAD_KEY, "status"))
    for _ in range(2):
        with pytest.raises(SignerUnavailable, match=f"signer of {HEAD_KEY.address} ends with status 3"):
            log.advance(down).step()
        assert (log.one("test").state, log.attempts(log.one("test"))) == ("due", [])
    to_final(chain, log, log.advance(anchor))


def test_a_wallet_that_does_not_sign_is_taken_over_by_the_next_one(chain, log, anchor):
    down = replace(anchor, wallet=outside(WALLET, "status"))
    log.close()
    with pytest.raises(LaneStopped, match=f"signer of {WALLET.address} ends with status 3"):
        log.advance(down).step()
    assert (log.one("test").state, log.attempts(log.one("test"))) == ("due", [])
    advance = log.advance(down, reserves=[replace(anchor, wallet=outside(STRANGER))])
    assert to_final(chain, log, advance).lane == STRANGER.address
