"""The measuring itself; started by bench/run, which sets the environment."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import limits
import report
from load import load
from server import Server
from workloads import READS, Workloads

ROUNDS = int(os.environ["ROUNDS"])
SECONDS = float(os.environ["SECONDS_EACH"])
RATE = 100
# So many that a percentile says something.
STEADY = max(SECONDS, 10)


def prepare(server):
    """Fills the database of a Souk, and gives its workloads with their statements."""
    server.start()
    server.stop()
    server.fill()
    # The statements are told once, in a run of their own: logging them would cost.
    server.start("info,souk::sql=debug")
    workloads = Workloads(server)
    workloads.capture()
    server.stop()
    server.start()
    server.settle()
    server.note_idle()
    return workloads


def measure(engine, server, workloads, limit, name):
    """One workload in one round: Souk, HTTP alone, the database alone, one after the other."""
    workload = workloads[name]
    if name == "create":
        workloads.sign_in()
    cpu = server.cpu()
    closed = load(workload.arguments(), SECONDS)
    # What was left to do later is work of these requests too.
    server.settle()
    cpu = (server.cpu() - cpu) / max(closed["requests"], 1) * 1e6
    bare = load(workload.bare(limit.url), SECONDS)
    database = limits.database(engine, server, workload, SECONDS)
    server.settle()
    steady = load(workload.arguments(), STEADY, rate=RATE)
    row = {
        "engine": engine,
        "work": name,
        "souk": closed["rate"],
        "http": bare["rate"],
        "database": database,
        "cpu": cpu,
        "p50": steady["p50"],
        "p99": steady["p99"],
    }
    print(report.line(row), file=sys.stderr, flush=True)
    return row


def main():
    folder = Path(os.environ["WORK"])
    engines, rows = {}, []
    with ExitStack() as running:
        for engine in os.environ["ENGINES"].split():
            server = Server(engine, folder / engine)
            running.callback(server.stop)
            engines[engine] = server, prepare(server)
        with limits.Http(folder, engines) as limit:
            # Creating makes the lists longer, so it comes after all reading.
            for names in (READS, ["create"]):
                for _ in range(ROUNDS):
                    for name in names:
                        for engine, (server, workloads) in engines.items():
                            rows.append(measure(engine, server, workloads, limit, name))
        table = report.table(rows, {engine: server.facts() for engine, (server, _) in engines.items()})
    print(table)
    (Path(__file__).parent / "RESULTS.md").write_text(table)


main()
