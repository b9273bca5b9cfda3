from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from central.web import live
from central.web.live import Hub, TooManyFollowers


async def read(stream: AsyncIterator[bytes], count: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < count:
        found.append(await asyncio.wait_for(anext(stream), 10))
    return found


def test_a_page_is_told_which_zones_have_news(hub: Hub) -> None:
    async def follow() -> list[bytes]:
        stream = hub.stream()
        said = await read(stream, 1)
        threading.Thread(target=lambda: [hub.tell(zone) for zone in ("nz02", "nz01", "nz02")]).start()
        while b"nz01" not in b"".join(said) or b"nz02" not in b"".join(said):
            said += await read(stream, 1)
        return said

    said = asyncio.run(follow())
    assert said[0] == b"retry: 2000\n\n"
    assert all(one.startswith(b'event: changed\ndata: {"zones":[') for one in said[1:])


def test_news_that_a_slow_page_has_not_read_are_one_message(hub: Hub) -> None:
    async def follow() -> list[bytes]:
        stream = hub.stream()
        await read(stream, 1)
        for _ in range(1000):
            hub.tell("nz01")
        await asyncio.sleep(0)
        hub.tell("nz02")
        return await read(stream, 1)

    assert asyncio.run(follow()) == [b'event: changed\ndata: {"zones":["nz01","nz02"]}\n\n']


def test_without_news_a_page_is_told_to_look_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TICK_S", 0.01)

    async def follow() -> list[bytes]:
        return await read(hub.stream(), 3)

    assert asyncio.run(follow())[1:] == [b"event: tick\ndata: {}\n\n"] * 2


def test_closing_ends_every_stream(hub: Hub) -> None:
    async def follow() -> list[bytes]:
        stream = hub.stream()
        await read(stream, 1)
        hub.close()
        return [one async for one in stream]

    assert asyncio.run(follow()) == []
    assert hub.followers == 0


def test_a_page_that_goes_away_is_forgotten(hub: Hub) -> None:
    async def follow() -> None:
        stream = hub.stream()
        await read(stream, 1)
        assert hub.followers == 1
        await stream.aclose()

    asyncio.run(follow())
    assert hub.followers == 0
    hub.tell("nz01")


def test_too_many_pages_are_refused_with_the_mend(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_FOLLOWERS", 2)

    async def follow() -> None:
        streams = [hub.stream() for _ in range(2)]
        for stream in streams:
            hub.admit()
            await read(stream, 1)
        with pytest.raises(TooManyFollowers, match="close some"):
            hub.admit()
        await streams[0].aclose()
        hub.admit()

    asyncio.run(follow())
