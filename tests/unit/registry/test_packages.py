"""A package is refused unless it can be unpacked safely, and a good one is not."""

from __future__ import annotations

import io
import random
import stat
import struct
import tracemalloc
import zipfile
import zlib

import pytest

from controlplane.registry.packages import check_package
from emberd.wire.errors import InvalidArgumentError
from tests.fakes.archives import FILE, LINK, archive, package

COULD_NOT = "Could not unzip uploaded file. Please check your file, then try to upload again."


def check(content):
    return check_package(io.BytesIO(content))


def refusal(content):
    with pytest.raises(InvalidArgumentError) as refused:
        check(content)
    assert refused.value.reason == "INVALID_PARAMETER_VALUE"
    return refused.value.message


def directory_of(content):
    """Where the directory begins."""
    return content.rindex(b"PK\x05\x06") - struct.unpack_from("<L", content, len(content) - 10)[0]


def patched(content, offset, fmt, *values):
    changed = bytearray(content)
    struct.pack_into(fmt, changed, offset, *values)
    return bytes(changed)


def test_a_good_package_is_counted():
    content = archive(
        ("app.py", b"x = 1\n", FILE),
        ("./lib/", b"", stat.S_IFDIR | 0o755),
        ("lib/big.bin", bytes(1_000_000), FILE),
        ("lib/", b"", stat.S_IFDIR | 0o755),
        ("empty", b"", 0),
        ("bin/tool", b"#!/bin/sh\n", stat.S_IFREG | 0o4755),
        ("bin/link", b"../lib/big.bin", LINK),
        ("ünïcode/файл", b"text", FILE),
    )
    summary = check(content)
    assert (summary.entries, summary.unzipped_bytes) == (8, 6 + 1_000_000 + 10 + 14 + 4)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_both_methods_of_lambda_are_taken(method):
    noise = random.Random(1).randbytes(600_000)
    assert check(archive(("a", noise, FILE), method=method)).unzipped_bytes == 600_000


def test_an_archive_that_was_written_as_a_stream_is_taken():
    class Unseekable(io.RawIOBase):
        def __init__(self):
            self.content = b""

        def writable(self):
            return True

        def write(self, piece):
            self.content += bytes(piece)
            return len(piece)

    target = Unseekable()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as streamed:
        streamed.writestr("app.py", b"x = 1\n" * 100)
        with streamed.open("big", "w", force_zip64=True) as big:
            big.write(b"y" * 1_000)
    assert check(target.content).unzipped_bytes == 1_600


def test_an_archive_with_a_comment_or_with_bytes_in_front_is_taken():
    file = io.BytesIO(b"#!/bin/sh\nexec something\n")
    with zipfile.ZipFile(file, "a") as appended:
        appended.writestr("app.py", b"x")
        appended.comment = b"built by hand"
    assert check(file.getvalue()).entries == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"this is text, not an archive" * 10,
        b"\x1f\x8b\x08" + bytes(100),
        package()[:-1],
        package()[: len(package()) // 2],
        package()[10:-22] + bytes(22),
        package() + b"trailing",
    ],
)
def test_what_is_no_archive_is_refused_in_lambdas_words(content):
    assert refusal(content) == COULD_NOT


def test_an_archive_of_nothing_is_refused():
    assert refusal(archive()) == "Uploaded file must be a non-empty zip."


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../evil", "leaves the package"),
        ("a/../../evil", "leaves the package"),
        ("a/..", "leaves the package"),
        ("/etc/passwd", "absolute"),
        ("//etc/passwd", "absolute"),
        ("C:/evil", "absolute"),
        ("c:evil", "absolute"),
        ("a\\..\\evil", "backslash"),
        ("good.py\0.txt", "NUL"),
        ("", "empty"),
        (".", "package's own folder"),
        ("./", "package's own folder"),
        ("x" * 256, "longer than 255"),
        ("/".join(["x" * 200] * 25), "longer than 4095"),
        ("/".join("d" * 201), "deeper than 200 folders"),
    ],
)
def test_a_name_that_leaves_the_package_is_refused_by_name(name, why):
    message = refusal(archive(("app.py", b"", FILE), (name, b"x", FILE)))
    assert message.startswith(COULD_NOT + " Entry ")
    assert why in message


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("link", "/etc/passwd"),
        ("link", ".."),
        ("link", "../x"),
        ("a/b/link", "../../.."),
        ("a/link", "../a/../../x"),
        ("link", ""),
        ("link", "missing/../../x"),
        ("link", "a\0b"),
        ("link", "x" * 4096),
    ],
)
def test_a_link_that_leaves_the_package_is_refused(path, target):
    message = refusal(archive((path, target.encode(), LINK)))
    assert message.startswith(COULD_NOT + " Entry ")
    assert "link" in message


def test_a_link_that_leaves_the_package_only_by_way_of_another_link_is_refused():
    content = archive(
        ("a/b/c/up", b"../../../top", LINK),
        ("top", b"", FILE),
        # Read as text this stays inside; walked, it is the parent of the parent of /top.
        ("a/b/c/out", b"up/../..", LINK),
    )
    assert "'a/b/c/out' is a link that leaves the package" in refusal(content)


def test_links_that_go_in_circles_are_refused():
    assert "never ends" in refusal(archive(("a", b"b", LINK), ("b", b"a", LINK)))


@pytest.mark.parametrize("target", ["b", "./c/../b", "missing", "c/.//d"])
def test_links_inside_the_package_are_taken(target):
    content = archive(("a", target.encode(), LINK), ("b", b"x", FILE), ("c/d", b"y", FILE))
    assert check(content).entries == 3


