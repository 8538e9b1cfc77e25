"""Certificates that follow a device or a person: enrolled through Intune, shown to a Wi-Fi network."""

import json
import threading
from pathlib import Path

from kit import openssl
from kit.process import Daemon, free_port, run
from kit.radius import NAME, Network
from kit.scep_client import Identity
from kit.site import Lanyard, Site, without_ours
from kit.suite import case
from kit.tenant import Policy, Simulator, Tenant, enroll

from .crl import current, show
from .ndes import PATH, tethered
from .settings import ONE
from .wifi import REVOKED, radius_certificate

GOOD = "ocsp: Cert status: good"


def through_intune(server: Lanyard, work: Path, policy: Policy) -> Identity:
    return enroll(f"{server.base_url}{PATH}/pkiclient.exe", work, policy)


@case("a device that Intune wipes is out of the Wi-Fi at its next authentication", ("rsa:2048", "P-256"))
def wiped(site: Site, work: Path) -> None:
    with Simulator(site.program, work / "tenant") as tenant, tethered(site, work, tenant) as server:
        device = through_intune(server, work / "device", tenant.policy(tenant.profile("device")))
        serial = openssl.field(device.certificate, "serial")
        assert serial in tenant.notified(), f"{serial} is not among {tenant.notified()}"
        site.lint.check("certificate", "device-of-intune", device.certificate)
        own = radius_certificate(server, work)
        with Network(work / "network", own, server.ca) as network:
            network.authenticate(device).accepted(GOOD)
            tenant.control("POST", f"managedDevices/{tenant.device}/wipe")
            detected(network, device, let_in=False).rejected(REVOKED, "cessationOfOperation")
            # For good, whatever the device's state says later.
            tenant.control("POST", f"managedDevices/{tenant.device}/cancel")
            network.authenticate(device).rejected(REVOKED, "cessationOfOperation")
        crl = listing(server, work, device, "Cessation Of Operation")
        site.lint.check("crl", "crl", crl)
        with Network(work / "by-crl", own, server.ca, ocsp=None, crl=crl) as network:
            network.authenticate(server.device(work / "other", "/CN=other")).accepted()
            network.authenticate(device).rejected("certificate revoked")


@case("a person who is disabled is out of the Wi-Fi, and in again once enabled", ("P-256",))
def disabled(site: Site, work: Path) -> None:
    with Simulator(site.program, work / "tenant") as tenant, tethered(site, work, tenant) as server:
        person = through_intune(server, work / "person", tenant.policy(tenant.profile("user")))
        site.lint.check("certificate", "person", person.certificate)
        own = radius_certificate(server, work)
        with Network(work / "network", own, server.ca) as network:
            network.authenticate(person).accepted(GOOD)
            tenant.control("PATCH", f"users/{tenant.user}", {"accountEnabled": False})
            detected(network, person, let_in=False).rejected(REVOKED, "certificateHold")
            site.lint.check("crl", "crl", listing(server, work, person, "Certificate Hold"))
            tenant.control("PATCH", f"users/{tenant.user}", {"accountEnabled": True})
            detected(network, person, let_in=True).accepted(GOOD)
            listing(server, work, person, None)
            tenant.control("DELETE", f"users/{tenant.user}")
            detected(network, person, let_in=False).rejected(REVOKED, "affiliationChanged")


@case("a silent directory locks nobody out of the Wi-Fi, and lets nobody back in", ("P-256",))
def outage(site: Site, work: Path) -> None:
    with Simulator(site.program, work / "tenant") as tenant, tethered(site, work, tenant) as server:
        device = through_intune(server, work / "device", tenant.policy(tenant.profile("device")))
        person = through_intune(server, work / "person", tenant.policy(tenant.profile("user")))
        own = radius_certificate(server, work)
        with Network(work / "network", own, server.ca) as network:
            tenant.control("PATCH", f"users/{tenant.user}", {"accountEnabled": False})
            detected(network, person, let_in=False).rejected(REVOKED, "certificateHold")
            tenant.control("PUT", "faults", {"faults": [{"kind": "outage", "service": "graph"}]})
            tenant.control("PATCH", f"users/{tenant.user}", {"accountEnabled": True})
            network.authenticate(device).accepted(GOOD)
            network.authenticate(person).rejected(REVOKED, "certificateHold")
            tenant.control("DELETE", "faults")
            detected(network, person, let_in=True).accepted(GOOD)


def detected(network: Network, device: Identity, let_in: bool):
    """The first authentication that ends so: the directory is asked when what is known is a second old."""
    tick = threading.Event()
    for _ in range(60):
        attempt = network.authenticate(device)
        if attempt.let_in == let_in:
            break
        tick.wait(0.25)
    return attempt


def listing(server: Lanyard, work: Path, of: Identity, reason: str | None) -> Path:
    """The CRL, as soon as it gives the reason for a certificate, or does not list it."""
    serial, tick = openssl.field(of.certificate, "serial"), threading.Event()
    for _ in range(60):
        crl = current(server, work)
        entry = show(crl).partition(serial)[2].partition("Serial Number")[0]
        if reason in entry if reason else not entry:
            return crl
        tick.wait(0.5)
    raise AssertionError(f"the CRL does not say {reason} of {serial}:\n{show(crl)}")


@case("a device of the demo is out of the Wi-Fi once it is wiped", ONE)
def demonstrated(site: Site, work: Path) -> None:
    ready = work / "ready.json"
    command = [site.program, "demo", "--ready-file", ready, "--data", work / "data"]
    command += ["--listen", f"127.0.0.1:{free_port()}", "--ca-key", "p-256"]
    with Daemon(*command, log=work / "log", env=without_ours()) as daemon:
        daemon.wait_for_file(ready, limit=120)
        said = json.loads(ready.read_text())
        tenant = Tenant(said)
        managed = tenant.control("GET", "managedDevices?top=100")["value"]
        of_others = [d["id"] for d in managed if d["operatingSystem"] == "Windows"]
        policy = tenant.policy(tenant.profile("device"), of_others[-1])
        device = enroll(said["intune_url"], work / "device", policy)
        # The network's own certificate is somebody else's: /static of a demo certifies clients only.
        openssl.authority(work / "network-ca", "P-256", "/CN=Somebody else")
        key = openssl.key(work / "radius.key", "P-256")
        csr = openssl.request(key, work / "radius.csr", f"/CN={NAME}")
        usage = f"subjectAltName=DNS:{NAME}\nextendedKeyUsage=serverAuth"
        own = openssl.issue(work / "network-ca", csr, work / "radius.pem", usage, days=30)
        known_by, ca = work / "network-ca" / "ca.pem", Path(said["ca_file"])
        with Network(work / "network", Identity(key, own), ca, known_by=known_by) as network:
            network.authenticate(device).accepted(GOOD)
            tenant.control("POST", f"managedDevices/{of_others[-1]}/wipe")
            # Sooner than the demo would look by itself.
            look = ["directory", "sync", "--data", said["data_dir"]]
            run(site.program, *look, env=without_ours()).ok()
            detected(network, device, let_in=False).rejected(REVOKED, "cessationOfOperation")
