"""A line that can be cut: a small TCP proxy on loopback between one client and the broker."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time

PIECE_BYTES = 16 * 1024
LOOK_S = 0.05


class Line:
    """Listens on ``port`` and carries every connection to the broker's, until it is cut, hung or slowed."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._whole = True
        self._flows = threading.Event()
        self._flows.set()
        self._pause_s = 0.0
        self._closing = threading.Event()
        threading.Thread(target=self._accept, name=f"line-{self.port}", daemon=True).start()

    def cut(self) -> None:
        """Every connection breaks, and each new one too, until ``mend``."""
        with self._lock:
            self._whole = False
            ended = list(self._open)
        for end in ended:
            _reset(end)

    def hang(self) -> None:
        """Nothing passes and nobody is told, until ``mend``; what was sent meanwhile comes then."""
        self._flows.clear()

    def slow(self, bytes_a_second: int) -> None:
        """So much passes in each direction, until ``mend``."""
        self._pause_s = PIECE_BYTES / bytes_a_second

    def mend(self) -> None:
        with self._lock:
            self._whole = True
        self._pause_s = 0.0
        self._flows.set()

    def close(self) -> None:
        self._closing.set()
        self.cut()
        self._flows.set()
        # Closing alone does not wake who waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._broker_port))
        except OSError:
            _reset(near)
            near.close()
            return
        ends = {near: far, far: near}
        for end in ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            whole = self._whole
            if whole:
                self._open |= ends.keys()
        try:
            while whole and self._one_piece(ends):
                pass
        finally:
            with self._lock:
                self._open -= ends.keys()
            for end in ends:
                end.close()

    def _one_piece(self, ends: dict[socket.socket, socket.socket]) -> bool:
        """Carry what waits at either end; ``False`` when the connection is over."""
        try:
            ready, _, _ = select.select(list(ends), [], [], LOOK_S)
            for end in ready:
                self._flows.wait()
                piece = end.recv(PIECE_BYTES)
                if not piece:
                    return False
                time.sleep(self._pause_s)
                ends[end].sendall(piece)
        except (OSError, ValueError):
            return False
        return not self._closing.is_set()


def _reset(end: socket.socket) -> None:
    """End it as a broken line does, when it is closed after this: what is on the way is lost."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
