"""Runs the rounds of bench/meshes/run: each program once in every round, each in a process of its own."""

import json
import os
import statistics
import subprocess
import sys

import numpy as np

mesh, folder, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
path = os.path.join(folder, "million.stl")
record = np.dtype([("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")])

NUMPY = """
import sys, time, resource, numpy as np
begin = time.perf_counter()
a = np.fromfile(sys.argv[1], dtype=[("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")], offset=84)["v"].astype(np.float64)
box = a.min((0, 1)), a.max((0, 1))
n = np.cross(a[:, 1] - a[:, 0], a[:, 2] - a[:, 0])
area = np.sqrt(np.einsum("ij,ij->i", n, n)).sum() / 2
volume = np.einsum("ij,ij->i", a[:, 0], np.cross(a[:, 1], a[:, 2])).sum() / 6
print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, volume)
"""
TRIMESH = """
import sys, time, resource, trimesh
begin = time.perf_counter()
x = trimesh.load(sys.argv[1])
told = x.bounds, x.area, x.is_watertight, x.volume
print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, told[3])
"""
READ = """
import sys, time, resource
begin = time.perf_counter()
with open(sys.argv[1], "rb", buffering=0) as file:
    piece = bytearray(1 << 20)
    while file.readinto(piece): pass
print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0)
"""


def make(lat=501, lon=1000):
    """A closed, bumpy sphere."""
    down = np.linspace(0, np.pi, lat + 1)
    around = np.arange(lon) * 2 * np.pi / lon
    th, ph = np.meshgrid(down, around, indexing="ij")
    r = 50 * (1 + 0.05 * np.sin(7 * th) ** 2 * np.cos(5 * ph))
    r[0, :], r[-1, :] = r[0, 0], r[-1, 0]
    v = np.stack([r * np.sin(th) * np.cos(ph), r * np.sin(th) * np.sin(ph), r * np.cos(th)], -1).astype("<f4")
    v[0, :], v[-1, :] = v[0, 0], v[-1, 0]
    w = np.roll(v, -1, axis=1)
    a = np.stack([v[:-1], v[1:], w[1:]], 2).reshape(-1, 3, 3)[: (lat - 1) * lon]
    b = np.stack([v[:-1], w[1:], w[:-1]], 2).reshape(-1, 3, 3)[lon:]
    rows = np.zeros(len(a) + len(b), dtype=record)
    rows["v"] = np.concatenate([a, b])
    with open(path, "wb") as file:
        file.write(bytes(80) + len(rows).to_bytes(4, "little"))
        rows.tofile(file)


def ours(*options):
    said = json.loads(subprocess.run([mesh, *options, path], check=True, capture_output=True, text=True).stdout)
    return said["seconds"], int(said["peak"].split()[0]), said["volume"]


def theirs(program):
    said = subprocess.run([sys.executable, "-c", program, path], check=True, capture_output=True, text=True).stdout
    seconds, peak, volume = map(float, said.split())
    return seconds, int(peak), volume


make()
size = os.path.getsize(path)
programs = {
    "reading the file alone": lambda: theirs(READ),
    "numpy: box, area, volume": lambda: theirs(NUMPY),
    "souk: box, area, volume": lambda: ours("--metrics"),
    "trimesh: and watertight": lambda: theirs(TRIMESH),
    "souk: the whole examination": lambda: ours(),
}
measured = {name: [] for name in programs}
for _ in range(rounds):
    for name, run in programs.items():
        measured[name].append(run())
print(f"{(size - 84) // 50} triangles, {size / 1e6:.1f} MB, {rounds} rounds; load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
for name, all in measured.items():
    seconds = statistics.median(one[0] for one in all)
    peak = max(one[1] for one in all) / 1024
    low, high = min(one[0] for one in all), max(one[0] for one in all)
    print(f"{name:28} {seconds * 1e3:9.1f} ms  {size / 1e6 / seconds:8.1f} MB/s  {peak:7.1f} MiB  ({low * 1e3:.1f}..{high * 1e3:.1f})")


def ratio(slow, fast):
    return statistics.median(a[0] / b[0] for a, b in zip(measured[slow], measured[fast]))


print(f"metrics {ratio('numpy: box, area, volume', 'souk: box, area, volume'):.1f} x numpy, "
      f"examination {ratio('trimesh: and watertight', 'souk: the whole examination'):.1f} x trimesh, medians of paired rounds")
