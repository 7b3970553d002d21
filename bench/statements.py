"""The statements of a request as the server logs them, and values for their placeholders.

The log holds no values, so they are made here, in the order in which the adapters bind them. A statement that binds
another number of values than is known here stops the measuring: then the adapters have changed, and this file must too.
"""

import base64
import json
import re
from dataclasses import dataclass

# What the background does meanwhile is no part of a request.
BACKGROUND = re.compile(
    r"leases|event_cursor|audit_chain|audit_marks|product_count_deltas LIMIT|^(SELECT 1 FROM|UPDATE) events"
    r"|FROM events e |\bjobs\b|schedule|\brooms\b|presence|cache_|pg_notify"
)
NOW = "2026-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Blob:
    """An id: bytes in SQLite, a uuid in PostgreSQL."""

    hex: str


@dataclass(frozen=True)
class Fresh:
    """An id that is new in each run of the statements; the same number is the same id."""

    number: int


# A text that is new in each run.
NAME = object()


def told(log):
    """The statements in a stretch of the log; what writes stands in a transaction."""
    found = [json.loads(line) for line in log.splitlines() if '"souk::sql"' in line]
    texts = [line["sql"] for line in found if not BACKGROUND.search(line["sql"])]
    writes = [n for n, sql in enumerate(texts) if "INSERT INTO" in sql]
    if writes:
        # Who calls is found out before the transaction begins.
        begin = next(n for n, sql in enumerate(texts) if "user_roles" not in sql)
        texts = [*texts[:begin], "BEGIN", *texts[begin:], "COMMIT"]
    return texts


def values(workloads, name, sql, number):
    """Values for one statement of one workload; `number` tells the variants apart."""
    lo, hi = (round(price * 100) for price in workloads.bounds[number])
    if sql in ("BEGIN", "COMMIT"):
        given = []
    elif "INSERT INTO" in sql:
        given = inserted(workloads, sql)
    elif "user_roles" in sql:
        given = [Blob(user(workloads.token))]
    elif name == "get":
        given = [Blob(workloads.ids[number].replace("-", ""))]
    elif name == "list by price":
        given = [lo, hi, *stretches(lo, hi, workloads.server.engine)]
    elif name == "list by cursor":
        moment, id = workloads.deep[number % len(workloads.deep)]
        given = [moment.replace("Z", "+00:00"), Blob(id.replace("-", ""))]
    elif name in workloads.words:
        words = workloads.words[name][number]
        if workloads.server.engine == "sqlite":
            given = [lo, hi, " ".join(f'"{word}"' for word in words) + " *"]
        else:
            given = [lo, hi, " & ".join(f"'{word}'" for word in words) + ":*", lo >> 12, hi >> 12]
    else:
        given = []
    asked = placeholders(sql)
    if asked != len(given):
        raise SystemExit(f"bench/statements.py knows {len(given)} values, not {asked}, for {name}: {sql}")
    return given


def placeholders(sql):
    numbered = [int(number) for number in re.findall(r"\$(\d+)", sql)]
    return max(numbered) if numbered else sql.count("?")


def user(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"].replace("-", "")


def inserted(workloads, sql):
    """Values for the placeholders, each by the column it is for."""
    given = {}
    for table, columns, rest in re.findall(r'INSERT INTO "?(\w+)"? \(([^)]*)\)(.*?)(?=INSERT INTO|$)', sql, re.S):
        columns = [column.strip(' "') for column in columns.split(",")]
        values = rows(rest.split("VALUES", 1)[1]) if "VALUES" in rest else [selected(rest)]
        for number, row in enumerate(values):
            # A row that is joined to something else leaves the last columns to that.
            for column, expression in zip(columns, apart(row)):
                for place in re.findall(r"\$(\d+)", expression):
                    given.setdefault(int(place), column_value(workloads, table, column, number))
    return [given[place] for place in sorted(given)]


def selected(text):
    """What stands between SELECT and its own WHERE."""
    depth, text = 0, text.split("SELECT", 1)[1]
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and text.startswith(" WHERE ", place):
            return text[:place]
    return text


def rows(text):
    """The insides of the parentheses that follow each other at the begin of a text."""
    depth, begin = 0, 0
    for place, character in enumerate(text):
        if character == "(":
            depth += 1
            begin = place + 1 if depth == 1 else begin
        elif character == ")":
            depth -= 1
            if depth == 0:
                yield text[begin:place]
            elif depth < 0:
                return
        elif depth == 0 and character not in ", ":
            return


def apart(row):
    """What stands between the commas that are in no parentheses."""
    parts, depth = [""], 0
    for character in row:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def column_value(workloads, table, column, row):
    product = workloads["create"].sample
    if column == "id":
        return {"products": Fresh(0), "product_images": Fresh(1 + row)}.get(table, Fresh(15))
    known = {
        "product_id": Fresh(0),
        "entity_id": Fresh(0),
        "seller_id": Blob(product["sellerId"].replace("-", "")),
        "actor_id": Blob(user(workloads.token)),
        "name": product["name"],
        "slug": NAME,
        "description": product["description"],
        "search_text": "bench demand finished flat hand on parts printed product request ships spare",
        "price_minor": 1995,
        "stock": 7,
        "status": "published",
        "metadata": '{"weightG":120}',
        "payload": json.dumps({"product": product["id"], "price": 1995}),
        "rating_sum": 0,
        "rating_count": 0,
        "version": 1,
        "url": "https://example.com/a.jpg",
        "position": row,
        "action": "product.create",
        "kind": "product.created",
        "entity_type": "product",
    }
    if column in known:
        return known[column]
    return NOW if column.endswith("_at") and column != "deleted_at" else None


def stretches(lo, hi, engine):
    """The bounds of a total by price: five runs of buckets, two edges, and what the buckets cover (see
    crates/persistence/src/catalog/price_stretches.rs)."""
    empty = (1, 0)
    edges, covered, buckets = [empty] * 2, empty, [empty] * 5

    def inner(first, end):
        first, end = (first + 63) >> 6, end >> 6
        return (first, end) if first < end else None

    levels = [inner(lo, hi + 1)]
    if levels[0] is None:
        edges[0] = (lo, hi)
    else:
        covered = (levels[0][0] << 6, (levels[0][1] << 6) - 1)
        edges = [(lo, covered[0] - 1), (covered[1] + 1, hi)]
        for place in (0, 2):
            outer, within = levels[-1], inner(*levels[-1])
            if within is None:
                buckets[place] = (outer[0], outer[1] - 1)
                break
            buckets[place] = (outer[0], (within[0] << 6) - 1)
            buckets[place + 1] = (within[1] << 6, outer[1] - 1)
            levels.append(within)
        else:
            buckets[4] = (levels[-1][0], levels[-1][1] - 1)
    parts = [*buckets, *edges] + ([covered] if engine == "postgres" else [])
    return [bound for part in parts for bound in part]
