"""HTTP as odd clients send it: old versions, doubled slashes, escapes, long lines, slow callers."""

import socket
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, urlsplit

from kit import scep
from kit.http import Answer, fetch, raw
from kit.process import run
from kit.site import Site
from kit.suite import EVERY, RSA, case


def ocsp_request(site: Site, work: Path, *options) -> tuple[Path, bytes]:
    """A device's certificate, and the request for its status."""
    device = site.device(work / "device").certificate
    out = work / "request.der"
    command = ["openssl", "ocsp", "-issuer", site.ca, "-cert", device, "-reqout", out]
    run(*command, *(options or ["-no_nonce"])).ok()
    return device, out.read_bytes()


def says(site: Site, work: Path, device: Path, response: bytes) -> str:
    """What openssl reads in a response after verifying it."""
    (work / "response.der").write_bytes(response)
    command = ["openssl", "ocsp", "-respin", work / "response.der", "-issuer", site.ca]
    text = run(*command, "-cert", device, "-CAfile", site.ca).ok().text
    assert "Response verify OK" in text, text
    return text.partition(f"{device}: ")[2].split()[0]


@case("OCSP by GET: escaped, unescaped, with doubled slashes", EVERY)
def ocsp_by_get(site: Site, work: Path) -> None:
    device, request = ocsp_request(site, work)
    text = b64encode(request).decode()
    base = site.ocsp_url
    path = urlsplit(base).path
    doubled = base.replace(path, "/" + path)
    for name, address in {
        "all escaped": f"{base}/{quote(text, safe='')}",
        "lower-case escapes": f"{base}/{quote(text, safe='').replace('%2F', '%2f')}",
        "unescaped": f"{base}/{text}",
        "a slash too many": f"{base}//{quote(text, safe='')}",
        "two slashes before": f"{doubled}/{quote(text, safe='')}",
        "unpadded": f"{base}/{quote(text.rstrip('='), safe='')}",
    }.items():
        answer = fetch(address)
        assert answer.status == 200, f"{name}: HTTP {answer.status}"
        answer.ok("application/ocsp-response")
        status = says(site, work, device, answer.body)
        assert status == "good", f"{name}: {status}"


@case("OCSP by HTTP/1.0 without Host, by GET and POST", EVERY)
def ocsp_by_http_1_0(site: Site, work: Path) -> None:
    device, request = ocsp_request(site, work)
    path = urlsplit(site.ocsp_url).path
    text = quote(b64encode(request).decode(), safe="")
    post = f"POST {path} HTTP/1.0\r\nContent-Type: application/ocsp-request\r\n"
    post += f"Content-Length: {len(request)}\r\n\r\n"
    for sent in (f"GET {path}/{text} HTTP/1.0\r\n\r\n".encode(), post.encode() + request):
        head, _, body = raw(site.ocsp_url, sent).partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], head
        assert says(site, work, device, body) == "good"


