"""One streamed request on a socket of its own, written and read piece by piece."""

from __future__ import annotations

import json
import socket
from types import TracebackType
from typing import Any

from tests.http.fronts import PATIENCE_S


class LineStream:
    """A POST of JSON lines that is read while it is written.

    Args:
        port: of the front, on this machine.
        path: with its query.
        *headers: lines of the head, beside those that every such request has.
    """

    def __init__(self, port: int, path: str, *headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        head = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers]
        self.socket.sendall("\r\n".join([*head, "Transfer-Encoding: chunked", "", ""]).encode())
        self._rest = b""
        self._lines = b""
        self.is_whole = False  # the last chunk of the answer has come

    def send(self, data: bytes) -> None:
        """Send some of the body."""
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def send_docs(self, *docs: dict[str, Any]) -> None:
        self.send(b"".join(json.dumps(doc).encode() + b"\n" for doc in docs))

    def send_until_full(self, data: bytes, most: int) -> int:
        """Send chunks of a body until the other side takes no more; how many were sent whole.

        The last one is sent in part: `finish_sending` sends its rest.
        """
        chunk = b"%x\r\n%s\r\n" % (len(data), data)
        self.socket.settimeout(1)  # a front that reads takes more within that
        for count in range(most):
            left = memoryview(chunk)
            while left:
                try:
                    left = left[self.socket.send(left) :]
                except TimeoutError:
                    self.socket.settimeout(PATIENCE_S)
                    self._unsent = bytes(left)
                    return count
        raise AssertionError(f"{most} chunks of {len(data)} bytes were taken")

    def finish_sending(self) -> None:
        self.socket.sendall(self._unsent)

    def end(self) -> None:
        """Send the end of the body."""
        self.socket.sendall(b"0\r\n\r\n")

    def head(self) -> str:
        """The head of the answer; that of an interim answer if one comes first."""
        while b"\r\n\r\n" not in self._rest:
            block = self.socket.recv(65536)
            assert block, self._rest
            self._rest += block
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head.decode()

    def line(self) -> Any:
        """The next line of the answer, decoded; None at its end."""
        while b"\n" not in self._lines:
            chunk = self._chunk()
            if not chunk:
                assert not self._lines
                return None
            self._lines += chunk
        line, _, self._lines = self._lines.partition(b"\n")
        return json.loads(line)

    def lines(self) -> list[Any]:
        """The rest of the lines."""
        found = []
        while (line := self.line()) is not None:
            found.append(line)
        return found

    def _chunk(self) -> bytes:
        """The next chunk of the answer; empty at the end, or where the connection is cut."""
        while b"\r\n" not in self._rest:
            if not self._read():
                return b""
        size, _, rest = self._rest.partition(b"\r\n")
        length = int(size, 16)
        while len(self._rest) < len(size) + 2 + length + 2:
            if not self._read():
                return b""
        rest = self._rest[len(size) + 2 :]
        self._rest = rest[length + 2 :]
        self.is_whole = not length
        return rest[:length]

    def _read(self) -> bool:
        try:
            block = self.socket.recv(1 << 20)
        except ConnectionResetError:
            return False
        self._rest += block
        return bool(block)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def __enter__(self) -> LineStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
