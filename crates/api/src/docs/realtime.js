// Tries live streams by hand: signs in, opens a stream with a ticket, shows what comes, and comes back where it was.

const api = "/api/v1";
const rows = 200;
const patience = { first: 500, longest: 15_000 };

const part = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Shows the state of something; as a fault when it is one. */
function state(id, text, fault = false) {
  const output = part(id);
  output.textContent = text;
  output.classList.toggle("fault", fault);
}

/** Puts a line with these cells on top of a table or list, which does not grow for ever. */
function show(list, tag, cells) {
  const line = document.createElement(list.tagName === "TBODY" ? "tr" : "li");
  for (const cell of cells) {
    const shown = document.createElement(tag);
    shown.textContent = cell ?? "";
    line.append(shown);
  }
  list.prepend(line);
  while (list.children.length > rows) list.lastElementChild.remove();
  return line;
}

// ---- who ------------------------------------------------------------------------------------------------------------

/** The access token. It is kept by this page only, and gone with it. */
let token = null;

async function call(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(api + path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
  const read = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(read.error?.message ?? `${answer.status} ${answer.statusText}`);
  return read;
}

function signed(given, name) {
  token = given;
  part("sign-out").hidden = !token;
  state("person", token ? `Signed in ${name}` : "Nobody is signed in: only what everybody may know is heard.");
}

part("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(event.target));
  try {
    signed((await call("/auth/login", { email, password })).token, `as ${email}`);
    event.target.reset();
  } catch (fault) {
    state("person", fault.message, true);
  }
});

part("with-token").addEventListener("submit", (event) => {
  event.preventDefault();
  signed(new FormData(event.target).get("token").trim(), "by a token");
  event.target.reset();
});

part("sign-out").addEventListener("click", () => signed(null));

/** The part of an address that says who asks. A ticket is good for one connection, so each gets one of its own. */
async function credentials() {
  return token ? { ticket: (await call("/events/tickets")).ticket } : {};
}

/**
 * Keeps a connection: `open` opens one and gives a promise of its end, which says whether to come back. What fails is tried
 * again ever later.
 */
function keep(open, told) {
  let kept = true;
  (async () => {
    let wait = patience.first;
    while (kept) {
      try {
        const { again, heard } = await open();
        if (!again) break;
        if (heard) wait = patience.first;
      } catch (fault) {
        told(fault.message, true);
      }
      if (!kept) break;
      await pause(wait * (0.5 + Math.random()));
      wait = Math.min(wait * 2, patience.longest);
    }
  })();
  return () => {
    kept = false;
  };
}

// ---- events ---------------------------------------------------------------------------------------------------------

let stopListening = null;

part("listen").addEventListener("submit", (event) => {
  event.preventDefault();
  stopListening?.();
  const { topics, after } = Object.fromEntries(new FormData(event.target));
  const place = { last: after || null };
  let source = null;
  let ended = false;
  const told = (text, fault) => ended || state("stream-state", text, fault);
  const open = async () => {
    told("connecting");
    const asked = new URLSearchParams({ topics, ...(await credentials()) });
    if (place.last) asked.set("lastEventId", place.last);
    if (ended) return { again: false };
    source = new EventSource(`${api}/events?${asked}`);
    return new Promise((end) => {
      let heard = false;
      source.onopen = () => {
        heard = true;
        told("open");
      };
      source.onmessage = (message) => {
        if (message.lastEventId) place.last = message.lastEventId;
        const data = JSON.parse(message.data);
        showEvent(data);
        if (data.type === "closing" && data.reason === "sessionEnded") {
          source.close();
          told("closed: sign in again", true);
          end({ again: false });
        }
      };
      // Left alone it would come back with a ticket that was used.
      source.onerror = () => {
        source.close();
        told("lost, coming back", true);
        end({ again: true, heard });
      };
    });
  };
  const stop = keep(open, told);
  part("stop").disabled = false;
  stopListening = () => {
    stop();
    source?.close();
    told("closed");
    ended = true;
    stopListening = null;
    part("stop").disabled = true;
  };
});

part("stop").addEventListener("click", () => stopListening?.());

function showEvent(data) {
  const { product } = data;
  const named = product?.name ?? data.productId ?? data.reason;
  const price = product && `${product.price} ${product.currency}`;
  const number = data.seq ?? data.resumedAt;
  const line = show(part("events"), "td", [number, data.type, named, price, product?.stock, data.at]);
  line.dataset.type = data.type;
  if (data.productId) line.dataset.product = data.productId;
}

// ---- rooms ----------------------------------------------------------------------------------------------------------

let socket = null;
let leaveRoom = null;

/** What a socket says, by its `type`. Other types are none of this page's business. */
const said = {
  room_joined: (data) => state("room-state", `in ${data.room} with ${data.memberCount} members`),
  member_joined: (data) => show(part("messages"), "span", [`${data.userId ?? "somebody"} came, ${data.memberCount} are here`]),
  member_left: (data) => show(part("messages"), "span", [`${data.userId ?? "somebody"} left, ${data.memberCount} are here`]),
  message: (data) => {
    show(part("messages"), "span", [`${data.timestamp} ${data.userId}: ${data.content}`]).dataset.type = "message";
  },
  error: (data) => state("room-state", data.message, true),
  closing: (data) => state("room-state", data.reason, true),
};

part("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  leaveRoom?.();
  const room = new FormData(event.target).get("room");
  const place = {};
  let ended = false;
  const told = (text, fault) => ended || state("room-state", text, fault);
  const open = async () => {
    told("connecting");
    const asked = new URLSearchParams(await credentials());
    if (ended) return { again: false };
    const opened = new WebSocket(`${location.origin.replace(/^http/, "ws")}${part("rooms").dataset.address}?${asked}`);
    socket = opened;
    return new Promise((end) => {
      let heard = false;
      let again = true;
      opened.onopen = () => {
        heard = true;
        opened.send(JSON.stringify({ type: "join_room", room, ...place }));
        part("say").querySelector("button").disabled = !token;
      };
      opened.onmessage = (message) => {
        const data = JSON.parse(message.data);
        // Where to go on after a cut.
        if (data.type === "room_joined" && data.room === room) Object.assign(place, { offset: data.offset, epoch: data.epoch });
        if (data.type === "message" && data.room === room && place.epoch) place.offset = data.offset;
        if (data.type === "closing") again = data.reconnect;
        if (!ended) said[data.type]?.(data);
      };
      opened.onclose = () => {
        part("say").querySelector("button").disabled = true;
        told("lost, coming back", true);
        end({ again, heard });
      };
    });
  };
  const stop = keep(open, told);
  part("leave").disabled = false;
  leaveRoom = () => {
    stop();
    told("closed");
    ended = true;
    socket?.close();
    leaveRoom = null;
    part("leave").disabled = true;
  };
});

part("leave").addEventListener("click", () => leaveRoom?.());

part("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const content = new FormData(event.target).get("content");
  socket?.send(JSON.stringify({ type: "message", room: new FormData(part("enter")).get("room"), content }));
  event.target.reset();
});

/** Rooms are shown where the server has them: its document says by which address. */
async function findRooms() {
  const read = await fetch("/api-docs/asyncapi.json").then((answer) => answer.json());
  const sockets = Object.values(read.channels).filter((channel) => channel.servers.some((server) => server.$ref === "#/servers/ws"));
  if (sockets.length > 0) {
    part("rooms").dataset.address = sockets[0].address;
    part("rooms").hidden = false;
  }
}

findRooms().catch((fault) => console.error(`what is pushed cannot be read: ${fault.message}`));
