// The desk: clocks that run, the record form kept as it is typed, and the form of a new call put in the old one's place
// once that is finished with. No words stand here.

const began = performance.now();
const KEEP = 700; // ms after the last key until the draft is sent
let clocks = new WeakMap();

function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const rest = `${String(Math.floor((whole % 3600) / 60)).padStart(hours ? 2 : 1, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${rest}` : rest;
}

function tick() {
  const now = performance.now();
  for (const clock of document.querySelectorAll("[data-count], [data-down]")) {
    if (!clocks.has(clock)) clocks.set(clock, now);
    const passed = (now - clocks.get(clock)) / 1000;
    const text = clock.dataset.count === undefined ? span(Number(clock.dataset.down) - passed) : span(Number(clock.dataset.count) + passed);
    if (clock.textContent !== text) clock.textContent = text;
  }
}
setInterval(tick, 500);

// --- the form, as it is typed --------------------------------------------------------------------------------------
// The server keeps the draft. What it has not confirmed yet also stands in this tab's own memory: a session that ends,
// or a network that fails, between two keys must not cost a word. Only the same user gets it back.

const form = () => document.getElementById("record-form");
const place = (of) => `record:${of.dataset.user}:${of.dataset.call}`;
let timer = null;
let sending = null;

function typed(of) {
  const data = new FormData(of);
  data.delete("then");
  data.delete("csrf");
  return data;
}

function remember(of) {
  try {
    sessionStorage.setItem(place(of), JSON.stringify([...typed(of)]));
  } catch {
    // private windows may have no memory: the server's draft remains
  }
}

async function keep(of) {
  timer = null;
  const sent = JSON.stringify([...typed(of)]);
  const body = new URLSearchParams(typed(of));
  const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRF-Token"] ?? "";
  try {
    sending = fetch(of.dataset.draft, { method: "POST", body, headers: { "X-CSRF-Token": token, "HX-Request": "true" }, keepalive: body.toString().length < 60000 });
    const answer = await sending;
    if (answer.status !== 200) throw new Error(String(answer.status));
    const text = await answer.text();
    if (form() !== of) return;
    document.getElementById("draft-kept").textContent = text.trim();
    of.classList.remove("unkept");
    if (sessionStorage.getItem(place(of)) === sent) sessionStorage.removeItem(place(of));
  } catch {
    of.classList.add("unkept");
    if (timer === null) timer = setTimeout(() => form() === of && keep(of), 10 * KEEP);
  } finally {
    sending = null;
  }
}

function changed(event) {
  const of = event.target.closest?.("#record-form");
  if (!of) return;
  of.dataset.touched = "yes";
  needed(of);
  remember(of);
  clearTimeout(timer);
  timer = setTimeout(() => keep(of), KEEP);
}
document.addEventListener("input", changed);
document.addEventListener("change", changed);

function needed(of) {
  const by = JSON.parse(of.dataset.needs);
  const needs = by[of.elements.subject.value];
  if (!needs) return;
  for (const mark of of.querySelectorAll("[data-need]")) mark.hidden = !needs.includes(mark.dataset.need);
}

function restore() {
  const of = form();
  if (!of) return;
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(place(of)) ?? "null");
  } catch {
    return;
  }
  if (!kept) return;
  const values = new Map(kept);
  for (const name of ["name", "contact", "subject", "problem", "solution"]) {
    if (values.has(name)) of.elements[name].value = values.get(name);
  }
  of.elements.identity_checked.checked = values.get("identity_checked") === "yes";
  for (const choice of of.querySelectorAll("[name=solved]")) choice.checked = choice.value === values.get("solved");
  of.dataset.touched = "yes";
  needed(of);
  keep(of);
}
restore();

addEventListener("pagehide", () => {
  if (timer !== null && form()) keep(form());
});

// What was saved, or thrown away, is no draft any more.
document.addEventListener("submit", (event) => {
  const of = event.target.id === "record-form" ? event.target : event.target.dataset?.drops !== undefined ? form() : null;
  if (of) {
    clearTimeout(timer);
    timer = null;
  }
  if (event.target.dataset?.drops !== undefined && of) sessionStorage.removeItem(place(of));
});
// A draft that is just on its way must not come in behind what is saved, and stand there as if it were not.
document.body.addEventListener("htmx:confirm", (event) => {
  if (!sending || !["record-form", "drop-draft"].includes(event.detail.elt.id)) return;
  event.preventDefault();
  const longest = new Promise((go) => setTimeout(go, 3 * KEEP));
  Promise.race([sending.catch(() => {}), longest]).then(() => event.detail.issueRequest());
});
document.body.addEventListener("record-saved", () => {
  const of = form();
  if (of) sessionStorage.removeItem(place(of));
});

// The state stands in the window's title, too: it is seen from behind other windows.
const title = document.title;
function entitle() {
  const mode = document.querySelector(".desk-mode strong")?.textContent;
  if (mode) document.title = `${mode} · ${title}`;
}
entitle();

// --- a new call ----------------------------------------------------------------------------------------------------

function another() {
  const now = document.querySelector(".desk-state")?.dataset.call;
  const of = form();
  const link = document.getElementById("other-call");
  if (!now || !link || of?.dataset.call === now) return;
  if (of?.dataset.touched === "yes" || of?.contains(document.activeElement)) link.hidden = false;
  else window.htmx?.ajax("GET", link.querySelector("a").dataset.form, { target: "#record", swap: "innerHTML" });
}
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-form]");
  if (!link || !window.htmx) return;
  event.preventDefault();
  const of = form();
  const open = () => window.htmx.ajax("GET", link.dataset.form, { target: "#record", swap: "innerHTML" });
  if (of && timer !== null) {
    clearTimeout(timer);
    keep(of).finally(open);
  } else open();
});
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "desk-now") {
    another();
    entitle();
  }
  if (event.detail.target.id === "record") restore();
  tick();
});
