"""A recording HTTP peer: keeps each request byte for byte, and answers itself or passes it on."""

import socket
import socketserver
import threading
from base64 import b64decode
from dataclasses import dataclass
from typing import Callable
from urllib.parse import unquote_to_bytes


@dataclass
class Exchange:
    """One request as it came off the wire, and the reply that went back."""

    head: bytes
    body: bytes
    reply: bytes = b""

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode("latin-1")

    @property
    def reply_body(self) -> bytes:
        head, _, body = self.reply.partition(b"\r\n\r\n")
        return dechunked(body) if b"transfer-encoding: chunked" in head.lower() else body

    def parameter(self, name: str) -> bytes:
        """A query parameter, percent-decoded, a raw `+` left as it is."""
        for pair in self.target.partition("?")[2].split("&"):
            key, _, value = pair.partition("=")
            if key == name:
                return unquote_to_bytes(value)
        return b""

    @property
    def operation(self) -> str:
        return self.parameter("operation").decode()

    @property
    def message(self) -> bytes:
        """The DER of a PKIOperation or an OCSP request, however it was sent."""
        if self.method == "POST":
            return self.body
        if self.operation:
            return b64decode(self.parameter("message"))
        return b64decode(unquote_to_bytes(self.target.rsplit("/", 1)[1]))


def dechunked(body: bytes) -> bytes:
    """The content of a body in HTTP/1.1 chunks."""
    content = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        content, body = content + body[:length], body[length + 2 :]
    return content


Answer = Callable[[Exchange], bytes]


def reply(body: bytes, content_type: str, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def forward_to(port: int) -> Answer:
    """Passes the request on unchanged but for `Connection: close`, and returns all that comes back."""

    def answer(exchange: Exchange) -> bytes:
        lines = exchange.head.rstrip(b"\r\n").split(b"\r\n")
        lines = [line for line in lines if not line.lower().startswith((b"connection:", b"expect:"))]
        head = b"\r\n".join([*lines, b"Connection: close", b"", b""])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as upstream:
            upstream.sendall(head + exchange.body)
            parts = []
            while part := upstream.recv(65536):
                parts.append(part)
        return b"".join(parts)

    return answer


class Recorder:
    """Listens on an ephemeral loopback port and keeps every exchange in order."""

    def __init__(self, answer: Answer):
        self.exchanges: list[Exchange] = []
        recorder = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline(1 << 20)
                    if not line:
                        return
                    head += line
                length, expects = 0, False
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                    expects = expects or line.startswith(b"expect: 100-continue")
                if expects:
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                exchange = Exchange(head, self.rfile.read(length))
                exchange.reply = answer(exchange)
                recorder.exchanges.append(exchange)
                self.wfile.write(exchange.reply)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self) -> list[Exchange]:
        """What was recorded since the last call."""
        taken, self.exchanges = self.exchanges, []
        return taken
