"""Talk to a language server over its standard streams, as an editor does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

SETTINGS = {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}


class Diagnostic(NamedTuple):
    """What the editor underlines; `line` is counted from 1."""

    line: int
    message: str


class LanguageServer:
    """One running server.

    Args:
        program: its command.
        folder: the folder that the editor has open.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._number = 0
        self._diagnostics: dict[str, list[dict[str, Any]]] = {}
        root = folder.as_uri()
        self._ask(
            "initialize",
            processId=os.getpid(),
            rootUri=root,
            workspaceFolders=[{"uri": root, "name": folder.name}],
            capabilities={"workspace": {"configuration": True}, "textDocument": {"completion": {}}},
        )
        self._tell("initialized")
        self._tell("workspace/didChangeConfiguration", settings={"yaml": SETTINGS})

    def __enter__(self) -> LanguageServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def opened(self, file: Path) -> list[Diagnostic]:
        """Open a file, and wait for what the server has to say about it."""
        uri = file.as_uri()
        self._diagnostics.pop(uri, None)
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": file.read_text()}
        self._tell("textDocument/didOpen", textDocument=document)
        self._read_until(lambda message: uri in self._diagnostics)
        return sorted(
            Diagnostic(found["range"]["start"]["line"] + 1, found["message"])
            for found in self._diagnostics[uri]
        )

    def completed(self, file: Path, line: int, column: int) -> list[str]:
        """What is offered at a place, counted from 1, of a file that was opened."""
        found = self._ask(
            "textDocument/completion",
            textDocument={"uri": file.as_uri()},
            position={"line": line - 1, "character": column - 1},
        )
        return [item["label"] for item in found["items"]]

    def hovered(self, file: Path, line: int, column: int) -> str:
        """What is shown when the pointer rests at a place, counted from 1."""
        found = self._ask(
            "textDocument/hover",
            textDocument={"uri": file.as_uri()},
            position={"line": line - 1, "character": column - 1},
        )
        return json.dumps(found)

    def _tell(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def _ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        answer = self._read_until(lambda message: message.get("id") == number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self._process.stdin.flush()

    def _read_until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Serve what the server asks and tells, up to a message that fits."""
        while True:
            message = self._read()
            method = message.get("method")
            if method == "textDocument/publishDiagnostics":
                params = message["params"]
                self._diagnostics[params["uri"]] = params["diagnostics"]
            elif method == "workspace/configuration":
                wanted = [item.get("section") for item in message["params"]["items"]]
                result = [SETTINGS if section == "yaml" else {} for section in wanted]
                self._send({"id": message["id"], "result": result})
            elif method and "id" in message:
                self._send({"id": message["id"], "result": None})
            if (not method or "id" not in message) and is_it(message):
                return message

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise RuntimeError("the language server has ended")
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message
