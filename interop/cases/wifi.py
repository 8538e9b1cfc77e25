"""Wi-Fi with EAP-TLS: who gets in depends on what the CA says of the certificate at that moment."""

from pathlib import Path

from kit.radius import NAME, Network
from kit.recorder import Exchange, Recorder, forward_to, reply
from kit.scep_client import Identity
from kit.site import Lanyard, Site
from kit.suite import EVERY, case

from .crl import current
from .settings import installation

REVOKED = "ocsp: Cert status: revoked"
TRY_LATER = bytes.fromhex("30030a0103")


def wireless(site: Site, work: Path) -> Lanyard:
    """An installation that lets the RADIUS server's request decide what it may be used for."""
    return installation(site, work, "endpoints.static.requested_usages = 'granted'", site.name)


def radius_certificate(server: Lanyard, work: Path) -> Identity:
    usage = f"extendedKeyUsage=serverAuth\nsubjectAltName=DNS:{NAME}"
    return server.device(work / "radius", f"/CN={NAME}", usage)


@case("FreeRADIUS asks by OCSP: good gets in, on hold and revoked do not, released does", EVERY)
def by_ocsp(site: Site, work: Path) -> None:
    with wireless(site, work) as server:
        own = radius_certificate(server, work)
        device = server.device(work / "device", "/CN=laptop-1")
        with Network(work / "network", own, server.ca) as network:
            network.authenticate(device).accepted("ocsp: Cert status: good")
            server.revoke(device.certificate, "certificateHold")
            network.authenticate(device).rejected(REVOKED, "Reason: certificateHold")
            server.release(device.certificate)
            network.authenticate(device).accepted("ocsp: Cert status: good")
            server.revoke(device.certificate)
            network.authenticate(device).rejected(REVOKED, "Reason: keyCompromise")


@case("FreeRADIUS keeps out whom it cannot ask about, until it can again", ("rsa:2048",))
def unreachable(site: Site, work: Path) -> None:
    with wireless(site, work) as server:
        own = radius_certificate(server, work)
        device = server.device(work / "device", "/CN=laptop-2")
        with Network(work / "network", own, server.ca) as network:
            network.authenticate(device).accepted()
            server.stop()
            network.authenticate(device).rejected("ocsp: Couldn't get OCSP response")
            server.start()
            network.authenticate(device).accepted()


@case("FreeRADIUS believes neither an old answer nor one that says to try later", ("P-256",))
def untrusted_answers(site: Site, work: Path) -> None:
    with wireless(site, work) as server:
        own = radius_certificate(server, work)
        device = server.device(work / "device", "/CN=laptop-3")
        pass_on, answers = forward_to(server.port), []

        def between(exchange: Exchange) -> bytes:
            return answers[-1] if answers else pass_on(exchange)

        with Recorder(between) as peer:
            with Network(work / "network", own, server.ca, ocsp=peer.url + "/ocsp") as network:
                network.authenticate(device).accepted("ocsp: Cert status: good")
                server.revoke(device.certificate)
                network.authenticate(device).rejected(REVOKED)
                good = peer.take()[0].reply
                # The nonce of a request that is over.
                answers.append(good)
                network.authenticate(device).rejected("ocsp: Response has wrong nonce value")
                answers.append(reply(TRY_LATER, "application/ocsp-response"))
                network.authenticate(device).rejected("trylater")


@case("FreeRADIUS goes by the CRL it was given, without asking anyone", ("rsa:2048", "P-384"))
def by_crl(site: Site, work: Path) -> None:
    with wireless(site, work) as server:
        own = radius_certificate(server, work)
        device = server.device(work / "device", "/CN=laptop-4")
        other = server.device(work / "other", "/CN=laptop-5")

        def network(name: str) -> Network:
            crl = current(server, work)
            return Network(work / name, own, server.ca, ocsp=None, crl=crl)

        before = network("before")
        server.revoke(device.certificate, "certificateHold")
        held = network("held")
        server.release(device.certificate)
        released = network("released")
        server.revoke(device.certificate)
        after = network("after")
        server.stop()
        for crl in (before, released):
            with crl as network:
                network.authenticate(device).accepted()
        for crl in (held, after):
            with crl as network:
                network.authenticate(device).rejected("certificate revoked")
                network.authenticate(other).accepted()
        server.start()


@case("FreeRADIUS with TLS 1.3 asks by OCSP as well", ("P-256",))
def by_tls_1_3(site: Site, work: Path) -> None:
    with wireless(site, work) as server:
        own = radius_certificate(server, work)
        device = server.device(work / "device", "/CN=laptop-6")
        with Network(work / "network", own, server.ca, tls="1.3") as network:
            network.authenticate(device).accepted("ocsp: Cert status: good", "TLS 1.3")
            server.revoke(device.certificate)
            network.authenticate(device).rejected(REVOKED, "TLS 1.3")
