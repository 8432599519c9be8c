"""Packages on a host: brought once, held while sandboxes use them, evicted afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from emberd.wire.errors import NotFoundError, UnavailableError
from sandbox.artifacts import CACHE_BYTES_MAX, CodeCache
from sandbox.foldercache import FolderCache
from sandbox.work import RefusedError, Revision
from tests.fakes.archives import FILE, archive, package

CODE = package(b"code = 1\n")
ONE = archive(("python/tool.py", b"1", FILE), ("python/one.py", b"1", FILE))
TWO = archive(("python/tool.py", b"22", FILE))


def digest(content):
    return hashlib.sha256(content).hexdigest()


REVISION = Revision(
    revision_id="rev-1",
    function_name="f",
    version="$LATEST",
    function_arn="arn",
    runtime_id="python3.12",
    handler="app.handler",
    artifact_id=digest(CODE),
    artifact_size_bytes=len(CODE),
    memory_size_mb=128,
    ephemeral_storage_mb=512,
    timeout_s=3,
    environment={},
    region="us-east-1",
    account_id="000000000000",
)


def with_layers(*packages):
    return replace(REVISION, layers=tuple(digest(each) for each in packages))


@dataclass
class Store:
    """The control plane's side: what it has, and what was asked of it."""

    packages: dict[str, bytes] = field(
        default_factory=lambda: {digest(each): each for each in (CODE, ONE, TWO)}
    )
    asked: list[str] = field(default_factory=list)

    async def fetch(self, artifact_id):
        self.asked.append(artifact_id)
        if artifact_id not in self.packages:
            raise NotFoundError(f"{artifact_id} is not here", reason="ARTIFACT_NOT_FOUND")
        yield self.packages[artifact_id]


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def opened(tmp_path, store):
    """Opens the cache, or opens it again as after a restart."""
    executor = ThreadPoolExecutor(1)

    def get(bytes_max=CACHE_BYTES_MAX):
        cache = CodeCache(
            tmp_path / "code", store.fetch, executor, disk_reserve_bytes=0, bytes_max=bytes_max
        )
        cache.open()
        return cache

    yield get
    executor.shutdown()


async def test_without_layers_there_is_only_code(opened):
    folders = await opened().take(REVISION)
    assert (folders.code / "app.py").read_text() == "code = 1\n"
    assert folders.layers is None


async def test_one_layer_is_its_own_folder(opened):
    folders = await opened().take(with_layers(ONE))
    assert folders.layers is not None
    assert folders.layers.name == f"{digest(ONE)}.code"
    assert (folders.layers / "python/one.py").read_text() == "1"


async def test_of_several_layers_the_later_one_covers_the_earlier(opened):
    cache = opened()
    up = await cache.take(with_layers(ONE, TWO))
    down = await cache.take(with_layers(TWO, ONE))
    assert (up.layers / "python/tool.py").read_text() == "22"
    assert (down.layers / "python/tool.py").read_text() == "1"
    assert (up.layers / "python/one.py").read_text() == "1"
    assert sorted(cache.artifact_ids) == sorted(map(digest, (CODE, ONE, TWO)))


async def test_everything_is_brought_once_whoever_asks(opened, store):
    cache = opened()
    takes = [cache.take(with_layers(ONE, TWO)) for _ in range(5)]
    found = await asyncio.gather(*takes)
    assert len({each.layers for each in found}) == 1
    assert sorted(store.asked) == sorted(map(digest, (CODE, ONE, TWO)))


async def test_another_life_finds_packages_and_merged_layers(opened, store):
    first = await opened().take(with_layers(ONE, TWO))
    store.packages.clear()
    again = await opened().take(with_layers(ONE, TWO))
    assert again == first


async def test_what_was_left_half_done_is_removed(opened, tmp_path):
    opened()
    half = tmp_path / "code" / "x.opt.unfinished"
    half.mkdir()
    (tmp_path / "code" / "y.zip").write_bytes(b"")
    opened()
    assert list((tmp_path / "code").iterdir()) == []


