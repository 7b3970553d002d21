"""Measures webhooks: telling events to endpoints and sending what was told, apart and together, beside a bare loop of reqwest."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parent.parent))
from server import Server  # noqa: E402

EVENTS, ENDPOINTS = int(os.environ["EVENTS"]), int(os.environ["ENDPOINTS"])
AT_ONCE = 128
TOOL = os.environ["TOOL"]
ALL = "/api/v1/webhooks/endpoints"
QUIET = {"SOUK__WEBHOOKS__AT_ONCE": "0"}
LOUD = {"SOUK__WEBHOOKS__AT_ONCE": str(AT_ONCE), "SOUK__CALLS__ALLOWED_NETWORKS": "127.0.0.0/8"}


class Receiver:
    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([TOOL, "receive", str(self.port)])
        until = time.monotonic() + 10
        while True:
            try:
                self.ask("/count")
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def ask(self, path):
        with urlopen(self.url + path, timeout=10) as answer:
            return answer.read()

    def seen(self, requests, what):
        """Waits for so many requests, and tells how many came a second, and how long each was."""
        until = time.monotonic() + 400
        while int(self.ask("/count")) < requests:
            if time.monotonic() > until:
                raise SystemExit(f"{what}: {self.ask('/count')} of {requests} came")
            time.sleep(0.05)
        seen = json.loads(self.ask("/seen"))
        return seen["requests"] / seen["seconds"], seen["bytes"] // seen["requests"]

    def bare(self, size, at_once=AT_ONCE):
        count = EVENTS * ENDPOINTS
        done = subprocess.run(
            [TOOL, "bare", self.url + "/hook", str(count), str(at_once), str(size)], check=True, capture_output=True, text=True
        )
        self.ask("/seen")
        return float(done.stdout)


def asked(server, method, path, body=None, token=None):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    body = None if body is None else json.dumps(body).encode()
    with urlopen(Request(server.url + path, body, headers, method=method), timeout=60) as answer:
        return json.load(answer)


def number(server, name):
    with urlopen(server.url + "/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def start(server, settings):
    server.environment |= settings
    server.start("warn")


def fill(server, products):
    """Makes that many products more, by Souk's own command, and waits until their events have their numbers."""
    before = server.get("/api/v1/products?limit=1")["total"]
    server.stop()
    command = [os.environ["SOUK"], "seed", "--products", str(products)]
    subprocess.run(command, cwd=server.folder, env=server.environment, check=True, stdout=2)
    start(server, QUIET)
    assert server.get("/api/v1/products?limit=1")["total"] > before
    server.settle()
    server.stop()


def fanned(server, began):
    """How many messages were made a second, the start of the server included."""
    wanted, until = EVENTS * ENDPOINTS, time.monotonic() + 300
    while True:
        made, now = number(server, "webhook_messages_total"), time.monotonic()
        if made >= wanted:
            return made / (now - began)
        if now > until:
            raise SystemExit(f"{made} of {wanted} messages were made")
        time.sleep(0.01)


def measure(engine, work, receiver, round):
    server = Server(engine, work / f"{engine}{round}")
    # The first start makes the accounts of the demo shop; what else is in it tells nothing.
    start(server, LOUD | QUIET)
    account = server.accounts["admin"]
    sign_in = lambda: server.post("/api/v1/auth/login", account)["token"]  # noqa: E731
    token = sign_in()
    made = [
        asked(server, "POST", ALL, {"url": f"{receiver.url}/{n}", "shop": True, "eventTypes": ["product.created"]}, token)
        for n in range(ENDPOINTS)
    ]
    fill(server, EVENTS)
    # What is told while nothing can be sent.
    receiver.ask("/answer/503")
    began = time.monotonic()
    start(server, LOUD)
    rates = {"fan-out": fanned(server, began)}
    token = sign_in()
    for one in made:
        asked(server, "PATCH", f"{ALL}/{one['id']}", {"enabled": False}, token)
    receiver.ask("/answer/204")
    # All of it waits again before the first of it may be sent.
    for one in made:
        asked(server, "PATCH", f"{ALL}/{one['id']}", {"enabled": True}, token)
        asked(server, "POST", f"{ALL}/{one['id']}/recover", {"since": one["createdAt"]}, token)
    receiver.ask("/seen")
    rates["sent"], size = receiver.seen(EVENTS * ENDPOINTS, "sent")
    server.stop()
    bare = [receiver.bare(size)]
    # The next as many at once, from the log to the receiver.
    start(server, QUIET)
    fill(server, 2 * EVENTS)
    receiver.ask("/seen")
    start(server, LOUD)
    rates["together"], size = receiver.seen(EVENTS * ENDPOINTS, "together")
    spent = server.cpu() / EVENTS / ENDPOINTS * 1e6
    server.stop()
    bare.append(receiver.bare(size))
    bare, turns = sum(bare) / 2, receiver.bare(size, at_once=1)
    shares = {name: rate / bare for name, rate in rates.items()}
    told = "  ".join(f"{name} {rate:7,.0f}/s = {shares[name]:.2f}" for name, rate in rates.items())
    print(
        f"{engine:8} round {round}  {told}  bare {bare:7,.0f}/s, one after the other {turns:7,.0f}/s  {size} bytes, "
        f"{spent:.0f} us of CPU each",
        flush=True,
    )


def main():
    work, receiver = Path(os.environ["WORK"]), Receiver()
    try:
        for round in range(1, int(os.environ["ROUNDS"]) + 1):
            for engine in os.environ["ENGINES"].split():
                measure(engine, work, receiver, round)
    finally:
        receiver.process.kill()


main()
