"""TLS before a real Postgres: the embedded one is built without.

Speaks the protocol's first words (SSLRequest), then passes on what it decrypts.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

from headrace.local.ports import HOST
from headrace.runtime.certificates import CertificateFiles

_SSL_REQUEST = bytes.fromhex("00000008 04d2162f")


@contextlib.contextmanager
def encrypted(port: int, files: CertificateFiles, *, ask: bool = False) -> Iterator[int]:
    """The port where TLS is spoken for the Postgres at `port`. ask: for callers' certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    if ask:
        context.load_verify_locations(files.authority)
        context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, port), daemon=True).start()
        yield listener.getsockname()[1]
        # Wakes the thread that accepts.
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=_serve, args=(plain, context, port), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with plain, contextlib.suppress(OSError):
        if plain.recv(8) != _SSL_REQUEST:
            return  # whoever does not want TLS is not served
        plain.sendall(b"S")
        with (
            context.wrap_socket(plain, server_side=True) as outer,
            socket.create_connection((HOST, port)) as inner,
        ):
            back = threading.Thread(target=_copy, args=(inner, outer), daemon=True)
            back.start()
            _copy(outer, inner)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
