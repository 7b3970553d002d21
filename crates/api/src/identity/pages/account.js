// Uses up what the link of a letter brought, when a person says so.

const pages = {
  "verify-email": {
    title: "Is this your address?", go: "This is my address", to: "email-verification/confirm", needs: ["token"],
    done: "Thank you: the address is yours.",
  },
  "change-email": {
    title: "Use this address from now on?", go: "Use this address", to: "email-change/confirm", needs: ["token"],
    done: "Done: sign in with this address from now on.",
  },
  "reset-password": {
    title: "Choose a new password", go: "Use this password", to: "password-reset/confirm", needs: ["token", "password"],
    done: "Done: sign in with the new password.",
  },
  "forgotten-password": {
    title: "Choose a new password", go: "Send me a link", to: "password-reset", needs: ["email"],
    done: "If there is an account with this address, a letter with a link is on its way.",
  },
};

const part = (id) => document.getElementById(id);
const page = pages[location.pathname.split("/").pop()];
const token = new URLSearchParams(location.hash.slice(1)).get("token");
// It is in nobody's history from here on.
history.replaceState(null, "", location.pathname);

/** Says something; as a fault when it is one. */
function say(text, fault = false) {
  part("said").textContent = text;
  part("said").classList.toggle("fault", fault);
}

async function send(event) {
  event.preventDefault();
  const form = new FormData(part("form"));
  const body = Object.fromEntries(page.needs.map((name) => [name, name === "token" ? token : form.get(name)]));
  part("go").disabled = true;
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`/api/v1/auth/${page.to}`, { method: "POST", headers, body: JSON.stringify(body) });
    const read = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      const fields = (read.error?.details?.fields ?? []).map((one) => `${one.field.slice(1)} ${one.message}`);
      throw new Error(fields.join("; ") || (read.error?.message ?? `${answer.status} ${answer.statusText}`));
    }
    part("form").hidden = true;
    say(page.done);
  } catch (fault) {
    say(fault.message, true);
  }
  part("go").disabled = false;
}

say("");
part("title").textContent = page.title;
part("go").textContent = page.go;
if (page.needs.includes("token") && !token) {
  say("This link is not whole: open it from the letter once more.", true);
} else {
  for (const name of page.needs.filter((name) => name !== "token")) {
    part(name).hidden = false;
    part("form").elements[name].required = true;
  }
  part("form").hidden = false;
  part("form").addEventListener("submit", send);
}