@case("OCSP answers can be cached until they change", EVERY)
def ocsp_cache(site: Site, work: Path) -> None:
    device, request = ocsp_request(site, work)
    address = f"{site.ocsp_url}/{quote(b64encode(request).decode(), safe='')}"
    answer = fetch(address).ok()
    for name in ("Cache-Control", "ETag", "Expires", "Last-Modified"):
        assert answer.headers.get(name), f"no {name}: {dict(answer.headers)}"
    assert "max-age" in answer.headers["Cache-Control"], answer.headers["Cache-Control"]
    again = fetch(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304 and not again.body, again
    site.revoke(device)
    assert says(site, work, device, fetch(address).ok().body) == "revoked"


@case("OCSP says malformed to what is no request", EVERY)
def ocsp_malformed(site: Site, work: Path) -> None:
    _, request = ocsp_request(site, work)
    kind = {"Content-Type": "application/ocsp-request"}
    for sent in (b"", b"hello", request[:-3], bytes(200), b"\x30\x80" * 3000):
        answer = fetch(site.ocsp_url, sent, kind)
        malformed(answer, repr(sent[:8]))
    malformed(fetch(f"{site.ocsp_url}/AAAA"), "GET")


def malformed(answer: Answer, name: str) -> None:
    """RFC 6960: an unsigned response with status malformedRequest."""
    assert answer.status == 200, f"{name}: HTTP {answer.status}"
    assert answer.body == bytes.fromhex("30030a0101"), f"{name}: {answer.body.hex()}"


@case("a request line of 16 kB is taken, a body without end is not", EVERY)
def sizes(site: Site, work: Path) -> None:
    client = site.client(work / "names")
    signer = client.identity("/CN=many names")
    label = "a-name-that-is-long-enough-for-a-label-and-no-longer"
    names = ",".join(f"DNS:host-{n}.{label}.{label}.{label}.example.org" for n in range(48))
    content = client.request(signer.key, "/CN=many names", site.challenge, f"subjectAltName={names}")
    sealed = scep.envelope(content, client.authority().recipient, scep.Shape())
    message = scep.message(
        scep.PKCS_REQ, sealed, signer.certificate, signer.key, scep.Shape(transaction_id="long")
    )
    assert 14_000 < len(quote(b64encode(message).decode(), safe="")) < 16_300, len(message)
    reply = scep.read_reply(client.send(message, "GET").ok().body, site.ca)
    client.granted(reply, signer)

    device, _ = ocsp_request(site, work)
    serials = [option for n in range(60) for option in ("-serial", hex(0x1000 + n))]
    out = work / "long.der"
    command = ["openssl", "ocsp", "-no_nonce", "-issuer", site.ca, "-cert", device]
    run(*command, *serials, "-reqout", out).ok()
    text = quote(b64encode(out.read_bytes()).decode(), safe="")
    assert len(text) > 5_000, len(text)
    answer = fetch(f"{site.ocsp_url}/{text}").ok("application/ocsp-response")
    assert says(site, work, device, answer.body) == "good"

    head = "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
    for address in (site.ocsp_url, site.scep_url + "?operation=PKIOperation"):
        target = address[address.index("/", 8) :]
        line = raw_first_line(address, head.format(target).encode() + bytes(200_000))
        assert b" 413 " in line or b" 400 " in line, line


def raw_first_line(url: str, request: bytes) -> bytes:
    """The status line, from a peer that may stop listening in the middle of the request."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as peer:
        try:
            peer.sendall(request)
        except OSError:
            pass
        return peer.recv(4096).split(b"\r\n")[0]


@case("SCEP takes the queries that old clients send", EVERY)
def scep_queries(site: Site, work: Path) -> None:
    path = urlsplit(site.scep_url).path
    for line in (
        f"GET {path}?operation=GetCACaps HTTP/1.0",
        f"GET /{path}?operation=GetCACaps&message=default HTTP/1.0",
        f"GET {path}/?operation=GetCACaps HTTP/1.0",
        f"GET {path}?message=0&operation=GetCACaps&unknown=1 HTTP/1.0",
        f"GET {path}/pkiclient.exe?operation=GetCACaps&message=default HTTP/1.0",
    ):
        answer = raw(site.scep_url, f"{line}\r\n\r\n".encode())
        assert b" 200 " in answer.split(b"\r\n")[0] and b"SHA-256" in answer, (line, answer)


@case("PKIOperation is taken whatever the content type says", RSA)
def content_types(site: Site, work: Path) -> None:
    client = site.client(work)
    signer = client.identity("/CN=typed")
    content = client.request(signer.key, "/CN=typed", site.challenge)
    for kind in ("application/octet-stream", "application/x-www-form-urlencoded", ""):
        shape = scep.Shape(transaction_id=f"typed-{len(kind)}")
        sealed = scep.envelope(content, client.authority().recipient, shape)
        message = scep.message(scep.PKCS_REQ, sealed, signer.certificate, signer.key, shape)
        url = f"{site.scep_url}?operation=PKIOperation"
        answer = fetch(url, message, {"Content-Type": kind} if kind else {}).ok()
        client.granted(scep.read_reply(answer.body, site.ca), signer)


@case("what is not there is 404, what is not allowed 405", EVERY)
def not_there(site: Site, work: Path) -> None:
    for path in ("/nowhere", "/scep/unknown", "/certsrv/mscep/mscep.dll", "/crl/wrong-token"):
        answer = fetch(f"{site.base_url}{path}?operation=GetCACaps")
        assert answer.status == 404, f"{path}: HTTP {answer.status}"
    for address in (site.scep_url + "?operation=GetCACaps", site.ocsp_url):
        answer = fetch(address, method="DELETE")
        assert answer.status == 405, f"{address}: HTTP {answer.status}"


@case("a caller who never ends the headers is sent away, the others are served", ("rsa:2048",))
def slow_callers(site: Site, work: Path) -> None:
    parts = urlsplit(site.base_url)
    slow = [socket.create_connection((parts.hostname, parts.port), timeout=120) for _ in range(50)]
    try:
        for peer in slow:
            peer.sendall(b"GET /ocsp/ HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        site.client(work).enroll("/CN=quick", site.challenge)
        # The server's own limit ends each of them: an answer, then the end of the stream.
        for peer in slow:
            while peer.recv(4096):
                pass
    finally:
        for peer in slow:
            peer.close()
