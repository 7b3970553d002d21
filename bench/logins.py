"""Reads at a constant rate, first alone, then beside sign-ins; run by bench/logins."""

import asyncio
import collections
import json
import multiprocessing
import os
import time
from urllib.parse import urlsplit

import paced

HOST, PORT = (lambda url: (url.hostname, url.port))(urlsplit(os.environ["SOUK_URL"]))
SECONDS = float(os.environ["SECONDS_EACH"])
RATE = float(os.environ["RATE"])
PARALLEL = int(os.environ["PARALLEL"])
CONNECTIONS = 16


async def read(connection, number):
    return await connection.ask("GET", f"/api/v1/products?limit=20&minPrice={number % 97}")


def reads():
    """Times in milliseconds, sorted."""
    connections = [paced.Connection(PORT, HOST) for _ in range(CONNECTIONS)]
    return asyncio.run(paced.calls(RATE, SECONDS, connections, read, 200))


async def sign_ins(until):
    body = json.dumps({"email": os.environ["EMAIL"], "password": os.environ["PASSWORD"]}).encode()
    ended = collections.Counter()

    async def one():
        connection = paced.Connection(PORT, HOST)
        while time.time() < until:
            ended[await connection.ask("POST", "/api/v1/auth/login", body)] += 1

    await asyncio.gather(*(one() for _ in range(PARALLEL)))
    return ended


def memory(name):
    with open(f"/proc/{os.environ['SOUK_PID']}/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith(name))


def told(name, took):
    p50, p99 = paced.at(took, 0.5), paced.at(took, 0.99)
    print(f"{name:28} reads {len(took):5}  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  longest {took[-1]:6.1f} ms")


def signing(until, pipe):
    pipe.send(asyncio.run(sign_ins(until)))


def main():
    before = memory("VmRSS")
    told("nobody signs in", reads())
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=signing, args=(time.time() + SECONDS + 1, theirs))
    process.start()
    time.sleep(1)
    told(f"{PARALLEL} sign in at a time", reads())
    ended = ours.recv()
    process.join()
    print(f"sign-ins by status: {dict(ended)}")
    print(f"memory of the server: {before} MiB before, {memory('VmHWM')} at most, {memory('VmRSS')} after")


main()
