"""Search by meaning beside search by words, over one catalogue; run by bench/search."""

import asyncio
import gzip
import itertools
import os
import random
import statistics
import time
from pathlib import Path
from urllib.parse import quote_plus
from urllib.request import urlopen

import paced
from server import Server

QUESTIONS, ROUNDS, PRODUCTS = (int(os.environ[name]) for name in ("QUESTIONS", "ROUNDS", "PRODUCTS"))
# Vectors of nobody: the shop is the same, and its index stays empty.
WITHOUT = {
    "SOUK__ASSISTANT__PROVIDERS__NOBODY__PROTOCOL": "compatible",
    "SOUK__ASSISTANT__PROVIDERS__NOBODY__URL": "http://127.0.0.1:9/v1",
    "SOUK__ASSISTANT__MODELS__NONE__DEPLOYMENTS": "nobody/none",
    "SOUK__ASSISTANT__MODELS__NONE__DIMENSION": "3",
    "SOUK__ASSISTANT__SEARCH_EMBEDDING": "none",
}
KINDS = {
    "list": "/api/v1/products?limit=20&search={}",
    "text": "/api/v1/products/search?limit=20&mode=text&q={}",
    "hybrid": "/api/v1/products/search?limit=20&mode=hybrid&q={}",
}


def part(folder):
    """The catalogue, or as many lines of it as are wanted."""
    given = Path(os.environ["GIVEN"])
    if not PRODUCTS:
        return given
    name = given.with_suffix("").name if given.suffix == ".gz" else given.name
    opened = gzip.open if given.suffix == ".gz" else open
    with opened(given, "rt") as lines, (folder / name).open("w") as some:
        # The first line of a table names its columns.
        some.writelines(itertools.islice(lines, PRODUCTS + name.endswith(".csv")))
    return folder / name


def metric(server, name):
    with urlopen(server.url + "/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " ")), 0.0)


def indexed(server, products):
    """Seconds until the node knows the vectors of so many products."""
    began = time.monotonic()
    while metric(server, "vectors_indexed") < products:
        if time.monotonic() - began > 3600:
            raise SystemExit(f"{metric(server, 'vectors_indexed'):.0f} of {products} vectors after an hour")
        time.sleep(0.1)
    return time.monotonic() - began


def questions(server):
    """Two words of the names of products that are drawn by lot: what people type."""
    drawn, total = random.Random(1), server.get("/api/v1/products?limit=1")["total"]
    names = []
    while len(names) < QUESTIONS:
        page = server.get(f"/api/v1/products?limit=100&page={drawn.randint(1, max(1, total // 100))}")
        words = [[word for word in item["name"].split() if word.isalpha()] for item in page["items"]]
        names += [" ".join(drawn.sample(given, 2)) for given in words if len(given) > 1]
    return drawn.sample(names, QUESTIONS)


async def asked(port, template, texts):
    """Times in milliseconds, sorted."""
    connection, took = paced.Connection(port), []
    for text in texts:
        began = time.perf_counter()
        status = await connection.ask("GET", template.format(quote_plus(text)))
        took.append((time.perf_counter() - began) * 1000)
        if status != 200:
            raise SystemExit(f"{text!r} was answered {status}")
    return sorted(took)


def compared(server):
    """For each kind the median over all rounds: of half and of 99 in 100 of the times, and processor time of one question."""
    texts, rows = questions(server), {kind: [] for kind in KINDS}
    for _ in range(ROUNDS):
        for kind, template in KINDS.items():
            before = server.cpu()
            took = asyncio.run(asked(server.port, template, texts))
            cpu = (server.cpu() - before) * 1000 / len(texts)
            rows[kind].append((paced.at(took, 0.5), paced.at(took, 0.99), cpu))
    return {kind: [statistics.median(column) for column in zip(*given)] for kind, given in rows.items()}


def measured(engine, folder):
    server = Server(engine, folder / engine)
    server.start("error")
    server.stop()
    os.environ["CATALOGUE"] = str(part(server.folder))
    began = time.monotonic()
    server.fill()
    imported = time.monotonic() - began
    usual = server.environment
    server.environment = usual | WITHOUT
    server.start("error")
    # Events of the import are numbered meanwhile.
    server.settle()
    products = server.get("/api/v1/products?limit=1")["total"]
    server.stop()
    # Started anew, so that nothing is left of what was done before.
    server.start("error")
    asyncio.run(asked(server.port, KINDS["list"], questions(server)))
    without = server.memory("VmRSS")
    server.stop()

    server.environment = usual
    server.start("error")
    built = indexed(server, products)
    server.stop()
    server.start("error")
    read = indexed(server, products)
    asyncio.run(asked(server.port, KINDS["list"], questions(server)))
    with_index = server.memory("VmRSS")
    size = metric(server, "vectors_index_bytes") / 2**20
    print(
        f"\n{engine}: {products} products, imported in {imported:.0f} s; vectors made in {built:.1f} s, read again after a start in {read:.1f} s\n"
        f"memory: {without:.0f} MiB without vectors, {with_index:.0f} MiB with them, of which the index says {size:.1f} MiB"
    )
    rows = compared(server)
    print(f"memory at most: {server.memory('VmHWM'):.0f} MiB\n\n| kind | p50 ms | p99 ms | CPU ms | p50, of list | CPU, of list |\n|---|---:|---:|---:|---:|---:|")
    p50, _, cpu = rows["list"]
    for kind, (half, most, used) in rows.items():
        print(f"| {kind} | {half:.2f} | {most:.2f} | {used:.2f} | {half / p50:.1f} | {used / cpu:.1f} |", flush=True)
    server.stop()


for engine in os.environ["ENGINES"].split():
    measured(engine, Path(os.environ["WORK"]))
