"""One Souk on a database of its own, as a stranger would start it, with the rate limits lifted."""

import json
import os
import socket
import subprocess
import time
from urllib.error import URLError
from urllib.request import Request, urlopen

TICK = os.sysconf("SC_CLK_TCK")
# The grain of what is told of processor time.
TICK_SECONDS = 1 / TICK
LIMITS = ["SIGN_IN", "LIST_PRODUCTS", "GET_PRODUCT", "CREATE_PRODUCT", "UPDATE_PRODUCT", "DELETE_PRODUCT"]


class Server:
    def __init__(self, engine, folder):
        folder.mkdir()
        self.engine, self.folder, self.process = engine, folder, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PORT": str(self.port)}
        self.environment |= {f"SOUK__LIMITS__{name}": "off" for name in LIMITS}
        # What the databases give is measured, not what is kept of it.
        self.environment["SOUK__CACHE__MODE"] = "off"
        if engine == "postgres":
            base = os.environ["POSTGRES_URL"]
            self.psql("CREATE DATABASE souk", base)
            self.database = base.rsplit("/", 1)[0] + "/souk"
        else:
            self.database = f"sqlite:{folder}/souk.db"
        self.environment["DATABASE_URL"] = self.database
        self.accounts, self.ready_ms, self.idle_mib = {}, 0, 0

    def start(self, level="info"):
        """Starts it and notes how long it took until the first 200."""
        out, log = (self.folder / "out.log").open("w"), (self.folder / "err.log").open("w")
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [os.environ["SOUK"], "serve"],
            cwd=self.folder,
            env=self.environment | {"LOG_LEVEL": level},
            stdout=out,
            stderr=log,
        )
        while True:
            try:
                with urlopen(self.url + "/ready", timeout=5) as answer:
                    if answer.status == 200:
                        break
            except (URLError, ConnectionError):
                if self.process.poll() is not None or time.perf_counter() - begun > 60:
                    raise SystemExit(f"souk did not start:\n{self.log()[-2000:]}") from None
                time.sleep(0.001)
        self.ready_ms = (time.perf_counter() - begun) * 1000
        for line in (self.folder / "out.log").read_text().splitlines():
            if line.startswith("demo account"):
                _, _, role, email, password = line.split()
                self.accounts[role] = {"email": email, "password": password}

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def fill(self):
        """The catalogue that was asked for, or products made up, through Souk's own commands."""
        catalogue = os.environ.get("CATALOGUE")
        asked = ["import", "catalogue", catalogue] if catalogue else ["seed", "--products", os.environ["PRODUCTS"]]
        subprocess.run([os.environ["SOUK"], *asked], cwd=self.folder, env=self.environment, check=True, stdout=2)
        if self.engine == "postgres":
            self.psql("VACUUM ANALYZE", self.database)

    def settle(self):
        """Waits until nothing is left to do behind the requests, such as numbering events: for two seconds the server
        has used less than a tenth of a processor, which on a slow machine is what waking up to look takes."""
        until, quiet = time.monotonic() + 300, 0
        while quiet < 4:
            before = self.cpu()
            time.sleep(0.5)
            quiet = quiet + 1 if self.cpu() - before < 0.5 * 0.1 + TICK_SECONDS else 0
            if time.monotonic() > until:
                raise SystemExit("souk is still busy after five minutes without a request")

    def note_idle(self):
        """Notes what an idle server holds."""
        self.idle_mib = self.memory("VmRSS")

    def psql(self, sql, url):
        command = [os.environ["POSTGRES_BIN"] + "/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
        subprocess.run(command, check=True)

    def log(self):
        return (self.folder / "err.log").read_text()

    def get(self, path):
        with urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def post(self, path, body, token=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        with urlopen(Request(self.url + path, json.dumps(body).encode(), headers), timeout=30) as answer:
            return json.load(answer)

    def cpu(self):
        """Seconds of processor time used so far."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self, name):
        """A figure of /proc/<pid>/status in MiB: VmRSS is what it holds now, VmHWM the most it ever held."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(name)) / 1024

    def facts(self):
        total = self.get("/api/v1/products?limit=1")["total"]
        return {
            "ready": self.ready_ms,
            "idle": self.idle_mib,
            "peak": self.memory("VmHWM"),
            "products": total,
        }
