"""Certificates are taken from files as a whole, and only in order."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from headrace.errors import SettingsInvalid
from headrace.runtime.certificates import Certificates
from headrace.runtime.settings import PeerSettings, load_settings
from tests.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def _renewals(result: str) -> float:
    labels = {"use": "grpc", "result": result}
    return REGISTRY.get_sample_value("headrace_certificate_renewals_total", labels) or 0.0


def test_a_replaced_certificate_is_taken(authority: Authority) -> None:
    certificates = Certificates(authority.issue("ranker"), look_period_s=0)
    first, taken = certificates.current(), _renewals("taken")
    assert certificates.current() is first
    authority.issue("ranker", ends_in_s=7_200)
    assert certificates.current().certificate != first.certificate
    assert _renewals("taken") == taken + 1
    ends = REGISTRY.get_sample_value("headrace_certificate_ends_seconds", {"use": "grpc"})
    assert ends == certificates.current().ends.timestamp()


def test_files_are_not_looked_at_before_the_period_is_over(authority: Authority) -> None:
    certificates = Certificates(authority.issue("ranker"), look_period_s=3_600)
    first = certificates.current()
    authority.issue("ranker")
    assert certificates.current() is first


def test_a_certificate_waits_for_its_key(authority: Authority) -> None:
    files = authority.issue("ranker")
    certificates, other = Certificates(files, look_period_s=0), authority.issue("other")
    first, refused = certificates.current(), _renewals("refused")
    Path(files.certificate).write_bytes(Path(other.certificate).read_bytes())
    assert certificates.current() is first
    assert certificates.current() is first
    assert _renewals("refused") == refused + 1  # told once
    Path(files.key).write_bytes(Path(other.key).read_bytes())
    assert certificates.current().key == Path(other.key).read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nnone"])
def test_what_is_no_certificate_leaves_the_one_before(
    authority: Authority, content: bytes | None
) -> None:
    files = authority.issue("ranker")
    certificates = Certificates(files, look_period_s=0)
    first = certificates.current()
    Path(files.certificate).unlink()
    if content is not None:
        Path(files.certificate).write_bytes(content)
    assert certificates.current() is first


def test_one_that_ended_leaves_the_one_before(authority: Authority) -> None:
    certificates = Certificates(authority.issue("ranker"), look_period_s=0)
    first = certificates.current()
    authority.issue("ranker", ends_in_s=-60)
    assert certificates.current() is first


@dataclass(frozen=True, kw_only=True)
class Settings(PeerSettings):
    pass


def _settings(authority: Authority, **changes: str) -> Settings:
    files = authority.issue("ranker")
    given = {"CERTIFICATE": files.certificate, "KEY": files.key, "CA": files.authority, **changes}
    return load_settings(
        Settings, {f"HEADRACE_GRPC_{what}_FILE": path for what, path in given.items() if path}
    )


def test_without_variables_connections_are_as_before(authority: Authority) -> None:
    assert load_settings(Settings, {}).peers() is None
    peers = _settings(authority).peers()
    assert peers is not None
    assert peers.current().authority == authority.file.read_bytes()


def test_all_three_or_none(authority: Authority) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        _settings(authority, KEY="", CA="").peers()
    assert str(caught.value) == (
        "HEADRACE_GRPC_KEY_FILE, HEADRACE_GRPC_CA_FILE must be set where "
        "HEADRACE_GRPC_CERTIFICATE_FILE is, or none of them"
    )


def test_start_errors_name_the_variable_at_fault(authority: Authority, tmp_path: Path) -> None:
    other, ended = authority.issue("other"), authority.issue("ended", ends_in_s=-60)
    text = tmp_path / "text"
    text.write_text("hunter2")
    wrong = {
        "CERTIFICATE": {
            "/nowhere": "cannot be read: No such file or directory",
            str(text): "must hold certificates in PEM",
            ended.certificate: "it ended at ",
        },
        "KEY": {
            str(text): "must hold a key in PEM without password",
            other.key: "is not the key of ",
        },
        "CA": {str(tmp_path): "cannot be read: Is a directory"},
    }
    for what, paths in wrong.items():
        for path, reason in paths.items():
            with pytest.raises(SettingsInvalid) as caught:
                _settings(authority, **{what: path}).peers()
            assert f"HEADRACE_GRPC_{what}_FILE={path!r}: {reason}" in str(caught.value)
            assert "hunter2" not in str(caught.value)
