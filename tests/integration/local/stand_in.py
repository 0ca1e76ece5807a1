"""A process that behaves like a service: `stand_in.py METRICS_PORT BEHAVIOUR [FILE]`.

While FILE exists it is not ready. `/environment` tells its HEADRACE_* variables.
"""

import http.server
import json
import os
import signal
import sys
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        away = len(sys.argv) > 3 and Path(sys.argv[3]).exists()
        self.send_response(503 if self.path == "/readyz" and away else 200)
        self.end_headers()
        if self.path == "/environment":
            known = {name: value for name, value in os.environ.items() if "HEADRACE_" in name}
            self.wfile.write(json.dumps(known).encode())
        else:
            self.wfile.write(b'headrace_kafka_records_processed_total{topic="a"} 40.0\n')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def main() -> None:
    port, behaviour = int(sys.argv[1]), sys.argv[2]
    print("stand-in started", flush=True)
    if behaviour == "refuses-to-start":
        sys.exit("HEADRACE_SOMETHING=x: must be a number")
    if behaviour == "ignores-sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
