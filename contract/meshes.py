"""Holds what Souk measures of 3D models to two programs that are not ours: trimesh, and admesh.

usage: meshes.py MESH, the example `mesh` of souk-media. Compares the models of crates/media/tests/models and made-up ones in every
format that both read: triangles, box, area, volume, edges, watertightness and parts, within 1e-5 of each other.
"""

import glob
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import trimesh

MESH = sys.argv[1]
NEAR = 1e-5
faults = []
compared = 0


def near(ours, theirs, scale=0.0):
    return math.isclose(ours, theirs, rel_tol=NEAR, abs_tol=NEAR * scale)


def check(what, ours, theirs, scale=0.0):
    global compared
    compared += 1
    exact = isinstance(theirs, (bool, int)) and not isinstance(theirs, float)
    good = ours == theirs if exact else near(ours, theirs, scale)
    if not good:
        faults.append(f"{what}: {ours} here, {theirs} there")


def ours(paths):
    said = subprocess.run([MESH, *paths], check=True, capture_output=True, text=True).stdout
    return {one["file"]: one for one in map(json.loads, said.splitlines())}


def with_trimesh(path, found):
    mesh = trimesh.load(path, force="mesh", process=False)
    corners = mesh.triangles.astype(np.float32)
    # As every program that connects triangles of STL does: corners at one place are one, and what collapses has no edges. What one
    # place is, is said by trimesh.
    digits = trimesh.util.decimal_to_digits(trimesh.tol.merge)
    points, faces = np.unique(corners.reshape(-1, 3).astype(np.float64).round(digits) + 0.0, axis=0, return_inverse=True)
    faces = faces.reshape(-1, 3)
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    joined = trimesh.Trimesh(points, faces[whole], process=False)
    if whole.all():
        check(f"trimesh {os.path.basename(path)} as it loads it", found["watertight"], bool(trimesh.load(path, force="mesh").is_watertight))
    size = float(np.linalg.norm(mesh.extents))
    name = f"trimesh {os.path.basename(path)}"
    check(f"{name} triangles", found["triangles"], len(faces))
    for axis in range(3):
        check(f"{name} low {axis}", found["low"][axis], float(mesh.bounds[0][axis]), size)
        check(f"{name} high {axis}", found["high"][axis], float(mesh.bounds[1][axis]), size)
    check(f"{name} area", found["area"], float(mesh.area))
    # Of what is not closed each formula makes something else, and none means anything.
    if joined.is_watertight and joined.is_winding_consistent:
        check(f"{name} volume", found["volume"], float(mesh.volume), size**3 * 1e-3)
    check(f"{name} watertight", found["watertight"], bool(joined.is_watertight))
    turned = found["inconsistent"] == 0 and found["watertight"]
    check(f"{name} closed", turned, bool(joined.is_watertight and joined.is_winding_consistent))
    check(f"{name} vertices", found["vertices"], len(points))
    check(f"{name} edges", found["edges"], len(joined.edges_unique))
    counts = np.bincount(joined.edges_unique_inverse)
    check(f"{name} boundary", found["boundary"], int((counts == 1).sum()))
    check(f"{name} non-manifold", found["nonManifold"], int((counts > 2).sum()))
    owners = np.argsort(joined.edges_unique_inverse, kind="stable")
    edges, faces_of = joined.edges_unique_inverse[owners], owners // 3
    same = edges[1:] == edges[:-1]
    pairs = np.column_stack((faces_of[1:][same], faces_of[:-1][same]))
    parts = trimesh.graph.connected_components(pairs, nodes=np.arange(len(joined.faces)), min_len=1)
    check(f"{name} shells", found["shells"], len(parts))


def with_admesh(path, found):
    # Without repair, but for directions that were stored wrongly; corners are one where they are one here.
    near_by = ["-n", "-t", str(trimesh.tol.merge), "-i", "1"]
    said = subprocess.run(["admesh", "-e", *near_by, "-v", path], capture_output=True, encoding="latin-1").stdout
    if "Number of facets" not in said:
        # It reads one solid of a text, and no line it does not expect.
        return False

    def number(pattern):
        return float(re.search(pattern + r"\s*[:=]\s*(-?[0-9.e+-]+)", said).group(1))

    name = f"admesh {os.path.basename(path)}"
    size = math.dist(found["low"], found["high"])
    check(f"{name} facets", found["triangles"], int(re.search(r"Number of facets\s*:\s*(\d+)", said).group(1)))
    for axis, letter in enumerate("XYZ"):
        check(f"{name} min {letter}", found["low"][axis], number(f"Min {letter}"), size)
        check(f"{name} max {letter}", found["high"][axis], number(f"Max {letter}"), size)
    if found["watertight"] and found["collapsed"] == 0:
        check(f"{name} volume", abs(found["volume"]), abs(number("Volume")), size**3 * 1e-3)
        open_facets = int(re.search(r"Total disconnected facets\s*:\s*\d+\s+(\d+)", said).group(1))
        check(f"{name} watertight", found["watertight"], open_facets == 0)
    return True


def made_up(folder):
    """Shapes of every kind, each as often as there are formats."""
    box = trimesh.creation.box((10, 20, 30))
    far = trimesh.creation.icosphere(3, 7.0)
    far.apply_translation((1000.0, -2000.0, 500.0))
    torn = trimesh.creation.icosphere(3, 5.0)
    torn.update_faces(np.arange(len(torn.faces)) % 97 != 0)
    turned = trimesh.creation.torus(10.0, 3.0)
    turned.faces[::5] = turned.faces[::5, ::-1]
    inside_out = trimesh.creation.cylinder(4.0, 9.0)
    inside_out.invert()
    hollow = trimesh.util.concatenate([trimesh.creation.icosphere(2, 9.0), trimesh.creation.icosphere(2, 4.0)])
    fin = trimesh.util.concatenate([box, trimesh.Trimesh([[5, 10, 15], [5, 10, -15], [25, 30, 0]], [[0, 1, 2]])])
    soup = trimesh.Trimesh(np.random.default_rng(7).normal(size=(300, 3)), np.arange(300).reshape(-1, 3), process=False)
    shapes = {
        "box": box,
        "far": far,
        "torn": torn,
        "turned": turned,
        "inside-out": inside_out,
        "hollow": hollow,
        "fin": fin,
        "soup": soup,
        "fine": trimesh.creation.icosphere(6, 33.3),
        "capsule": trimesh.creation.capsule(12.0, 3.0),
    }
    for name, mesh in shapes.items():
        for ending in ("stl", "obj", "3mf"):
            path = os.path.join(folder, f"{name}.{ending}")
            mesh.export(path, digits=9) if ending == "obj" else mesh.export(path)
            yield path
        path = os.path.join(folder, f"{name}-text.stl")
        mesh.export(path, file_type="stl_ascii")
        yield path


with tempfile.TemporaryDirectory() as folder:
    real = sorted(glob.glob("crates/media/tests/models/*.stl"))
    invented = list(made_up(folder))
    told = ours(real + invented)
    read = 0
    for path in real + invented:
        found = told[path]
        if "fault" in found:
            faults.append(f"{path}: {found['message']}")
            continue
        with_trimesh(path, found)
        if path in real:
            read += with_admesh(path, found)
    if read < 4:
        faults.append(f"admesh read {read} models only")

if faults:
    sys.exit("\n".join(faults))
print(f"{compared} values of {len(told)} models agree with trimesh {trimesh.__version__} and admesh")
