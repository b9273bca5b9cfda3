"""A disk that fails: a VFS under this process's own SQLite, the very library that the ``sqlite3`` module uses.

It is the system's VFS with a few of its methods led through Python. Registered as the default, so that the code
under test is the real one, not a line changed. Everything else (locks, shared memory, reading) stays SQLite's own.

*A power cut* keeps what was synced. Of what was not, each sector of 512 bytes may have reached the disk or not,
whatever the order of the writes; the length of a file and a removed name likewise.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
import random
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from ctypes import CFUNCTYPE, POINTER, Structure, addressof, byref, c_char_p, c_double, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any, NoReturn

OK = 0
SECTOR_BYTES = 512
KINDS = 0x100 | 0x800 | 0x80000
"""Main database, its rollback journal, its WAL; temporary files are nobody's promise."""

Watch = Callable[[str, Path], int]
"""Called before each call of a method (its name, the file): what to return instead of calling, 0 to go on."""


class Methods(Structure):
    """``sqlite3_io_methods``; those that are not led through Python are plain pointers."""

    _fields_ = [
        ("version", c_int),
        ("close", CFUNCTYPE(c_int, c_void_p)),
        ("read", CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)),
        ("write", CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)),
        ("truncate", CFUNCTYPE(c_int, c_void_p, c_int64)),
        ("sync", CFUNCTYPE(c_int, c_void_p, c_int)),
        ("size", CFUNCTYPE(c_int, c_void_p, POINTER(c_int64))),
        ("lock", c_void_p),
        ("unlock", c_void_p),
        ("check_reserved", c_void_p),
        ("control", c_void_p),
        ("sector", c_void_p),
        ("characteristics", c_void_p),
        ("shm_map", CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_int, c_void_p)),
        ("shm_lock", c_void_p),
        ("shm_barrier", c_void_p),
        ("shm_unmap", c_void_p),
        ("fetch", c_void_p),
        ("unfetch", c_void_p),
    ]


class Vfs(Structure):
    """``sqlite3_vfs``, version 3."""

    _fields_ = [
        ("version", c_int),
        ("file_bytes", c_int),
        ("path_max", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))),
        ("delete", CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)),
        ("access", c_void_p),
        ("full_path", c_void_p),
        ("dl", c_void_p * 4),
        ("randomness", c_void_p),
        ("sleep", c_void_p),
        ("time", CFUNCTYPE(c_int, c_void_p, POINTER(c_double))),
        ("last_error", c_void_p),
        ("time64", c_void_p),
        ("system_calls", c_void_p * 3),
    ]


