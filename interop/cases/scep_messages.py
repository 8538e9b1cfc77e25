"""SCEP message by message, from a client of our own built on openssl: shapes, tolerances, answers."""

from pathlib import Path

from kit import openssl, scep
from kit.http import fetch
from kit.process import run
from kit.scep import Shape
from kit.scep_client import SUCCESS, Identity, ScepClient
from kit.site import Site
from kit.suite import EC, EVERY, RSA, case

CIPHERS = {
    "aes-128-cbc": "2.16.840.1.101.3.4.1.2",
    "aes-192-cbc": "2.16.840.1.101.3.4.1.22",
    "aes-256-cbc": "2.16.840.1.101.3.4.1.42",
    "des3": "1.2.840.113549.3.7",
}
OAEP = "1.2.840.113549.1.1.7"


@case("GetCACaps names what clients look for", EVERY)
def capabilities(site: Site, work: Path) -> None:
    answer = site.client(work).query("GetCACaps").ok("text/plain")
    wanted = {"AES", "DES3", "POSTPKIOperation", "Renewal", "SCEPStandard", "SHA-1", "SHA-256"}
    # strongSwan 5.9.8 finds AES only where SHA-384 is announced.
    wanted |= {"SHA-384", "SHA-512"}
    missing = wanted - set(answer.body.decode().split())
    assert not missing, f"not announced: {missing}"


@case("GetCACert is the CA alone, as one DER certificate", RSA)
def ca_alone(site: Site, work: Path) -> None:
    answer = site.client(work).query("GetCACert").ok("application/x-x509-ca-cert")
    assert answer.body == openssl.der(site.ca), "not the CA's certificate"
    named = site.client(work / "named").query("GetCACert", "whatever").ok()
    assert named.body == answer.body, "a message parameter changes the answer"


@case("GetCACert is an RSA recipient first and the CA after it", EC)
def ca_with_ra(site: Site, work: Path) -> None:
    client = site.client(work)
    client.query("GetCACert").ok("application/x-x509-ca-ra-cert")
    authority = client.authority()
    assert openssl.der(authority.ca) == openssl.der(site.ca), "not the CA's certificate"
    text = openssl.show(authority.recipient)
    assert "rsaEncryption" in text and "Digital Signature, Key Encipherment" in text, text
    first = run("openssl", "x509", "-in", authority.all, "-outform", "DER").ok().out
    assert first == openssl.der(authority.recipient), "the recipient does not come first"


def enrolled(site: Site, work: Path, shape: Shape, algorithm="rsa:2048", how="POST") -> scep.Reply:
    """Enrolls in a shape, checks the certificate, and returns the reply to look at."""
    client = site.client(work)
    signer = client.identity("/CN=shaped", algorithm)
    content = client.request(signer.key, "/CN=shaped", site.challenge)
    reply = client.exchange(scep.PKCS_REQ, content, signer, shape, how)
    password = None if algorithm.startswith("rsa") else site.challenge
    issued = client.granted(reply, signer, password)
    assert openssl.public_key(issued) == openssl.public_key(signer.certificate), "another key"
    return reply


@case("each digest and cipher is answered in kind", RSA)
def in_kind(site: Site, work: Path) -> None:
    for digest in ("sha1", "sha256", "sha384", "sha512"):
        for cipher in CIPHERS:
            reply = enrolled(site, work / f"{digest}-{cipher}", Shape(digest, cipher))
            assert reply.digest == scep.DIGESTS[digest], f"{digest} answered with {reply.digest}"
            used = scep.cipher(reply.content)
            assert used == CIPHERS[cipher], f"{cipher} answered with {used}"
            # The one identifier that every client takes, strongSwan 5.9 alone.
            assert reply.signature == scep.RSA_ENCRYPTION, reply.signature


@case("RSAES-OAEP, as Windows sends it, is answered in kind", RSA)
def oaep(site: Site, work: Path) -> None:
    for digest in ("sha1", "sha256", "sha384", "sha512"):
        reply = enrolled(site, work / digest, Shape(oaep=digest))
        assert scep.key_transport(reply.content) == OAEP, scep.key_transport(reply.content)


@case("streamed BER is taken, inside, outside and both", EVERY)
def streamed(site: Site, work: Path) -> None:
    for name, shape in {
        "inner": Shape(inner_streamed=True),
        "outer": Shape(outer_chunk=1000),
        "both": Shape(inner_streamed=True, outer_chunk=64),
        "named": Shape(signature_oid="sha256WithRSAEncryption"),
    }.items():
        enrolled(site, work / name, shape)


@case("PKIOperation by GET is taken, escaped and not", EVERY)
def by_get(site: Site, work: Path) -> None:
    enrolled(site, work, Shape(), how="GET")
    enrolled(site, work / "large", Shape(), "rsa:4096", how="GET")


@case("EC and Ed25519 request keys get their answer under the challenge", EVERY)
def other_keys(site: Site, work: Path) -> None:
    for algorithm in ("P-256", "P-384", "P-521", "ed25519"):
        digest = "sha512" if algorithm == "ed25519" else "sha256"
        reply = enrolled(site, work / algorithm, Shape(digest), algorithm)
        assert scep.recipients(reply.content) == {"password"}, scep.recipients(reply.content)


