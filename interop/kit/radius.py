"""Wi-Fi without the radio: FreeRADIUS as the network, wpa_supplicant's eapol_test as the device.

Both speak EAP-TLS over RADIUS on loopback as an account without rights. Session resumption is off, as
it is by default: a resumed session asks nobody about the certificate.
"""

import re
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from .process import Daemon, free_port, hand_over, run, unprivileged
from .scep_client import Identity

NAME = "radius.example.org"
NAMED = "the address that the certificate names"
TELLING = re.compile(r"OCSP|ocsp|TLS-Client-Cert-S|certificate|Alert|ERROR|Sent Access")

NETWORK = """
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {place}
raddbdir = {place}
run_dir = {place}
pidfile = {place}/pid
max_request_time = 30
security {{ allow_core_dumps = no }}
client loopback {{
  ipaddr = 127.0.0.1
  secret = {secret}
}}
modules {{
  eap {{
    default_eap_type = tls
    tls-config devices {{
      private_key_file = {place}/server.key
      certificate_file = {place}/server.pem
      ca_file = {place}/trusted.pem
      tls_min_version = "{tls}"
      tls_max_version = "{tls}"
      check_crl = {check_crl}
      cache {{
        enable = no
      }}
      ocsp {{
        enable = {ocsp}
        override_cert_url = {override}
        url = "{url}"
        use_nonce = yes
        timeout = 10
        softfail = no
      }}
    }}
    tls {{
      tls = devices
    }}
  }}
}}
server wifi {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {port}
  }}
  authorize {{
    eap
  }}
  authenticate {{
    eap
  }}
}}
"""

DEVICE = """
network={{
  key_mgmt=WPA-EAP
  eap=TLS
  identity="anonymous"
  ca_cert="{place}/ca.pem"
  domain_match="{name}"
  client_cert="{place}/device.pem"
  private_key="{place}/device.key"
  phase1="tls_disable_tlsv1_3={tls13_off}"
}}
"""


@dataclass
class Attempt:
    """How an authentication ended for the device, and what both sides wrote meanwhile."""

    let_in: bool
    device: str
    network: str

    def accepted(self, *says: str) -> None:
        assert self.let_in, f"rejected:\n{self.told}"
        assert "Sent Access-Accept" in self.network, f"nobody accepted:\n{self.told}"
        self._says(says)

    def rejected(self, *says: str) -> None:
        """Insists on the reason too: a network that rejects everyone is no proof."""
        assert not self.let_in, f"accepted:\n{self.told}"
        assert "Sent Access-Reject" in self.network, f"nobody rejected:\n{self.told}"
        self._says(says)

    def _says(self, says: tuple[str, ...]) -> None:
        for said in says:
            assert said in self.network, f"does not say {said!r}:\n{self.told}"

    @property
    def told(self) -> str:
        """What a person wants to see of a failure: the network's lines about TLS and OCSP."""
        telling = [line for line in self.network.splitlines() if TELLING.search(line)]
        return "\n".join([*self.device.splitlines()[-3:], *telling[-40:]])


class Network:
    """FreeRADIUS that lets devices of one CA in, after a look at their certificates' status."""

    def __init__(
        self, place: Path, own: Identity, ca: Path, ocsp: str | None = NAMED,
        crl: Path | None = None, tls: str = "1.2", known_by: Path | None = None,
    ):  # fmt: skip
        """Asks at the OCSP address that a certificate names or at another, or reads a CRL.

        `ca` is the devices' authority, `known_by` the network's own, if another.
        """
        place.mkdir()
        self.place, self.tls, self.secret = place, tls, "secret-of-the-tests"
        self._known_by = known_by or ca
        self._port = free_port(socket.SOCK_DGRAM)
        settings = place / "radiusd.conf"
        settings.write_text(
            NETWORK.format(
                place=place, port=self._port, secret=self.secret, tls=tls,
                ocsp=yes(ocsp), override=yes(ocsp != NAMED), url=ocsp, check_crl=yes(crl),
            )  # fmt: skip
        )
        shutil.copy(own.certificate, place / "server.pem")
        shutil.copy(own.key, place / "server.key")
        trusted = [ca, crl] if crl else [ca]
        (place / "trusted.pem").write_bytes(b"".join(file.read_bytes() for file in trusted))
        hand_over(place, *place.iterdir())
        self._attempts = 0
        self._daemon: Daemon | None = None

    def authenticate(self, device: Identity) -> Attempt:
        """One whole authentication, from the first EAP message to accept or reject."""
        self._attempts += 1
        place = self.place / f"attempt-{self._attempts}"
        place.mkdir()
        shutil.copy(device.certificate, place / "device.pem")
        shutil.copy(device.key, place / "device.key")
        shutil.copy(self._known_by, place / "ca.pem")
        settings = place / "eapol.conf"
        tls13_off = 0 if self.tls == "1.3" else 1
        settings.write_text(DEVICE.format(place=place, name=NAME, tls13_off=tls13_off))
        hand_over(place, *place.iterdir())
        before = len(self._daemon.text())
        peer = ["-a", "127.0.0.1", "-p", self._port, "-s", self.secret, "-t", 25]
        done = run("eapol_test", "-c", settings, *peer, cwd=place, account=unprivileged())
        return Attempt(done.status == 0, done.text.strip(), self._daemon.text()[before:])

    def __enter__(self) -> "Network":
        command = ["freeradius", "-d", self.place, "-n", "radiusd", "-fxx", "-l", "stdout"]
        log = self.place / "log"
        self._daemon = Daemon(*command, log=log, cwd=self.place, account=unprivileged())
        try:
            self._daemon.wait_for_text("Ready to process requests")
        except AssertionError:
            self._daemon.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._daemon.stop()


def yes(what: object) -> str:
    return "yes" if what else "no"
