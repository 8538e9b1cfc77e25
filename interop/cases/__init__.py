"""The cases, a file for each client."""

from . import apache_nginx, certmonger, gnutls, nss, openssl_ocsp, scepclient, strongswan  # noqa: F401
