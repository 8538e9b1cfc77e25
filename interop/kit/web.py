"""nginx and Apache on loopback, asking an OCSP responder about the certificates of their callers."""

import os
from pathlib import Path

from .process import Daemon, Finished, free_port, run

NGINX = """
daemon off; master_process off; worker_processes 1;
pid {work}/nginx.pid; error_log stderr info;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
  uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_client_certificate {ca}; ssl_verify_client on; ssl_verify_depth 2; ssl_ocsp leaf;
    location / {{ return 200 "welcome"; }}
  }}
}}
"""

APACHE = """
ServerRoot {work}
ServerName localhost
PidFile {work}/httpd.pid
Listen 127.0.0.1:{port}
DirectoryIndex index.html
ErrorLog /dev/stderr
LogLevel info
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
{owner}DocumentRoot {work}/www
SSLEngine on
SSLProtocol -all +TLSv1.2
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
SSLCACertificateFile {ca}
SSLVerifyClient require
SSLVerifyDepth 2
SSLOCSPEnable leaf
"""


# Apache started by root gives its rights up, and insists on being told to whom.
OWNER = "User www-data\nGroup www-data\n"


class WebServer:
    """A TLS server for `localhost` that requires a client certificate and checks it by OCSP."""

    def __init__(
        self, kind: str, work: Path, certificate: Path, key: Path, ca: Path, trusted: Path | None = None
    ):
        """`ca` is the callers' authority, `trusted` what callers know the server's by, if another."""
        self.port, self.trusted = free_port(), trusted or ca
        place = work / kind
        (place / "www").mkdir(parents=True)
        (place / "www" / "index.html").write_text("welcome")
        settings = place / "settings.conf"
        text = NGINX if kind == "nginx" else APACHE
        settings.write_text(
            text.format(
                work=place, port=self.port, certificate=certificate, key=key, ca=ca,
                modules="/usr/lib/apache2/modules", owner=OWNER if os.geteuid() == 0 else "",
            )  # fmt: skip
        )
        if kind == "nginx":
            command = ["nginx", "-p", place, "-e", "stderr", "-c", settings]
        else:
            command = ["apache2", "-d", place, "-f", settings, "-D", "FOREGROUND"]
        self._daemon = Daemon(*command, log=place / "log")

    def visit(self, certificate: Path, key: Path) -> Finished:
        """Fetches the page with curl as the holder of a certificate."""
        address = f"https://localhost:{self.port}/"
        options = ["-sS", "--max-time", "20", "--resolve", f"localhost:{self.port}:127.0.0.1"]
        options += ["--cacert", self.trusted, "--cert", certificate, "--key", key]
        return run("curl", *options, "-w", "\n%{http_code}", address)

    def log(self) -> str:
        return self._daemon.text()

    def __enter__(self) -> "WebServer":
        self._daemon.wait_for_port(self.port)
        return self

    def __exit__(self, *_) -> None:
        self._daemon.stop()
