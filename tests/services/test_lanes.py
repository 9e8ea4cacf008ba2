"""Turns: so many at a time, the organisations one after another, and nothing is left behind."""

import asyncio
import threading

import pytest

from notary.services.lanes import Lanes


async def order_of(lanes, comers):
    """In which order those who come get their turn, when each keeps it for a moment."""
    order, most, at_work = [], 0, 0

    async def come(tenant):
        nonlocal most, at_work
        async with lanes.turn(tenant):
            order.append(tenant)
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0.001)
            at_work -= 1

    await asyncio.gather(*(come(tenant) for tenant in comers))
    return "".join(order), most


@pytest.mark.parametrize(
    ("most", "of_one", "comers", "order"),
    [
        (1, 1, "aaab", "abaa"),
        (1, 1, "aaabbc", "abcaba"),
        (2, 2, "aaaabb", "aabbaa"),
        (2, 1, "aaab", "abaa"),
    ],
)
def test_whoever_comes_with_many_lets_others_in_between(most, of_one, comers, order):
    lanes = Lanes(most, of_one)
    assert asyncio.run(order_of(lanes, comers)) == (order, min(most, len(set(comers)) * of_one))
    assert lanes._lanes == {}


def test_without_lanes_all_wait_for_all():
    """The control of the one above: a lane as wide as the road."""
    assert asyncio.run(order_of(Lanes(1, 9), "aaab"))[0] == "aaab"


def test_work_is_done_in_a_thread_and_what_it_raises_gives_the_turn_back():
    lanes = Lanes(1)

    def fails():
        raise ValueError(threading.current_thread().name)

    async def run():
        ran = await lanes.run(1, threading.get_ident)
        with pytest.raises(ValueError, match="thread"):
            await lanes.run(1, fails)
        return ran

    assert asyncio.run(run()) != threading.get_ident()
    assert lanes._lanes == {}


def test_who_leaves_while_he_waits_keeps_nobody_waiting():
    lanes = Lanes(1)

    async def run():
        gate = asyncio.Event()

        async def held():
            async with lanes.turn(1):
                await gate.wait()

        first, leaver, last = (asyncio.create_task(held()) for _ in range(3))
        await asyncio.sleep(0.01)
        leaver.cancel()
        gate.set()
        await asyncio.gather(first, last)

    asyncio.run(asyncio.wait_for(run(), 10))
    assert lanes._lanes == {}
