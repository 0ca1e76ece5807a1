"""A certificate, its key, and whom it trusts, from files that may be replaced at any time."""

import logging
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from headrace.errors import SettingsInvalid
from headrace.runtime.metrics import CERTIFICATE_ENDS, CERTIFICATE_RENEWALS

log = logging.getLogger(__name__)

_LOOK_PERIOD_S = 1.0

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Material:
    """What the files held together, as PEM, and when the certificate ends."""

    certificate: bytes
    key: bytes
    authority: bytes
    """Empty where nobody is asked for a certificate."""
    ends: datetime


@dataclass(frozen=True)
class CertificateFiles:
    """Paths of PEM files, and the start of the variables that named them: `HEADRACE_GRPC`."""

    variables: str
    certificate: str
    """The certificate itself first, then those between it and the authority."""
    key: str
    authority: str = ""
    """The certificates that others' must come from. Empty: nobody is asked for one."""

    @property
    def use(self) -> str:
        """One word, for metrics."""
        return self.variables.removeprefix("HEADRACE_").lower()

    def given(self) -> list[str]:
        """The variables that are set."""
        paths = {"CERTIFICATE": self.certificate, "KEY": self.key, "CA": self.authority}
        return [f"{self.variables}_{what}_FILE" for what, path in paths.items() if path]

    def check(self) -> None:
        """Whoever reads the files by their paths could use them. Raises: SettingsInvalid."""
        if self.certificate or self.key:
            for what, path in (("CERTIFICATE", self.certificate), ("KEY", self.key)):
                if not path:
                    raise SettingsInvalid(
                        f"{self.variables}_{what}_FILE must be set: certificate and key go together"
                    )
            self.read()
        elif self.authority:
            self._certificates("CA", self.authority)

    def read(self) -> Material:
        """Raises: SettingsInvalid where a file is missing, no PEM, ended, or no pair."""
        chain, pem = self._certificates("CERTIFICATE", self.certificate)
        ends = chain[0].not_valid_after_utc
        if ends <= datetime.now(UTC):
            raise self._wrong("CERTIFICATE", self.certificate, f"it ended at {ends:%Y-%m-%d %H:%M}")
        key_pem = self._content("KEY", self.key)
        try:
            key = load_pem_private_key(key_pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise self._wrong("KEY", self.key, "must hold a key in PEM without password") from error
        if key.public_key() != chain[0].public_key():
            raise self._wrong("KEY", self.key, f"is not the key of {self.certificate}")
        authority = self._certificates("CA", self.authority)[1] if self.authority else b""
        return Material(pem, key_pem, authority, ends)

    def stamp(self) -> Stamp:
        """Another one as soon as a file is. Raises: OSError where one is missing."""
        found = (os.stat(path) for path in (self.certificate, self.key, self.authority) if path)  # noqa: PTH116 - not a Path
        return tuple((stat.st_mtime_ns, stat.st_ino, stat.st_size) for stat in found)

    def _certificates(self, what: str, path: str) -> tuple[list[x509.Certificate], bytes]:
        pem = self._content(what, path)
        try:
            return x509.load_pem_x509_certificates(pem), pem
        except ValueError as error:
            raise self._wrong(what, path, "must hold certificates in PEM") from error

    def _content(self, what: str, path: str) -> bytes:
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise self._wrong(what, path, f"cannot be read: {error.strerror}") from error

    def _wrong(self, what: str, path: str, reason: str) -> SettingsInvalid:
        return SettingsInvalid(f"{self.variables}_{what}_FILE={path!r}: {reason}")


class Certificates:
    """The files' content, read again once they changed. Safe from any thread.

    New files are taken only as a whole and in order: a certificate whose key has not been written
    yet, or that ended, leaves the one before in use.
    """

    def __init__(self, files: CertificateFiles, look_period_s: float = _LOOK_PERIOD_S) -> None:
        """look_period_s: between two looks at the files. Raises: SettingsInvalid."""
        self.files = files
        self._look_period_s = look_period_s
        self._lock = threading.Lock()
        self._material = files.read()
        self._taken = self._refused = self._stamp()
        self._next_look = time.monotonic() + look_period_s
        # At each scrape: somebody has to look where no connection is made for days.
        CERTIFICATE_ENDS.labels(files.use).set_function(self._ends_at)

    def current(self) -> Material:
        """The same object until the files change."""
        if time.monotonic() >= self._next_look:
            with self._lock:
                if time.monotonic() >= self._next_look:
                    self._look()
                    self._next_look = time.monotonic() + self._look_period_s
        return self._material

    def _ends_at(self) -> float:
        return self.current().ends.timestamp()

    def _look(self) -> None:
        stamp = self._stamp()
        if stamp == self._taken:
            return
        try:
            self._material = self.files.read()
        except SettingsInvalid as error:
            if stamp != self._refused:
                self._refused = stamp
                CERTIFICATE_RENEWALS.labels(self.files.use, "refused").inc()
                log.warning("the certificate before stays in use: %s", error)
            return
        self._taken = stamp
        CERTIFICATE_RENEWALS.labels(self.files.use, "taken").inc()
        log.info(
            "certificate renewed", extra={"use": self.files.use, "ends": str(self._material.ends)}
        )

    def _stamp(self) -> Stamp:
        try:
            return self.files.stamp()
        except OSError:
            return ()
