"""What is taken from a web server, and what is not."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trustme

from headrace.local.ports import HOST, free_ports
from headrace.pictures.reading import Flaw, reduced
from services.item_embedding.picture_fetch import Miss, PictureFetch
from tests.integration.item_embedding.web import BLUE_CROSS, RED_DISC, Shop, shop


@pytest.fixture(scope="module")
def open_shop() -> Iterator[Shop]:
    with shop() as server:
        yield server


def same(one: object, content: bytes) -> bool:
    return isinstance(one, np.ndarray) and np.array_equal(one, reduced(content))


def test_a_picture_at_a_listed_origin_is_read(open_shop: Shop) -> None:
    get = PictureFetch([open_shop.origin]).get
    assert same(get(f"{open_shop.origin}/red.png"), RED_DISC)
    assert same(get(f"{open_shop.origin}/blue.jpg?size=l&x=é"), BLUE_CROSS)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/moved.png", Miss.REDIRECTED),
        ("/nowhere.png", Miss.NOT_THERE),
        ("/page.png", Miss.OTHER_TYPE),
        ("/text.png", Flaw.OTHER_FORMAT),
        ("/half.png", Flaw.BROKEN),
        ("/bomb.png", Flaw.TOO_LARGE),
        ("/huge.png", Flaw.TOO_LARGE),
        ("/endless.png", Flaw.TOO_LARGE),
        ("/cut.png", Miss.UNREACHABLE),
    ],
)
def test_whatever_is_no_picture_says_why(open_shop: Shop, path: str, why: object) -> None:
    assert PictureFetch([open_shop.origin]).get(open_shop.origin + path) is why


def test_no_other_server_is_asked(open_shop: Shop) -> None:
    with shop() as other:
        get = PictureFetch([other.origin]).get
        authority = other.origin.removeprefix("http://")
        for url in (
            f"{open_shop.origin}/red.png",
            f"http://{authority}@{HOST}:{open_shop.server_port}/red.png",
            f"{other.origin}0/red.png",
            f"https://{authority}/red.png",
            f"http://user@{authority}/red.png",
            "http://[::1/red.png",
            "/red.png",
            "file:///etc/passwd",
            "",
        ):
            assert get(url) is Miss.OTHER_ORIGIN, url
        assert PictureFetch([]).get(f"{other.origin}/red.png") is Miss.OTHER_ORIGIN
        assert (other.asked, "/red.png" in open_shop.asked[-1:]) == ([], False)


def test_a_server_that_keeps_on_being_slow_is_left_in_time(open_shop: Shop) -> None:
    began = time.monotonic()
    answer = PictureFetch([open_shop.origin], within_s=0.3).get(f"{open_shop.origin}/slow.png")
    assert answer is Miss.TIMED_OUT
    assert time.monotonic() - began < 3


def test_a_server_that_is_not_there_is_unreachable() -> None:
    (port,) = free_ports(1)
    assert PictureFetch([f"http://{HOST}:{port}"]).get(f"http://{HOST}:{port}/a.png") is (
        Miss.UNREACHABLE
    )


def test_certificates_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with shop(context) as secure:
        origin = f"https://{HOST}:{secure.server_port}"
        assert PictureFetch([origin]).get(f"{origin}/red.png") is Miss.UNREACHABLE
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert same(PictureFetch([origin]).get(f"{origin}/red.png"), RED_DISC)