class FailingDisk:
    """Make one a process, before anything is opened. ``watch`` sees every call; it may fail or cut the power."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._lock = threading.Lock()
        self._paths: dict[int, Path] = {}
        self._unsynced: dict[Path, list[tuple[int, bytes, int, int]]] = {}
        """Of each file, oldest first: (offset, what stood there, bytes written over it, size of the file then)."""
        self._removed: dict[Path, bytes] = {}
        self._replaced: dict[int, Methods] = {}
        library = ctypes.CDLL(_sqlite3.__file__)
        library.sqlite3_vfs_find.restype = POINTER(Vfs)
        library.sqlite3_vfs_find.argtypes = [c_char_p]
        library.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
        real = library.sqlite3_vfs_find(None)
        self._real, self._real_pointer = real.contents, ctypes.cast(real, c_void_p)
        self._vfs = Vfs.from_buffer_copy(self._real)
        self._vfs.name, self._vfs.next = b"failing", None
        _replace(self._vfs, "open", self._guarded(self._open))
        _replace(self._vfs, "delete", self._guarded(self._delete))
        if library.sqlite3_vfs_register(addressof(self._vfs), 1) != OK:
            raise RuntimeError("SQLite does not take the VFS")

    def cut_power(self, dice: random.Random) -> NoReturn:
        """End the process as a power cut does; only from within ``watch``, which holds every other call back."""
        share = dice.choice([0.0, 0.5, 0.5, 1.0])
        for path, writes in self._unsynced.items():
            if path.exists():
                _lose(path, writes, share, dice)
        for path, content in self._removed.items():
            if not path.exists() and dice.random() < share:
                path.write_bytes(content)
        os._exit(9)

    @property
    def unsynced_bytes(self) -> int:
        return sum(written for writes in self._unsynced.values() for _, _, written, _ in writes)

    # What SQLite calls

    def _guarded(self, method: Callable[..., int]) -> Callable[..., int]:
        """An exception cannot pass through C: it ends the process, loudly."""

        def call(*arguments: Any) -> int:
            try:
                with self._lock:
                    return method(*arguments)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(70)

        return call

    def _open(self, vfs: int, name: int, file: int, flags: int, out: Any) -> int:
        path = Path(os.fsdecode(ctypes.string_at(name))) if name else None
        if path is not None and flags & KINDS and (failure := self.watch("open", path)):
            ctypes.cast(file, POINTER(c_void_p))[0] = None
            return failure
        result: int = self._real.open(self._real_pointer, name, file, flags, out)
        if result == OK and path is not None and flags & KINDS:
            methods = ctypes.cast(file, POINTER(c_void_p))
            self._paths[file] = path
            methods[0] = addressof(self._methods(methods[0]))
        return result

    def _methods(self, real_pointer: int) -> Methods:
        """The file's own methods, some of them replaced; one copy for each kind that SQLite has."""
        if real_pointer in self._replaced:
            return self._replaced[real_pointer]
        real = Methods.from_address(real_pointer)
        ours = Methods.from_buffer_copy(real)

        def write(file: int, data: int, count: int, offset: int) -> int:
            path = self._paths[file]
            if failure := self.watch("write", path):
                return failure
            size = _size(real, file)
            before = _read(real, file, offset, min(count, max(0, size - offset)))
            result: int = real.write(file, data, count, offset)
            if result == OK:
                self._unsynced.setdefault(path, []).append((offset, before, count, size))
            return result

        def truncate(file: int, new_size: int) -> int:
            path = self._paths[file]
            if failure := self.watch("truncate", path):
                return failure
            size = _size(real, file)
            gone = _read(real, file, new_size, max(0, size - new_size))
            result: int = real.truncate(file, new_size)
            if result == OK:
                self._unsynced.setdefault(path, []).append((new_size, gone, 0, size))
            return result

        def sync(file: int, flags: int) -> int:
            path = self._paths[file]
            if failure := self.watch("sync", path):
                return failure
            result: int = real.sync(file, flags)
            if result == OK:
                self._unsynced.pop(path, None)
            return result

        def read(file: int, into: int, count: int, offset: int) -> int:
            failure = self.watch("read", self._paths[file])
            return failure or real.read(file, into, count, offset)

        def shm_map(file: int, page: int, page_bytes: int, extend: int, out: int) -> int:
            failure = self.watch("map", self._paths[file]) if extend else OK
            return failure or real.shm_map(file, page, page_bytes, extend, out)

        for name, method in [
            ("write", write),
            ("truncate", truncate),
            ("sync", sync),
            ("read", read),
            ("shm_map", shm_map),
        ]:
            _replace(ours, name, self._guarded(method))
        self._replaced[real_pointer] = ours
        return ours

    def _delete(self, vfs: int, name: bytes, sync_directory: int) -> int:
        path = Path(os.fsdecode(name))
        if failure := self.watch("delete", path):
            return failure
        content = path.read_bytes() if path.exists() else None
        result: int = self._real.delete(self._real_pointer, name, sync_directory)
        if result == OK and content is not None:
            self._unsynced.pop(path, None)
            self._removed[path] = content
        return result


def _replace(structure: Structure, name: str, method: Callable[..., int]) -> None:
    """Put a Python function where the structure has a pointer to one in C."""
    types: dict[str, Any] = {field[0]: field[1] for field in structure._fields_}
    setattr(structure, name, types[name](method))


def _size(methods: Methods, file: int) -> int:
    found = c_int64()
    if methods.size(file, byref(found)) != OK:
        raise OSError("the size of a file cannot be read")
    return found.value


def _read(methods: Methods, file: int, offset: int, count: int) -> bytes:
    """Through SQLite's own handle: closing another one would drop this process's locks (POSIX)."""
    if count == 0:
        return b""
    buffer = ctypes.create_string_buffer(count)
    if methods.read(file, buffer, count, offset) != OK:
        raise OSError("what is to be overwritten cannot be read")
    return buffer.raw


def _lose(path: Path, writes: list[tuple[int, bytes, int, int]], share: float, dice: random.Random) -> None:
    """Take back a ``share`` of the sectors that were written and not synced, the newest first."""
    with path.open("r+b") as file:
        for offset, before, written, size in reversed(writes):
            for start, end in _sectors(offset, offset + max(len(before), written)):
                if dice.random() < share:
                    file.seek(start)
                    old = before[start - offset : end - offset]
                    file.write(old + bytes(max(0, min(end, offset + written) - start - len(old))))
            if offset + written > size and dice.random() < share:
                file.truncate(size)


def _sectors(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a stretch of bytes that lie in different sectors."""
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        yield start, stop
        start = stop
