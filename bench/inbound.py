"""Signed calls at a constant rate to the door for webhooks of others; run by bench/inbound."""

import asyncio
import hashlib
import hmac
import json
import os
import time
from pathlib import Path
from urllib.request import urlopen

import paced
from server import Server

RATE, SECONDS = float(os.environ["RATE"]), float(os.environ["SECONDS_EACH"])
SECRET = b"a secret of this measurement"
CONNECTIONS = 32
HOOKS = {
    "SOUK__HOOKS__GITHUB__SCHEME": "github",
    "SOUK__HOOKS__GITHUB__SECRETS": SECRET.decode(),
    "SOUK__LIMITS__RECEIVE_HOOK": "off",
}


async def ask(connection, number):
    """Sends one signed call; gives its status."""
    # About as long as what GitHub says of a push.
    body = json.dumps({"number": number, "ref": "refs/heads/main", "commits": ["x" * 200] * 20}).encode()
    signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    headers = ["X-GitHub-Event: push", f"X-GitHub-Delivery: {number}", f"X-Hub-Signature-256: sha256={signature}"]
    return await connection.ask("POST", "/api/v1/hooks/github", body, headers)


def calls(port):
    """Times in milliseconds, sorted."""
    connections = [paced.Connection(port) for _ in range(CONNECTIONS)]
    return asyncio.run(paced.calls(RATE, SECONDS, connections, ask, 202))


def handled(server):
    """How many calls were handled, when no more are."""
    name, last, until = "inbound_handled_total", -1.0, time.monotonic() + 120
    while time.monotonic() < until:
        with urlopen(server.url + "/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        now = sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + "{"))
        if now == last and now > 0:
            return int(now)
        last = now
        time.sleep(2)
    raise SystemExit("calls are still handled after two minutes")


for engine in os.environ["ENGINES"].split():
    server = Server(engine, Path(os.environ["WORK"]) / engine)
    server.environment |= HOOKS
    server.start("warn")
    try:
        took = calls(server.port)
        print(
            f"{engine:8} {len(took)} calls at {RATE:.0f}/s: p50 {paced.at(took, 0.5):.1f} ms, p99 {paced.at(took, 0.99):.1f} ms, slowest {took[-1]:.1f} ms; "
            f"{handled(server)} handled",
            flush=True,
        )
    finally:
        server.stop()
