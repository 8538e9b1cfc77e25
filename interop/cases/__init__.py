"""The cases, a file for each client."""

from . import (  # noqa: F401
    apache_nginx,
    authority,
    benches,
    certmonger,
    crash,
    crl,
    demo,
    gnutls,
    lint,
    ndes,
    nss,
    openssl_ocsp,
    own_client,
    raw_http,
    scep_messages,
    scep_refusals,
    scepclient,
    settings,
    strongswan,
    wifi,
)
