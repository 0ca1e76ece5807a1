"""TCP ports on this machine: which are free, and who may have them."""

import socket

from headrace.local.errors import PortTaken

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_listening(host: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def require_free(port: int, purpose: str, setting: str | None = None) -> None:
    """Raise PortTaken, naming the port, who wanted it and the variable that changes it."""
    if is_free(port):
        return
    advice = f" Set {setting} to another one, or stop" if setting else " Stop"
    raise PortTaken(f"Port {port}, wanted by {purpose}, is taken.{advice} what listens there.")


def free_ports(count: int) -> list[int]:
    """`count` different ports that nobody listens on now.

    Somebody may take one before it is used, so this is for tests, which start servers on it
    at once.
    """
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
