"""The table."""

import datetime
import os
import platform
import statistics


def line(row):
    return (
        f"{row['engine']:9} {row['work']:15} souk {row['souk']:7.0f}/s  http {row['http']:7.0f}/s  database {row['database']:7.0f}/s  "
        f"cpu {row['cpu']:5.0f} us  p50 {row['p50']:6.2f} ms  p99 {row['p99']:6.2f} ms  load {os.getloadavg()[0]:.1f}"
    )


def table(rows, facts):
    with open("/proc/cpuinfo") as file:
        model = next((text.split(":")[1].strip() for text in file if text.startswith("model name")), platform.machine())
    rounds = sum(1 for row in rows if (row["engine"], row["work"]) == (rows[0]["engine"], rows[0]["work"]))
    source = os.environ.get("CATALOGUE") or "generated products"
    lines = [
        "# What bench/run measured",
        "",
        f"{datetime.date.today()}, {os.cpu_count()} cores ({model}), release build, {os.path.basename(source)}, "
        f"median of {rounds} rounds of {os.environ['SECONDS_EACH']} s. The load generator and the database share the cores.",
        "",
        "Ratios within one round; 1.00 would be as fast as HTTP, or the database, alone.",
        "",
        "| database | work | of bare HTTP | of the database alone | CPU per request, us |",
        "|---|---|---:|---:|---:|",
    ]
    kinds = list(dict.fromkeys((row["engine"], row["work"]) for row in rows))

    def middle(kind, value):
        return statistics.median(value(row) for row in rows if (row["engine"], row["work"]) == kind)

    for kind in kinds:
        http = middle(kind, lambda row: row["souk"] / row["http"])
        database = middle(kind, lambda row: row["souk"] / row["database"])
        lines.append(f"| {kind[0]} | {kind[1]} | {http:.2f} | {database:.2f} | {middle(kind, lambda row: row['cpu']):.0f} |")
    lines += [
        "",
        "Requests per second at 32 connections, and milliseconds at a constant 100 requests per second.",
        "",
        "| database | work | Souk/s | bare HTTP/s | database alone/s | p50 ms | p99 ms |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for kind in kinds:
        numbers = [f"{middle(kind, lambda row, name=name: row[name]):.0f}" for name in ("souk", "http", "database")]
        numbers += [f"{middle(kind, lambda row, name=name: row[name]):.2f}" for name in ("p50", "p99")]
        lines.append(f"| {kind[0]} | {kind[1]} | {' | '.join(numbers)} |")
    lines += [
        "",
        "| database | products at the end | start to first 200, ms | idle RSS, MiB | peak RSS, MiB |",
        "|---|---:|---:|---:|---:|",
    ]
    for engine, fact in facts.items():
        lines.append(f"| {engine} | {fact['products']} | {fact['ready']:.0f} | {fact['idle']:.0f} | {fact['peak']:.0f} |")
    return "\n".join(lines) + "\n"
