"""Reads at a constant rate, first alone, then beside sign-ins; run by bench/logins."""

import asyncio
import collections
import json
import multiprocessing
import os
import time
from urllib.parse import urlsplit

HOST, PORT = (lambda url: (url.hostname, url.port))(urlsplit(os.environ["SOUK_URL"]))
SECONDS = float(os.environ["SECONDS_EACH"])
RATE = float(os.environ["RATE"])
PARALLEL = int(os.environ["PARALLEL"])
CONNECTIONS = 16


class Connection:
    """One connection that is kept; asks one thing at a time."""

    def __init__(self):
        self.reader = self.writer = None

    async def ask(self, method, path, body=b""):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, PORT)
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await self.reader.readexactly(length)
        if b"\r\nconnection: close" in answer.lower():
            self.writer.close()
            self.writer = None
        return int(answer[9:12])


async def reads():
    """Latencies in milliseconds. A read that is due waits for a free connection, and its waiting counts."""
    free = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(Connection())
    took = []

    async def one(number, due):
        connection = await free.get()
        status = await connection.ask("GET", f"/api/v1/products?limit=20&minPrice={number % 97}")
        took.append((time.perf_counter() - due) * 1000)
        free.put_nowait(connection)
        if status != 200:
            raise SystemExit(f"a read was answered {status}")

    began, tasks = time.perf_counter(), []
    for number in range(int(SECONDS * RATE)):
        due = began + number / RATE
        await asyncio.sleep(max(0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*tasks)
    return sorted(took)


async def sign_ins(until):
    body = json.dumps({"email": os.environ["EMAIL"], "password": os.environ["PASSWORD"]}).encode()
    ended = collections.Counter()

    async def one():
        connection = Connection()
        while time.time() < until:
            ended[await connection.ask("POST", "/api/v1/auth/login", body)] += 1

    await asyncio.gather(*(one() for _ in range(PARALLEL)))
    return ended


def memory(name):
    with open(f"/proc/{os.environ['SOUK_PID']}/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith(name))


def told(name, took):
    p50, p99 = (took[int(len(took) * share)] for share in (0.5, 0.99))
    print(f"{name:28} reads {len(took):5}  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  longest {took[-1]:6.1f} ms")


def signing(until, pipe):
    pipe.send(asyncio.run(sign_ins(until)))


def main():
    before = memory("VmRSS")
    told("nobody signs in", asyncio.run(reads()))
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=signing, args=(time.time() + SECONDS + 1, theirs))
    process.start()
    time.sleep(1)
    told(f"{PARALLEL} sign in at a time", asyncio.run(reads()))
    ended = ours.recv()
    process.join()
    print(f"sign-ins by status: {dict(ended)}")
    print(f"memory of the server: {before} MiB before, {memory('VmHWM')} at most, {memory('VmRSS')} after")


main()
