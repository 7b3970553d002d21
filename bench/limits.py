"""What the machine does at most: a bare handler with the same bytes, and each database without Souk."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import time
from contextlib import closing

from statements import NAME, Blob, Fresh

THREADS = os.cpu_count()
# More scripts than this pgbench does not take.
SCRIPTS = 128


class Http:
    """The bare actix-web handler, which answers with the bytes that Souk answered with."""

    def __init__(self, folder, engines):
        self.answers = folder / "answers"
        self.answers.mkdir()
        for engine, (_, workloads) in engines.items():
            for workload in workloads.values():
                body = json.dumps(workload.sample, ensure_ascii=False, separators=(",", ":"))
                (self.answers / f"{engine}-{workload.slug}").write_text(body)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.process = subprocess.Popen([os.environ["LIMIT"], "serve", str(self.port), str(self.answers)])
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except ConnectionError:
                time.sleep(0.01)
        raise SystemExit("the bare handler did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def database(engine, server, workload, seconds):
    """How often per second the database alone runs the statements of one request."""
    return sqlite(server, workload, seconds) if engine == "sqlite" else pgbench(server, workload, seconds)


def sqlite(server, workload, seconds):
    """One loop on one connection; what is created goes into a copy, since nobody would number those events."""
    def value(given):
        if given is None:
            return "null"
        if given is NAME:
            return "name"
        if isinstance(given, Blob):
            return {"blob": given.hex}
        if isinstance(given, Fresh):
            return {"fresh": given.number}
        return {"integer": given} if isinstance(given, int) else {"text": given}

    def texts(sql):
        # Souk sends some statements two at a time.
        return ["BEGIN IMMEDIATE"] if sql == "BEGIN" else sql.split("; ")

    def steps(variant):
        for sql, given in variant:
            yield from ({"sql": text, "values": [value(one) for one in given]} for text in texts(sql))

    file = server.folder / "variants.json"
    variants = [list(steps(variant)) for variant in workload.variants]
    file.write_text(json.dumps(variants))
    database = server.folder / "souk.db"
    if workload.name == "create":
        database = copy(database, server.folder / "copy.db")
    command = [os.environ["LIMIT"], "sqlite", str(database), str(file), str(seconds)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def copy(database, to):
    for old in to.parent.glob(to.name + "*"):
        old.unlink()
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to


def pgbench(server, workload, seconds):
    """pgbench over TCP with as many clients as the load has connections; each variant is a script, prepared once."""
    files = []
    # With fresh values one script is as good as many.
    for number, variant in enumerate(workload.variants[: 1 if workload.name == "create" else SCRIPTS]):
        lines = ["\\set k :k + 1"] + [inlined(sql, given).replace("\n", " ") + ";" for sql, given in variant]
        file = server.folder / f"{workload.slug}.{number}.sql"
        file.write_text("\n".join(lines) + "\n")
        files += ["-f", str(file)]
    command = [os.environ["POSTGRES_BIN"] + "/pgbench", "-n", "-M", "prepared", "-c", "32", "-j", str(THREADS)]
    command += ["-T", str(max(1, round(seconds))), "-D", "k=0", "-D", f"base={time.time_ns() // 1_000_000}", *files]
    done = subprocess.run([*command, server.database], check=True, capture_output=True, text=True)
    return float(re.search(r"tps = ([\d.]+)", done.stdout)[1])


# A uuid that is new: the time of the run, the client and which of its ids it is, how many it has made.
FRESH = (
    "(lpad(to_hex(:base::bigint), 12, '0') || lpad(to_hex(:client_id::bigint * 16 + {}), 4, '0') "
    "|| lpad(to_hex(:k::bigint), 16, '0'))"
)


def inlined(sql, given):
    """The statement with its values written out, for pgbench knows no arrays of values."""

    def literal(value):
        if value is None:
            return "NULL"
        if isinstance(value, int):
            return str(value)
        if value is NAME:
            return "'bench-' || " + FRESH.format(0)
        if isinstance(value, Fresh):
            return FRESH.format(value.number) + "::uuid"
        if isinstance(value, Blob):
            return f"'{value.hex}'::uuid"
        # pgbench would take a colon for the begin of a variable.
        text = str(value).replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\x3a")
        return f"E'{text}'"

    return re.sub(r"\$(\d+)", lambda found: literal(given[int(found[1]) - 1]), sql)
