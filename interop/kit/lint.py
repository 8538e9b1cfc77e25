"""pkilint over certificates, CRLs and OCSP responses; what it says must stand in the ledger."""

import fnmatch
import json
from pathlib import Path

from .process import run

PROGRAMS = {
    "certificate": ("lint_pkix_cert", []),
    "chain": ("lint_pkix_signer_signee_cert_chain", []),
    "crl": ("lint_crl", ["-t", "CRL", "-p", "PKIX"]),
    "ocsp": ("lint_ocsp_response", []),
}


class Linter:
    """Runs pkilint from its folder, and holds each finding against the recorded ones."""

    def __init__(self, folder: Path, entries: list[dict]):
        self.folder = folder
        self.entries = entries
        self.met: set[int] = set()

    def check(self, kind: str, name: str, *files: Path) -> None:
        """Fails on every finding from WARNING up that no entry explains; `name` says what it is."""
        program, options = PROGRAMS[kind]
        command = [self.folder / program, "lint", *options, "-s", "WARNING", "-f", "JSON", *files]
        done = run(*command)
        try:
            results = json.loads(done.out)["results"]
        except (ValueError, KeyError):
            raise AssertionError(f"pkilint cannot read {name}:\n{done.text}") from None
        unexplained = []
        for result in results:
            for finding in result["finding_descriptions"]:
                message = finding["message"] or ""
                if not self._explained(name, finding["code"], message):
                    said = f"{finding['severity']} {finding['code']} at {result['node_path']}"
                    unexplained.append(f"{name}: {said}: {message}")
        assert not unexplained, "\n".join(unexplained)

    def _explained(self, name: str, code: str, message: str) -> bool:
        for number, entry in enumerate(self.entries):
            named = entry["code"] == code and fnmatch.fnmatchcase(name, entry["document"])
            if named and entry.get("says", "") in message:
                self.met.add(number)
                return True
        return False

    def unmet(self) -> list[str]:
        entries = enumerate(self.entries)
        return [f"{e['document']}: {e['code']}" for n, e in entries if n not in self.met]
