"""What is asked of the server: the requests, and the statements that each of them becomes."""

import json
import random
import re
import time

from statements import told, values

READS = ["get", "list", "list by price", "list by cursor", "search", "search by name"]
# Seconds until a line of the log is in its file: lines wait a moment for each other.
LOGGED = 0.2
# How many requests of a kind differ, for the server and for the database alone alike.
URLS = 5000


class Workload:
    """Requests of one kind. A sample of one answer is what the bare handler gives back."""

    def __init__(self, server, name, urls):
        self.server, self.name, self.urls = server, name, urls
        self.slug = name.replace(" ", "-")
        self.file = server.folder / f"{self.slug}.urls"
        self.file.write_text("\n".join(urls) + "\n")
        self.variants = []
        self.headers = []
        self.bodies = None
        self.sample = None

    def arguments(self):
        return self.extra() + ["--urls-from-file", str(self.file)]

    def bare(self, url):
        return self.extra() + [f"{url}/{self.server.engine}-{self.slug}"]

    def extra(self):
        if not self.bodies:
            return []
        return ["-m", "POST", "-T", "application/json", *self.headers, "-Z", str(self.bodies)]


class Workloads(dict):
    def __init__(self, server):
        super().__init__()
        self.server, self.random = server, random.Random(1)
        items, cursors = self.walk()
        ids, names = [item["id"] for item in items], [item["name"] for item in items]
        self.deep = [(item["createdAt"], item["id"]) for item in items[-100:]]
        products = server.url + "/api/v1/products"
        low, high = (self.prices(order) for order in ("asc", "desc"))
        self.bounds = [sorted((self.random.uniform(low, high), self.random.uniform(low, high))) for _ in range(URLS)]
        self.ids = self.random.choices(ids, k=URLS)

        # A word that very many products have, and what people type: words of the name of what they look for.
        self.words = {"search": [[common_word(names)]] * URLS, "search by name": [beginning(n) for n in self.drawn(names)]}

        def priced(prefix):
            return [f"{prefix}&minPrice={lo:.2f}&maxPrice={hi:.2f}" for lo, hi in self.bounds]

        def searched(name):
            words = ["+".join(words) for words in self.words[name]]
            found = priced(f"{products}?limit=20&sortBy=price&sortOrder=asc")
            return [f"{url}&search={text}" for url, text in zip(found, words)]

        urls = {
            "get": [f"{products}/{id}" for id in self.ids],
            "list": [products + "?page=1&limit=20"],
            "list by price": priced(products + "?page=1&limit=20"),
            "list by cursor": [f"{products}?limit=20&cursor={cursor}" for cursor in cursors],
            "search": searched("search"),
            "search by name": searched("search by name"),
            "create": [products],
        }
        for name, given in urls.items():
            self[name] = Workload(server, name, given)
        self["create"].bodies = server.folder / "create.bodies"
        self["create"].bodies.write_text("".join(json.dumps(self.body(n)) + "\n" for n in range(URLS)))
        self.sign_in()

    def drawn(self, names):
        return self.random.choices([name for name in names if beginning(name)], k=URLS)

    def walk(self):
        """Half the list by cursor: what is met on the way, and the last cursors, which are deep."""
        total = self.server.get("/api/v1/products?limit=1")["total"]
        items, cursors, cursor = [], [], ""
        while len(items) < total / 2:
            page = self.server.get(f"/api/v1/products?limit=100&cursor={cursor}")
            items += page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                break
            cursors.append(cursor)
        return items, cursors[-100:]

    def prices(self, order):
        page = self.server.get(f"/api/v1/products?limit=1&sortBy=price&sortOrder={order}")
        return float(page["items"][0]["price"])

    def body(self, number):
        return {
            "name": f"Bench product {self.random.getrandbits(60):x}",
            "description": "Printed on demand, hand finished, ships flat, spare parts on request.",
            "price": 19.95,
            "stock": 7,
            "images": [f"https://example.com/{number}/a.jpg", f"https://example.com/{number}/b.jpg"],
            "metadata": {"weightG": 120},
        }

    def sign_in(self):
        self.token = self.server.post("/api/v1/auth/login", self.server.accounts["seller"])["token"]
        self["create"].headers = ["-H", f"Authorization: Bearer {self.token}"]

    def capture(self):
        """Sends one request of each kind, keeps the answer, and reads from the log which statements it became."""
        for name, workload in self.items():
            time.sleep(LOGGED)
            before = len(self.server.log())
            if name == "create":
                workload.sample = self.server.post("/api/v1/products", self.body(0), self.token)
            else:
                workload.sample = self.server.get(workload.urls[0].removeprefix(self.server.url))
            time.sleep(LOGGED)
            statements = told(self.server.log()[before:])
            workload.variants = [
                [(sql, values(self, name, sql, number)) for sql in statements] for number in range(URLS)
            ]


def beginning(name):
    """The first two words of a name that are written in plain letters."""
    return re.findall(r"\b[a-z]{3,}\b", name.lower())[:2]


def common_word(names):
    """The word of names that is nearest to being in one of fifty."""
    counts = {}
    for name in names:
        for word in set(re.findall(r"[a-z]{4,}", name.lower())):
            counts[word] = counts.get(word, 0) + 1
    return min(counts, key=lambda word: (abs(counts[word] - len(names) / 50), word))
