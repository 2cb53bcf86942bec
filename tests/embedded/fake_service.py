"""Stand-ins for the service's commands, so that the stack can be tested without the service.

FAKE_FAILURE names the one that fails, FAKE_STUBBORN the one that ignores SIGTERM, FAKE_PAUSE the seconds until the API listens.
"""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SEED = {"customer_id": "cus_01jz0000000000000000000000", "client": {"id": "cli_0", "secret": "made up"}}


class Ready(BaseHTTPRequestHandler):
    """Answers every question with 200 and the environment that was passed to the service."""

    def do_GET(self) -> None:
        body = json.dumps({name: value for name, value in os.environ.items() if name.startswith("CUSTOMER_SERVICE_")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(name: str, arguments: list[str]) -> int:
    if name == os.environ.get("FAKE_FAILURE"):
        sys.stdout.write("the reason stands here\n")
        return 3
    if name == "serve":
        time.sleep(float(os.environ.get("FAKE_PAUSE", "0")))
        host, _, port = os.environ["CUSTOMER_SERVICE_SERVER__PORT"].rpartition(":")
        ThreadingHTTPServer((host, int(port)), Ready).serve_forever()
    elif name in {"worker", "relay"}:
        if os.environ.get("FAKE_STUBBORN") == name:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            signal.pause()
    elif name == "seed":
        Path(arguments[0]).write_text(json.dumps(SEED | {"seeded": os.getpid()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
