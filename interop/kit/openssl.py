"""Keys, requests and certificates made by the openssl command."""

from pathlib import Path

from .process import run


FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


def key(path: Path, algorithm: str = "rsa:2048") -> Path:
    """Makes a private key: `rsa:<bits>`, `P-256`, `P-384`, `P-521` or `ed25519`.

    The long ones take minutes to make, so they are fixtures.
    """
    if algorithm == "rsa:8192":
        path.write_bytes((FIXTURES / "keys" / "rsa-8192.key").read_bytes())
        return path
    if algorithm.startswith("rsa:"):
        options = ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{algorithm[4:]}"]
    elif algorithm == "ed25519":
        options = ["-algorithm", "ED25519"]
    else:
        options = ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{algorithm}"]
    run("openssl", "genpkey", *options, "-out", path).ok()
    return path


def authority(folder: Path, algorithm: str = "rsa:2048", name: str = "/CN=Fixture CA") -> Path:
    """Makes a self-signed CA that may also receive SCEP messages; returns its certificate."""
    folder.mkdir(parents=True, exist_ok=True)
    key(folder / "ca.key", algorithm)
    run(
        "openssl", "req", "-x509", "-new", "-key", folder / "ca.key", "-sha256", "-days", "7300",
        "-subj", name, "-out", folder / "ca.pem",
        "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign,cRLSign",
    ).ok()  # fmt: skip
    return folder / "ca.pem"


def request(key_path: Path, out: Path, subject: str, *extra) -> Path:
    """Makes a PKCS#10 request."""
    run("openssl", "req", "-new", "-key", key_path, "-subj", subject, "-out", out, *extra).ok()
    return out


def issue(folder: Path, csr: Path, out: Path, extensions: str, days: int = 3650) -> Path:
    """Issues a certificate from the CA in `folder` with the extensions of an openssl section."""
    settings = out.with_suffix(".cnf")
    settings.write_text(extensions + "\n")
    run(
        "openssl", "x509", "-req", "-in", csr, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
        "-sha256", "-days", days, "-extfile", settings, "-copy_extensions", "copy", "-out", out,
    ).ok()  # fmt: skip
    settings.unlink()
    return out


def der(pem: Path) -> bytes:
    """A certificate file's DER."""
    return run("openssl", "x509", "-in", pem, "-outform", "DER").ok().out


def der_of(pem: str) -> bytes:
    """A certificate's DER, from text."""
    return run("openssl", "x509", "-outform", "DER", stdin=pem.encode()).ok().out


def certificates(text: str) -> list[str]:
    """The PEM certificates in a text, each by itself."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return [begin + part.partition(end)[0] + end + "\n" for part in text.split(begin)[1:]]


def field(pem: Path, name: str) -> str:
    """One field of a certificate as openssl prints it: `serial`, `subject`, `enddate`, …"""
    printed = run("openssl", "x509", "-in", pem, "-noout", f"-{name}").ok().out.decode()
    return printed.strip().partition("=")[2]


def show(pem: Path) -> str:
    """A certificate as text."""
    return run("openssl", "x509", "-in", pem, "-noout", "-text").ok().out.decode()


def public_key(pem: Path) -> bytes:
    """A certificate's public key."""
    return run("openssl", "x509", "-in", pem, "-noout", "-pubkey").ok().out
