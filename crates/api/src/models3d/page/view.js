// Turns a model around: reads the small copy of its newest version and draws it with WebGL 2. Needs nothing from elsewhere.
"use strict";

const VERTEX = `#version 300 es
uniform mat4 view;
uniform mat4 projection;
in vec3 position;
out vec3 seen;
void main() {
  vec4 at = view * vec4(position, 1.0);
  seen = at.xyz;
  gl_Position = projection * at;
}`;

// Each triangle is shaded as a whole: its direction is found from how its points differ.
const FRAGMENT = `#version 300 es
precision highp float;
in vec3 seen;
out vec4 colour;
void main() {
  vec3 outside = normalize(cross(dFdx(seen), dFdy(seen)));
  float light = 0.32 + 0.68 * max(dot(outside, normalize(vec3(-0.3, 0.6, 0.8))), 0.0);
  colour = vec4(vec3(0.62, 0.71, 0.78) * light, 1.0);
}`;

const $ = (id) => document.getElementById(id);
const say = (text) => { $("state").textContent = text; };

async function json(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error?.message ?? `Status ${answer.status}`);
  return body;
}

/// The corners and triangles of a binary glTF as this server writes it.
function read(buffer) {
  const bytes = new DataView(buffer);
  if (bytes.getUint32(0, true) !== 0x46546c67) throw new Error("The copy of the model cannot be read");
  const length = bytes.getUint32(12, true);
  const text = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 20, length)));
  const start = 20 + length + 8;
  const of = (accessor, Kind, size) => {
    const part = text.bufferViews[accessor.bufferView];
    return new Kind(buffer, start + (part.byteOffset ?? 0), accessor.count * size);
  };
  const primitive = text.meshes[0].primitives[0];
  const corners = text.accessors[primitive.attributes.POSITION];
  const indices = text.accessors[primitive.indices];
  return {
    points: of(corners, Float32Array, 3),
    faces: of(indices, indices.componentType === 5123 ? Uint16Array : Uint32Array, 1),
    low: corners.min,
    high: corners.max,
  };
}

function program(gl) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  return made;
}

function show(mesh) {
  const canvas = $("model");
  const gl = canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true });
  if (!gl) throw new Error("This browser has no WebGL 2");
  const made = program(gl);
  gl.useProgram(made);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, mesh.points, gl.STATIC_DRAW);
  const position = gl.getAttribLocation(made, "position");
  gl.enableVertexAttribArray(position);
  gl.vertexAttribPointer(position, 3, gl.FLOAT, false, 0, 0);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.faces, gl.STATIC_DRAW);
  gl.enable(gl.DEPTH_TEST);
  const kind = mesh.faces instanceof Uint16Array ? gl.UNSIGNED_SHORT : gl.UNSIGNED_INT;
  const middle = mesh.low.map((low, axis) => (low + mesh.high[axis]) / 2);
  const radius = Math.max(Math.hypot(...mesh.low.map((low, axis) => mesh.high[axis] - low)) / 2, 1e-9);
  const at = { turn: 0.6, tilt: 0.5, far: 3 };

  const draw = () => {
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.max(Math.round(canvas.clientWidth * scale), 1);
    canvas.height = Math.max(Math.round(canvas.clientHeight * scale), 1);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const [a, b, c, d] = [Math.cos(at.turn), Math.sin(at.turn), Math.cos(at.tilt), Math.sin(at.tilt)];
    // The size of the model becomes one; then it is turned, tilted and moved away.
    const rows = [[a, 0, -b], [d * b, c, d * a], [c * b, -d, c * a]].map((row) => row.map((x) => x / radius));
    const moved = rows.map((row) => -row.reduce((sum, x, axis) => sum + x * middle[axis], 0));
    const view = [0, 1, 2].flatMap((axis) => [...rows.map((row) => row[axis]), 0]);
    view.push(moved[0], moved[1], moved[2] - at.far, 1);
    const near = Math.max(at.far - 1.1, 0.01);
    const end = at.far + 1.1;
    const focus = 1 / Math.tan(0.4);
    const projection = [
      focus * canvas.height / canvas.width, 0, 0, 0, 0, focus, 0, 0,
      0, 0, (near + end) / (near - end), -1, 0, 0, 2 * near * end / (near - end), 0,
    ];
    gl.uniformMatrix4fv(gl.getUniformLocation(made, "view"), false, view);
    gl.uniformMatrix4fv(gl.getUniformLocation(made, "projection"), false, projection);
    gl.drawElements(gl.TRIANGLES, mesh.faces.length, kind, 0);
  };
  const move = (turn, tilt, nearer = 1) => {
    at.turn += turn;
    at.tilt = Math.min(Math.max(at.tilt + tilt, -1.5), 1.5);
    at.far = Math.min(Math.max(at.far * nearer, 1.2), 20);
    requestAnimationFrame(draw);
  };
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) move(event.movementX * -0.01, event.movementY * 0.01);
  });
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    move(0, 0, Math.exp(event.deltaY * 0.001));
  }, { passive: false });
  const keys = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1], "+": [0, 0, 0.9], "-": [0, 0, 1.1] };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    move(...keys[event.key]);
  });
  new ResizeObserver(draw).observe(canvas);
  draw();
}

function facts(version) {
  const { triangles, size, volume, area, shape } = version.findings;
  const round = (number) => number.toLocaleString("en", { maximumSignificantDigits: 6 });
  const all = [
    ["Version", String(version.number)],
    ["Size", `${round(size.x)} x ${round(size.y)} x ${round(size.z)} mm`],
    ["Triangles", triangles.toLocaleString("en")],
    ["Surface", `${round(area)} mm\u00b2`],
    ["Volume", shape?.closed ? `${round(volume)} mm\u00b3` : "not known, since it is not closed"],
    ["Watertight", shape ? (shape.watertight ? "yes" : "no") : "not looked at"],
  ];
  for (const [name, value] of all) {
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    text.textContent = value;
    $("facts").append(term, text);
  }
}

async function main() {
  const id = location.pathname.split("/")[2];
  const model = await json(`/api/v1/models3d/${encodeURIComponent(id)}`);
  document.title = model.name;
  $("name").textContent = model.name;
  const { items } = await json(`/api/v1/models3d/${model.id}/versions?limit=100`);
  const version = items.find((one) => one.state === "ready");
  if (!version) {
    say(items.some((one) => one.state === "processing") ? "It is being looked at; come back soon" : "There is nothing to show");
    return;
  }
  facts(version);
  const answer = await fetch(version.copy.url);
  if (!answer.ok) throw new Error("The copy of the model is not there");
  show(read(await answer.arrayBuffer()));
  say("Drag or use the arrow keys to turn it, the wheel or + and - to come nearer");
  document.body.dataset.shown = version.number;
}

main().catch((error) => say(error.message));
