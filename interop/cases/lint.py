"""pkilint reads everything that the CA signs."""

from pathlib import Path

from kit import openssl
from kit.process import run
from kit.site import Site
from kit.suite import EVERY, case

from .crl import current, show


@case("pkilint: the CA and what it announces beside it", EVERY)
def authority(site: Site, work: Path) -> None:
    announced = site.client(work).authority()
    site.lint.check("certificate", "ca", announced.ca)
    if announced.recipient != announced.ca:
        site.lint.check("certificate", "scep-recipient", announced.recipient)
        site.lint.check("chain", "scep-recipient", announced.ca, announced.recipient)


@case("pkilint: certificates from SCEP", EVERY)
def devices(site: Site, work: Path) -> None:
    names = "subjectAltName=DNS:a.example.org,email:a@example.org,URI:urn:x:1,IP:192.0.2.1"
    names += ",otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@example.org"
    for number, extensions in enumerate(("", names)):
        subject = "/C=DE/O=Example/OU=Devices/CN=device-1"
        device = site.device(work / str(number), subject, extensions)
        site.lint.check("certificate", "device", device.certificate)
        site.lint.check("chain", "device", site.ca, device.certificate)


@case("pkilint: a certificate of every profile, a CRL of every kind", ("rsa:2048", "P-256"))
def one_of_each(site: Site, work: Path) -> None:
    # An example program of the workspace, built beside the server.
    program = site.program.parent / "examples" / "one_of_each"
    run(program, work, "rsa" if site.name.startswith("rsa") else "ec").ok()
    root = work / "root-issues.crt"
    certificates, lists = sorted(work.glob("*.crt")), sorted(work.glob("*.crl"))
    assert len(certificates) > 15 and len(lists) == 5, "some were not written"
    for certificate in certificates:
        site.lint.check("certificate", certificate.stem, certificate)
        site.lint.check("chain", certificate.stem, root, certificate)
        if not certificate.stem.startswith("root"):
            run("openssl", "verify", "-CAfile", root, certificate).ok()
    for crl in lists:
        site.lint.check("crl", crl.stem, crl)
        verified = run("openssl", "crl", "-in", crl, "-noout", "-CAfile", root).ok()
        assert "verify OK" in verified.text, verified.text


@case("pkilint finds fault with a certificate, a CRL and an OCSP answer that have one", ("P-256",))
def finds_fault(site: Site, work: Path) -> None:
    ca = openssl.authority(work / "ca", "P-256")
    key = ca.with_name("ca.key")
    csr = openssl.request(openssl.key(work / "key"), work / "csr", "/CN=faulty")
    certificate = openssl.issue(work / "ca", csr, work / "faulty.pem", "basicConstraints=CA:TRUE")
    (work / "index").write_text("")
    (work / "ca.cnf").write_text(f"[ca]\ndefault_ca=x\n[x]\ndatabase={work}/index\ndefault_md=sha256\n")
    crl = work / "faulty.crl"
    signing = ["-config", work / "ca.cnf", "-cert", ca, "-keyfile", key, "-crldays", "1"]
    run("openssl", "ca", "-gencrl", *signing, "-out", crl).ok()
    answer = work / "faulty.ocsp"
    asking = ["-issuer", ca, "-cert", certificate, "-index", work / "index", "-CA", ca]
    run("openssl", "ocsp", *asking, "-rsigner", ca, "-rkey", key, "-respout", answer).ok()
    # An answer that says tryLater says nothing else.
    good, later = bytes.fromhex("0a0100"), bytes.fromhex("0a0103")
    answer.write_bytes(answer.read_bytes().replace(good, later, 1))
    for kind, file in {"certificate": certificate, "crl": crl, "ocsp": answer}.items():
        try:
            site.lint.check(kind, "faulty", file)
        except AssertionError as error:
            assert "pkix." in str(error), error
        else:
            raise AssertionError(f"nothing is wrong with the {kind}")


@case("pkilint: OCSP answers and their signer", EVERY)
def ocsp(site: Site, work: Path) -> None:
    good, bad = (site.device(work / name, f"/CN={name}").certificate for name in ("good", "bad"))
    site.revoke(bad)
    out = work / "response.der"
    ask = ["openssl", "ocsp", "-url", site.ocsp_url, "-issuer", site.ca, "-CAfile", site.ca]
    for name, options in {
        "good": ["-no_nonce", "-cert", good],
        "revoked": ["-no_nonce", "-cert", bad],
        "nonce": ["-cert", good],
        "several": ["-cert", good, "-cert", bad, "-serial", "0x1234"],
    }.items():
        run(*ask, *options, "-respout", out).ok()
        site.lint.check("ocsp", f"ocsp-{name}", out)
    text = run("openssl", "ocsp", "-respin", out, "-resp_text", "-noverify").ok().text
    if "BEGIN CERTIFICATE" in text:
        signer = work / "responder.pem"
        signer.write_text("-----BEGIN" + text.partition("-----BEGIN")[2])
        site.lint.check("certificate", "ocsp-responder", signer)
        site.lint.check("chain", "ocsp-responder", site.ca, signer)


@case("pkilint: the CRL, empty of this case's doing and with a hold in it", EVERY)
def crl(site: Site, work: Path) -> None:
    device = site.device(work).certificate
    site.lint.check("crl", "crl", current(site, work))
    site.revoke(device, "certificateHold")
    after = current(site, work)
    entry = show(after).partition(openssl.field(device, "serial"))[2].partition("Serial Number")[0]
    assert "Certificate Hold" in entry, show(after)
    site.lint.check("crl", "crl", after)