@pytest.mark.parametrize(
    "mode", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, 0o170000]
)
def test_devices_pipes_and_sockets_are_refused(mode):
    message = refusal(archive(("odd", b"", mode | 0o644)))
    assert message == f"{COULD_NOT} Entry 'odd' is a device, a pipe or a socket."


def test_hard_links_are_refused():
    info = zipfile.ZipInfo("hard")
    info.external_attr = FILE << 16
    # The Unix field of the format: twelve bytes of times and ids, then the link's target.
    info.extra = struct.pack("<2H", 0x000D, 20) + bytes(12) + b"/etc/pwd"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(info, b"")
    assert "'hard' is a hard link or a device" in refusal(file.getvalue())


@pytest.mark.parametrize(
    "members",
    [
        [("a", FILE), ("a", FILE)],
        [("a", FILE), ("./a", FILE)],
        [("x/a", FILE), ("x//a", FILE)],
        [("a", FILE), ("a/", stat.S_IFDIR)],
        [("a/", stat.S_IFDIR), ("a", FILE)],
        [("a", FILE), ("a/b", FILE)],
        [("a/b", FILE), ("a", FILE)],
        [("a", LINK), ("a/b", FILE)],
        [("a", LINK), ("a", FILE)],
    ],
)
def test_a_name_that_is_used_twice_is_refused(members):
    content = archive(
        *((name, b"" if mode == stat.S_IFDIR else b"x", mode) for name, mode in members)
    )
    message = refusal(content)
    assert "is there twice" in message or "lies below" in message


def test_encrypted_entries_are_refused():
    content = package()
    directory = directory_of(content)
    content = patched(content, directory + 8, "<H", 1)
    assert "'app.py' is encrypted" in refusal(patched(content, 6, "<H", 1))


def test_an_entry_that_patches_another_file_is_refused():
    content = package()
    content = patched(content, directory_of(content) + 8, "<H", 0x20)
    assert "'app.py' is compressed patched data" in refusal(content)


def test_a_version_of_the_format_that_the_host_does_not_know_is_refused():
    content = package()
    assert "needs version 6.4" in refusal(patched(content, directory_of(content) + 6, "<H", 64))


def test_methods_that_the_host_may_not_know_are_refused():
    content = archive(("a", b"x" * 100, FILE), method=zipfile.ZIP_LZMA)
    assert "compressed by method 14" in refusal(content)


@pytest.mark.parametrize("claimed", [0, 10, 43, 45, 10_000])
def test_an_entry_that_lies_about_its_size_is_refused(claimed):
    content = package(b"x" * 44)
    directory = directory_of(content)
    lying = patched(patched(content, directory + 24, "<L", claimed), 22, "<L", claimed)
    assert f"has not the {claimed} bytes that it claims" in refusal(lying)


def test_a_size_that_matches_a_false_checksum_of_the_beginning_is_refused():
    content = package(b"x" * 44)
    directory = directory_of(content)
    for offset in (directory + 16, 14):
        content = patched(content, offset, "<L", zlib.crc32(b"x" * 10))
    for offset in (directory + 24, 22):
        content = patched(content, offset, "<L", 10)
    assert "has not the 10 bytes" in refusal(content)


def test_sizes_that_differ_between_directory_and_local_header_are_refused():
    assert refusal(patched(package(b"x" * 44), 22, "<L", 45)) == COULD_NOT


def test_names_that_differ_between_directory_and_local_header_are_refused():
    content = package()
    assert refusal(content.replace(b"app.py", b"bpp.py", 1)) == COULD_NOT


def test_a_flipped_bit_in_the_content_is_refused():
    content = bytearray(archive(("a", b"hello" * 10, FILE), method=zipfile.ZIP_STORED))
    content[content.index(b"hello")] ^= 1
    assert "'a' is damaged: its checksum is wrong" in refusal(bytes(content))


def test_entries_that_share_their_bytes_are_refused():
    """The trick of small archives that unpack to petabytes: many names for one body."""
    content = archive(("a", b"x" * 1000, FILE), ("b", b"x" * 1000, FILE))
    directory = directory_of(content)
    second = content.index(b"PK\x01\x02", directory + 4)
    body = content.index(b"PK\x03\x04", 4)
    assert struct.unpack_from("<L", content, second + 42)[0] == body
    shared = patched(content, second + 42, "<L", 0)
    shared = patched(shared, second + 46, "<c", b"a")
    assert "overlaps another" in refusal(shared)


def bomb(entries, size):
    return archive(*((f"f{number}", bytes(size), FILE) for number in range(entries)))


def test_more_than_250_mb_are_refused_by_what_they_claim():
    content = bomb(3, 1_000)
    directory = directory_of(content)
    assert content[directory:].count(b"PK\x01\x02") == 3
    for _ in range(3):
        directory = content.index(b"PK\x01\x02", directory)
        content = patched(content, directory + 24, "<L", 90_000_000)
        directory += 4
    assert refusal(content) == "Unzipped size must be smaller than 262144000 bytes"


def test_a_bomb_that_claims_little_is_stopped_at_what_it_claims():
    content = bomb(1, 20_000_000)
    directory = directory_of(content)
    for offset in (directory + 24, 22):
        content = patched(content, offset, "<L", 1_000)
    tracemalloc.start()
    message = refusal(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "has not the 1000 bytes" in message
    assert peak < 5_000_000


def test_deep_names_cannot_make_more_folders_than_the_limit():
    names = (f"{number}/" + "/".join("d" * 190) for number in range(600))
    message = refusal(archive(*((f"{name}/f", b"", FILE) for name in names)))
    assert "one more than 100000 files and folders" in message