@case("an RSA-8192 and an RSA-3072 key are certified", ("rsa:2048", "P-256"))
def long_keys(site: Site, work: Path) -> None:
    for algorithm in ("rsa:3072", "rsa:8192"):
        enrolled(site, work / algorithm.replace(":", "-"), Shape(), algorithm)


@case("the address with pkiclient.exe, as Windows makes it, serves the same", EVERY)
def pkiclient(site: Site, work: Path) -> None:
    work.mkdir(exist_ok=True)
    client = ScepClient(site.scep_url.rstrip("/") + "/pkiclient.exe", work)
    client.enroll("/CN=windows", site.challenge)


@case("names and usages in the request are carried, authority is not", RSA)
def carried(site: Site, work: Path) -> None:
    wanted = "subjectAltName=DNS:a.example.org,email:a@example.org,URI:urn:x:1,IP:192.0.2.1\n"
    wanted += "keyUsage=critical,digitalSignature,keyCertSign,cRLSign\n"
    wanted += "basicConstraints=critical,CA:TRUE,pathlen:3"
    client = site.client(work)
    signer = client.identity("/CN=climber")
    content = client.request(signer.key, "/CN=climber/O=Example", site.challenge, wanted)
    reply = client.exchange(scep.PKCS_REQ, content, signer, Shape())
    text = openssl.show(client.granted(reply, signer))
    assert "CA:TRUE" not in text and "Certificate Sign" not in text, text
    assert "DNS:a.example.org" in text and "O = Example" in text, text


@case("an old certificate renews by RenewalReq and by PKCSReq, a revoked one by neither", EVERY)
def renewals(site: Site, work: Path) -> None:
    client = site.client(work)
    old = client.enroll("/CN=renewed", site.challenge)
    for kind in (scep.RENEWAL_REQ, scep.PKCS_REQ):
        assert renewed(client, old, kind).status == SUCCESS, f"message type {kind}"
    site.revoke(old.certificate)
    for kind in (scep.RENEWAL_REQ, scep.PKCS_REQ):
        reply = renewed(client, old, kind)
        assert reply.status != SUCCESS, f"message type {kind} renewed a revoked certificate"


def renewed(client: ScepClient, old: Identity, kind: int) -> scep.Reply:
    key = client.identity("/CN=renewed").key
    content = client.request(key, "/CN=renewed", None)
    reply = client.exchange(kind, content, old, Shape())
    if reply.status == SUCCESS:
        issued = client.granted(reply, old)
        assert openssl.field(issued, "serial") != openssl.field(old.certificate, "serial")
    return reply


@case("CertPoll and GetCert find what was issued, GetCRL a current list", EVERY)
def lookups(site: Site, work: Path) -> None:
    client = site.client(work)
    shape = Shape(transaction_id="0123456789abcdef" + site.name.encode().hex())
    signer = client.identity("/CN=polled")
    content = client.request(signer.key, "/CN=polled", site.challenge)
    issued = client.granted(client.exchange(scep.PKCS_REQ, content, signer, shape), signer)

    subjects = client.issuer_and_subject(signer.certificate)
    again = Shape(transaction_id=shape.transaction_id)
    polled = client.granted(client.exchange(scep.CERT_POLL, subjects, signer, again), signer)
    assert openssl.der(polled) == openssl.der(issued), "CertPoll gives another certificate"

    holder = Identity(signer.key, issued)
    serial = client.issuer_and_serial(issued)
    found = client.granted(client.exchange(scep.GET_CERT, serial, holder, Shape()), holder)
    assert openssl.der(found) == openssl.der(issued), "GetCert gives another certificate"

    reply = client.exchange(scep.GET_CRL, serial, holder, Shape())
    assert reply.status == SUCCESS, f"GetCRL: failInfo {reply.fail_info}"
    bundle = scep.open_envelope(reply.content, holder.certificate, holder.key)
    crl = scep.crl(bundle, work / "crl.pem")
    run("openssl", "verify", "-crl_check", "-CAfile", site.ca, "-CRLfile", crl, issued).ok()


@case("a repeated request gets the same certificate, not a second one", EVERY)
def repeated(site: Site, work: Path) -> None:
    client = site.client(work)
    signer = client.identity("/CN=repeated")
    content = client.request(signer.key, "/CN=repeated", site.challenge)
    shape = Shape(transaction_id="repeated-1")
    sealed = scep.envelope(content, client.authority().recipient, shape)
    message = scep.message(scep.PKCS_REQ, sealed, signer.certificate, signer.key, shape)
    answers = [scep.read_reply(client.send(message).ok().body, site.ca) for _ in range(3)]
    serials = {openssl.field(client.granted(answer, signer), "serial") for answer in answers}
    assert len(serials) == 1, f"one transaction, certificates {serials}"
    fresh = client.exchange(scep.PKCS_REQ, content, signer, Shape(transaction_id="repeated-1"))
    serials.add(openssl.field(client.granted(fresh, signer), "serial"))
    assert len(serials) == 1, f"one transaction, certificates {serials}"


@case("GetNextCACert says clearly that there is none yet", EVERY)
def no_next_ca(site: Site, work: Path) -> None:
    answer = fetch(f"{site.scep_url}?operation=GetNextCACert")
    assert 400 <= answer.status < 500 and answer.body, f"HTTP {answer.status}: {answer.body!r}"
