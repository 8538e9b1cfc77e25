"""A simulated tenant of Entra ID and Intune, and devices that enroll as its profiles say."""

import json
from dataclasses import dataclass
from pathlib import Path

from .http import fetch
from .process import Daemon
from .scep_client import Identity, ScepClient
from .site import without_ours

USAGES = {"1.3.6.1.5.5.7.3.2": "clientAuth"}
ATTRIBUTES = {"E": "emailAddress"}
NAMES = {
    "uri": "URI:{}",
    "dns": "DNS:{}",
    "email": "email:{}",
    "upn": "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:{}",
}


@dataclass
class Policy:
    """What Intune delivers to a device: a challenge, and what the request has to say."""

    challenge: str
    subject: str
    extensions: str

    @classmethod
    def read(cls, said: dict) -> "Policy":
        lines = []
        names = [NAMES[n["type"]].format(n["value"]) for n in said["subjectAlternativeNames"]]
        if names:
            lines.append("subjectAltName=" + ",".join(names))
        if said["keyUsage"]:
            lines.append("keyUsage=critical," + ",".join(said["keyUsage"]))
        if said["extendedKeyUsages"]:
            usages = [USAGES[usage] for usage in said["extendedKeyUsages"]]
            lines.append("extendedKeyUsage=" + ",".join(usages))
        parts = [part.partition("=") for part in said["subject"].split(",")]
        subject = "".join(f"/{ATTRIBUTES.get(kind, kind)}={value}" for kind, _, value in parts)
        return cls(said["challenge"], subject, "\n".join(lines))


class Tenant:
    """A tenant that a ready file tells of: of the simulator, or of a demo beside it."""

    def __init__(self, said: dict):
        self.url = said["simulator_url"]
        self.device, self.user = said["examples"]["intune_device_id"], said["examples"]["user_id"]

    def control(self, method: str, path: str, body: dict | None = None) -> dict:
        """What a person would do in the consoles of the real services."""
        sent = json.dumps(body or {}).encode() if method != "GET" else None
        answer = fetch(f"{self.url}/_control/{path}", sent, method=method)
        said = answer.body.decode(errors="replace")
        assert 200 <= answer.status < 300, f"{method} {path}: HTTP {answer.status}: {said}"
        return json.loads(said) if said.strip() else {}

    def profile(self, kind: str) -> str:
        """The id of the profile of certificates for a `device` or a `user`."""
        listed = self.control("GET", "profiles")["value"]
        return next(profile["id"] for profile in listed if profile["certificateType"] == kind)

    def policy(self, profile: str, device: str | None = None) -> Policy:
        asked = {"deviceId": device or self.device, "profileId": profile}
        return Policy.read(self.control("POST", "challenges", asked))

    def notified(self) -> list[str]:
        """The serial numbers of the certificates that Intune was told of."""
        listed = self.control("GET", "certificates")["value"]
        return [certificate["serialNumber"].upper() for certificate in listed]


class Simulator(Tenant):
    """`lanyard simulate` on an ephemeral port, for as long as the block lasts."""

    def __init__(self, program: Path, work: Path):
        work.mkdir(parents=True, exist_ok=True)
        self.work, self._ready = work, work / "ready.json"
        command = [program, "simulate", "--listen", "127.0.0.1:0", "--devices", "12"]
        command += ["--ready-file", self._ready]
        self._daemon = Daemon(*command, log=work / "log", env=without_ours())

    def __enter__(self) -> "Simulator":
        try:
            self._daemon.wait_for_file(self._ready)
            said = json.loads(self._ready.read_text())
        except BaseException:
            self._daemon.stop()
            raise
        super().__init__(said)
        (self.work / "secret").write_text(said["client_secret"])
        self._account = said["tenant_id"], said["client_id"]
        return self

    def __exit__(self, *_) -> None:
        self._daemon.stop()

    def settings(self) -> str:
        """The section that makes an installation follow it; the last one of a file."""
        tenant_id, client_id = self._account
        return f"""
endpoints.static.requested_usages = 'granted'
[[directory]]
name = 'contoso'
tenant_id = '{tenant_id}'
url = '{self.url}'
client_id = '{client_id}'
secret_file = '{self.work / "secret"}'
change_interval = '1s'
max_detection_delay = '1s'
"""


def enroll(url: str, work: Path, policy: Policy) -> Identity:
    """A new key with a certificate as the policy wants it."""
    work.mkdir(parents=True, exist_ok=True)
    client = ScepClient(url, work)
    return client.enroll(policy.subject, policy.challenge, policy.extensions)
