"""Certificates as an authority issues them, in files as a process is given them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from headrace.runtime.certificates import CertificateFiles


class Authority:
    """Issues certificates into folders of `folder`; its own is in `file`."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(
        self,
        *names: str,
        into: str | None = None,
        ends_in_s: float = 3_600,
        common_name: str | None = None,
    ) -> CertificateFiles:
        """A certificate for these host names and addresses, replacing what the folder has.

        into: the folder's name; by default the first of `names`. ends_in_s: rounded to seconds.
        """
        folder = self._folder / (into or names[0])
        folder.mkdir(exist_ok=True)
        issued = self._ca.issue_cert(
            *names,
            common_name=common_name,
            not_before=datetime.now(UTC) - timedelta(hours=1),
            not_after=datetime.now(UTC) + timedelta(seconds=ends_in_s),
        )
        files = CertificateFiles(
            "HEADRACE_GRPC", str(folder / "tls.crt"), str(folder / "tls.key"), str(self.file)
        )
        issued.private_key_pem.write_to_path(files.key)
        Path(files.certificate).write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        return files
