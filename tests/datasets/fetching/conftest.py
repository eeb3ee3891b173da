"""A server on this machine that fails in the ways that servers fail."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Faults:
    """What goes wrong with one file. times: how often, then all is well."""

    kind: str
    times: int = 1_000_000
    seen: int = 0


@dataclass
class FaultyServer:
    """files: path -> content; faults: path -> what goes wrong; requests: (path, Range or None).

    meet: a record is answered once so many requests have been there at a time, or after 10 s.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, Faults] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    ranges: bool = True
    meet: int = 0
    at_once: Counter[str] = field(default_factory=Counter)
    address: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, path: str, kind: str, times: int = 1_000_000) -> None:
        """Let a file go wrong: "drop", "drop at once", "503", "429", "403", "redirect", "wrong byte"."""
        self.faults[path] = Faults(kind, times)

    def publish(self) -> None:
        """Write SHA256SUMS.txt of the files that are there."""
        lines = [
            f"{hashlib.sha256(content).hexdigest()} {path}\n"
            for path, content in self.files.items()
            if path != "SHA256SUMS.txt"
        ]
        self.files["SHA256SUMS.txt"] = "".join(lines).encode()

    def publish_zenodo(self, record: str) -> None:
        """Answer the address of a record as Zenodo's API does."""
        entries = [
            {
                "key": path,
                "size": len(content),
                "checksum": "md5:" + hashlib.md5(content).hexdigest(),
                "links": {"self": self.address + path},
            }
            for path, content in self.files.items()
        ]
        self.files[record] = json.dumps({"id": 1, "files": entries}).encode()

    def ranges_asked(self, path: str) -> list[str | None]:
        return [asked for one, asked in self.requests if one == path]


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    faulty = FaultyServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            asked = self.headers.get("Range")
            with faulty.lock:
                faulty.requests.append((path, asked))
                faulty.at_once["now"] += 1
                faulty.at_once["most"] = max(faulty.at_once["most"], faulty.at_once["now"])
                fault = faulty.faults.get(path)
                active = fault is not None and fault.seen < fault.times
                if fault is not None:
                    fault.seen += 1
            deadline = time.monotonic() + 10
            while path.startswith("records") and faulty.at_once["most"] < faulty.meet:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.002)
            try:
                self._answer(path, asked, fault.kind if fault is not None and active else "")
            finally:
                with faulty.lock:
                    faulty.at_once["now"] -= 1

        def _answer(self, path: str, asked: str | None, kind: str) -> None:
            content = faulty.files.get(path)
            if content is None:
                self._plain(404)
                return
            if kind in ("503", "429", "403"):
                self._plain(int(kind), {"Retry-After": "0"} if kind != "403" else {})
                return
            if kind == "redirect":
                self._plain(302, {"Location": "/" + path})
                return
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            if kind == "wrong byte":
                content = bytes([content[0] ^ 1]) + content[1:]
            start = 0
            if asked and faulty.ranges and self.headers.get("If-Range", tag) == tag:
                start = int(asked.removeprefix("bytes=").partition("-")[0])
                if start >= len(content):
                    self._plain(416, {"Content-Range": f"bytes */{len(content)}"})
                    return
            body = content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", tag)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if kind == "drop":
                body = body[: max(1, len(body) // 2)]
                self.close_connection = True
            if kind == "drop at once":
                self.close_connection = True
                return
            self.wfile.write(body)

        def _plain(self, status: int, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    faulty.address = f"http://127.0.0.1:{httpd.server_address[1]}/"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield faulty
    httpd.shutdown()
    httpd.server_close()
