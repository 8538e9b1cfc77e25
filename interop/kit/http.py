"""HTTP as plain as can be: nothing is escaped, retried or followed on the way."""

import http.client
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").split(";")[0].strip()

    def ok(self, content_type: str | None = None) -> "Answer":
        if self.status != 200:
            raise AssertionError(f"HTTP {self.status}: {self.body[:500].decode(errors='replace')}")
        if content_type and self.content_type != content_type:
            raise AssertionError(f"content type {self.content_type!r}, not {content_type!r}")
        return self


def fetch(url: str, body: bytes | None = None, headers=None, method: str | None = None) -> Answer:
    """One request; the target goes out exactly as it stands in the address."""
    parts = urlsplit(url)
    target = url[url.index(parts.netloc) + len(parts.netloc) :] or "/"
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection._validate_path = lambda _: None
        verb = method or ("GET" if body is None else "POST")
        connection.request(verb, target, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def raw(url: str, request: bytes, limit: float = 30) -> bytes:
    """Sends bytes and returns everything that comes back until the peer closes."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=limit) as peer:
        peer.sendall(request)
        answer = b""
        while part := peer.recv(65536):
            answer += part
        return answer
