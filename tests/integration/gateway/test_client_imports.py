"""An application that calls Headrace installs the core alone."""

import subprocess
import sys

ONLY_CORE = """
import sys

class Refuse:
    allowed = {"grpc", "grpc_status", "google", "headrace", "typing_extensions"}

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in self.allowed or top in sys.stdlib_module_names or top.startswith("_"):
            return None
        raise ImportError(f"the client imports {name}")

sys.meta_path.insert(0, Refuse())
import headrace.client
"""


def test_the_client_needs_grpc_and_protobuf_alone() -> None:
    subprocess.run([sys.executable, "-c", ONLY_CORE], check=True)