async def test_a_layer_that_cannot_be_fetched_refuses_the_attempt(opened, store):
    del store.packages[digest(TWO)]
    with pytest.raises(RefusedError, match="cannot be fetched"):
        await opened().take(with_layers(ONE, TWO))


async def test_a_damaged_layer_refuses_the_attempt(opened, store):
    store.packages[digest(TWO)] = ONE
    with pytest.raises(RefusedError, match="damaged"):
        await opened().take(with_layers(ONE, TWO))


async def test_what_is_being_evicted_is_brought_anew_beside_it(tmp_path):
    def making(text):
        async def make(folder):
            folder.mkdir()
            (folder / "file").write_text(text)
            return 1

        return make

    async def until(true):
        for _ in range(1_000):
            if true():
                return
            await asyncio.sleep(0)

    goes_on = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        cache = FolderCache(tmp_path, executor, bytes_max=1)
        await cache.ensure("a", making("old"))
        executor.submit(goes_on.wait)
        evicting = asyncio.create_task(cache.ensure("b", making("other")))
        await until(lambda: "a" not in cache)
        with cache.holding(["a"]):
            anew = asyncio.create_task(cache.ensure("a", making("new")))
            await until(lambda: "a" in cache)
            goes_on.set()
            await asyncio.gather(evicting, anew)
        assert (tmp_path / "a" / "file").read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


async def test_what_is_held_stays_and_the_rest_makes_room(opened, store):
    cache = opened(bytes_max=1)
    held = await cache.take(with_layers(ONE, TWO))
    await use_another(cache, store, b"other = 1\n")
    assert (held.layers / "python/one.py").read_text() == "1"
    assert held.code.exists()
    cache.give_back(held)
    await use_another(cache, store, b"third = 1\n")
    assert not held.layers.exists()
    assert not held.code.exists()


async def use_another(cache, store, source):
    content = package(source)
    store.packages[digest(content)] = content
    cache.give_back(await cache.take(replace(REVISION, artifact_id=digest(content))))


WASM = replace(REVISION, runtime_id="wasm", handler="main.wasm")


@dataclass
class Press:
    """A compiler that counts what it is asked for, and is let go by the test."""

    free: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    runs: int = 0
    failure: UnavailableError | None = None

    def name_of(self, revision, code, layers):
        return code.name.removesuffix(".code")

    async def is_worthwhile(self, runtime_id, code, layers):
        return True

    async def compile(self, revision, code, layers, target):
        self.runs += 1
        self.begun.set()
        await self.free.wait()
        if self.failure is not None:
            raise self.failure
        target.mkdir()
        (target / "compiled").write_bytes(b"code")
        return 4


async def test_whoever_needs_a_compiled_package_waits_for_the_same_one(opened):
    cache, press = opened(), Press()
    cache.compile_with(press)
    waiting = [asyncio.create_task(cache.make_ready(WASM)) for _ in range(3)]
    await press.begun.wait()
    assert not any(each.done() for each in waiting)
    press.free.set()
    await asyncio.gather(*waiting)
    await cache.make_ready(WASM)
    assert press.runs == 1
    folders = await cache.take(WASM)
    assert folders.bytecode is not None
    assert (folders.bytecode / "compiled").read_bytes() == b"code"


async def test_what_cannot_be_compiled_is_ready_without(opened):
    cache = opened()
    press = Press(failure=UnavailableError("it took too long", reason="SERVICE"))
    press.free.set()
    cache.compile_with(press)
    for _ in range(2):
        await cache.make_ready(WASM)
    assert press.runs == 1
    assert (await cache.take(WASM)).bytecode is None


async def test_compiled_code_that_was_evicted_is_compiled_again(opened):
    cache, press = opened(bytes_max=1), Press()
    press.free.set()
    cache.compile_with(press)
    for _ in range(2):
        await cache.make_ready(WASM)
        # Another package takes its room.
        cache.give_back(await cache.take(replace(REVISION, artifact_id=digest(ONE))))
    await cache.close()
    assert press.runs == 2


async def test_nobody_waits_for_a_python_package_to_be_compiled(opened, store):
    cache, press = opened(), Press()
    cache.compile_with(press)
    await cache.make_ready(REVISION)
    assert store.asked == []
    assert press.runs == 0
