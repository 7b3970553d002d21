"""Signed calls at a constant rate to the door for webhooks of others; run by bench/inbound."""

import asyncio
import hashlib
import hmac
import json
import os
import time
from pathlib import Path
from urllib.request import urlopen

from server import Server

RATE, SECONDS = float(os.environ["RATE"]), float(os.environ["SECONDS_EACH"])
SECRET = b"a secret of this measurement"
CONNECTIONS = 32
HOOKS = {
    "SOUK__HOOKS__GITHUB__SCHEME": "github",
    "SOUK__HOOKS__GITHUB__SECRETS": SECRET.decode(),
    "SOUK__LIMITS__RECEIVE_HOOK": "off",
}


async def ask(connection, port, number):
    """Sends one call over a connection that is kept; gives its status."""
    if not connection:
        connection.extend(await asyncio.open_connection("127.0.0.1", port))
    reader, writer = connection
    # About as long as what GitHub says of a push.
    body = json.dumps({"number": number, "ref": "refs/heads/main", "commits": ["x" * 200] * 20}).encode()
    signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    head = (
        "POST /api/v1/hooks/github HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"x-github-event: push\r\nx-github-delivery: {number}\r\nx-hub-signature-256: sha256={signature}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(answer[9:12])


async def calls(port):
    """Times in milliseconds, sorted. A call that is due waits for a free connection, and its waiting counts."""
    free, took = asyncio.Queue(), []
    for _ in range(CONNECTIONS):
        free.put_nowait([])

    async def one(number, due):
        connection = await free.get()
        status = await ask(connection, port, number)
        took.append((time.perf_counter() - due) * 1000)
        free.put_nowait(connection)
        if status != 202:
            raise SystemExit(f"a call was answered {status}")

    began, tasks = time.perf_counter(), []
    for number in range(int(SECONDS * RATE)):
        due = began + number / RATE
        await asyncio.sleep(max(0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*tasks)
    return sorted(took)


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
        took = asyncio.run(calls(server.port))
        at = lambda part: took[min(len(took) - 1, int(len(took) * part))]  # noqa: E731
        print(
            f"{engine:8} {len(took)} calls at {RATE:.0f}/s: p50 {at(0.5):.1f} ms, p99 {at(0.99):.1f} ms, slowest {took[-1]:.1f} ms; "
            f"{handled(server)} handled",
            flush=True,
        )
    finally:
        server.stop()
