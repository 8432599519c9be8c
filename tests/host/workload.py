"""Runs inside a sandbox: what ordinary functions do, to show that the system call filter lets them.

Prints the names of the parts that did not work, as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import io
import json
import mmap
import multiprocessing
import os
import selectors
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, "/var/task")
os.chdir(tempfile.mkdtemp())

SHELL = """
set -e
echo x > a; cp a b; mv b c; ln -s c l; mkdir -p d/e; rmdir d/e; chmod 600 c; touch t
ls -laR / > /dev/null 2>&1 || true
sort a | uniq | head -1 | tail -1 | grep x > /dev/null
date; id; uname -a; stat c; df .; du .; env; sleep 0.01; wc -c c; cat c | tr x y
timeout 1 true; nice true; dd if=/dev/zero of=z bs=1k count=2 2> /dev/null; truncate -s 1M z
sha256sum z; mkfifo p; mktemp; readlink l; tee u < /dev/null; rm -r d; (exit 0) & wait
"""


def shell():
    done = subprocess.run(["/bin/sh", "-c", SHELL], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr


def files():
    with open("f", "w+b") as file:
        file.truncate(4096)
        os.fsync(file.fileno())
        os.posix_fallocate(file.fileno(), 0, 8192)
        with mmap.mmap(file.fileno(), 4096) as area:
            area[:3] = b"abc"
            area.flush()
        os.sendfile(os.memfd_create("m"), file.fileno(), 0, 3)
    os.link("f", "g")
    shutil.copytree(".", "copy", ignore=shutil.ignore_patterns("copy", "p"))
    shutil.rmtree("copy")
    os.setxattr("f", "user.x", b"1")


def threads():
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: n * n, range(100))) == 328350
    done = threading.Event()
    threading.Timer(0.01, done.set).start()
    assert done.wait(2)


def processes():
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        ours, theirs = context.Pipe()
        child = context.Process(target=theirs.send, args=(1,))
        child.start()
        assert ours.recv() == 1
        child.join()


def event_loop():
    async def talk():
        server = await asyncio.start_server(lambda _, w: w.close(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
        program = await asyncio.create_subprocess_exec("true")
        assert await program.wait() == 0
        await asyncio.to_thread(time.sleep, 0.001)

    asyncio.run(talk())


def sockets():
    ssl.create_default_context()
    left, right = socket.socketpair()
    socket.send_fds(left, [b"x"], [0])
    socket.recv_fds(right, 1, 1)
    with selectors.DefaultSelector() as selector:
        selector.register(right, selectors.EVENT_READ)
        selector.select(0)
    with contextlib.suppress(OSError):
        socket.getaddrinfo("example.invalid", 80)


def database():
    with sqlite3.connect("d.db") as db:
        db.execute("pragma journal_mode=wal")
        db.execute("create table t(a)")
        db.execute("insert into t values(1)")
    db.close()


def signals():
    caught = []
    signal.signal(signal.SIGALRM, lambda *_: caught.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.pause()
    assert caught


def cryptography():
    from cryptography.fernet import Fernet

    box = Fernet(Fernet.generate_key())
    assert box.decrypt(box.encrypt(b"x")) == b"x"


def pictures():
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (800, 600), "red").resize((80, 60)).save(picture, "JPEG")
    assert Image.open(picture).size == (80, 60)


def numbers():
    import numpy

    table = numpy.random.rand(300, 300)
    assert numpy.allclose(table @ numpy.linalg.inv(table), numpy.eye(300), atol=1e-6)
    numpy.save("a.npy", table)
    assert numpy.load("a.npy", mmap_mode="r").shape == (300, 300)


PARTS = [shell, files, threads, processes, event_loop, sockets, database, signals]
NATIVE = {"cryptography": cryptography, "PIL": pictures, "numpy": numbers}


def main():
    failed = {}
    native = [part for name, part in NATIVE.items() if importlib.util.find_spec(name)]
    for part in [*PARTS, *native]:
        try:
            part()
        except BaseException as error:  # told to the test, whatever it is
            failed[part.__name__] = repr(error)
    print(json.dumps({"native": len(native), "failed": failed}), flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
