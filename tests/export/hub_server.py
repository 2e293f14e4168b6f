"""A hub on loopback: what ``huggingface_hub`` asks of the real one, with faults on demand."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "owner/model"
LARGE = 1000
"""Files from this size on are kept by git-lfs, and lie on another path."""


@dataclass
class Hub:
    """What the server has and does.

    Attributes:
        files: Content by name.
        breaks: How many bytes of a file come before the connection breaks, once for each request.
        status: A status for requests of files, if not the right one.
        lies: Names of files whose checksum is told wrong.
        gated: Nobody may have the files.
        endpoint: Its address.
        requests: Method, path and range of what was asked.
    """

    files: dict[str, bytes]
    breaks: dict[str, list[int]] = field(default_factory=dict)
    status: int = 200
    lies: set[str] = field(default_factory=set)
    gated: bool = False
    endpoint: str = ""
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    def ranges(self, name: str) -> list[str]:
        """The ranges that were asked of a file, in order."""
        return [span for _, path, span in self.requests if path.endswith(f"/{name}") and "/content/" in path]

    def about(self) -> bytes:
        """What it tells of the repository."""
        return json.dumps(
            {"id": REPOSITORY, "sha": COMMIT, "siblings": [self._sibling(name) for name in self.files]}
        ).encode()

    def _sibling(self, name: str) -> dict[str, object]:
        content = self.files[name] + b"!" * (name in self.lies)
        size = len(self.files[name])
        blob = hashlib.sha1(b"blob %d\0" % size + content).hexdigest()
        found: dict[str, object] = {"rfilename": name, "size": size, "blobId": blob}
        if size >= LARGE:
            found["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 130}
        return found


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path, self.headers.get("Range", "")))
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/(.+))?", path)
        file = re.fullmatch(rf"/({REPOSITORY})/(resolve/{COMMIT}|content)/(.+)", path)
        about = api or file
        if about is None or about[1] != REPOSITORY:
            self._fault(404, "RepoNotFound")
        elif api is not None and api[3] not in (None, "main", COMMIT):
            self._fault(404, "RevisionNotFound")
        elif api is not None:
            self._send(200, self.hub.about(), body=body)
        elif self.hub.gated:
            self._fault(403, "GatedRepo")
        elif file is not None and file[2] != "content":
            self.send_response(302)
            self.send_header("Location", f"/{REPOSITORY}/content/{file[3]}")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif file is not None:
            self._file(file[3], body=body)

    def _file(self, name: str, *, body: bool) -> None:
        if self.hub.status != 200:
            self._fault(self.hub.status, "")
            return
        content, start = self.hub.files[name], 0
        span = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if span is not None:
            start = int(span[1])
        breaks = self.hub.breaks.get(name)
        end = start + breaks.pop(0) if breaks else len(content)
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "Accept-Ranges": "bytes"}
        if span is not None:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206 if span else 200, content[start:], body=body, headers=headers, until=end - start)

    def _send(
        self,
        status: int,
        content: bytes,
        *,
        body: bool,
        headers: dict[str, str] | None = None,
        until: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content[:until])

    def _fault(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serve(files: dict[str, bytes]) -> Iterator[Hub]:
    """A hub that runs as long as the context."""
    hub = Hub(files)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
