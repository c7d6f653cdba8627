// What every page does: follow what happens, the menu on a phone, and small comforts. No words stand here: they come
// from the page.

const topics = document.body.dataset.live.trim();
const AGAIN = 15000; // ms between looks while the stream cannot be had
let stream = null;
let looking = null;

function told(names) {
  for (const name of names) document.body.dispatchEvent(new CustomEvent(`live:${name}`, { bubbles: true }));
}

function lookByOurselves() {
  if (looking === null) looking = setInterval(() => told(topics.split(",")), AGAIN);
}

function follow() {
  if (!topics || stream !== null || document.hidden) return;
  stream = new EventSource(`/live?topics=${encodeURIComponent(topics)}`);
  stream.onmessage = (event) => told(event.data.split(" "));
  stream.onopen = () => {
    clearInterval(looking);
    looking = null;
    document.body.classList.remove("unheard");
  };
  stream.onerror = () => {
    document.body.classList.add("unheard");
    lookByOurselves();
    if (stream.readyState === EventSource.CLOSED) {
      stream = null;
      setTimeout(follow, AGAIN);
    }
  };
}

// A page in the background gives its stream back: browsers have six connections for all tabs of one site.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stream?.close();
    stream = null;
  } else if (topics) {
    told(topics.split(","));
    follow();
  }
});
addEventListener("pagehide", () => {
  stream?.close();
  stream = null;
});
follow();

// What scrolls sideways must be reached by keyboard, too; a region stays so: its picture may come later.
function reachable() {
  for (const one of document.querySelectorAll(".scroll")) {
    if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
    else if (one.tabIndex === 0 && one.getAttribute("role") !== "region") one.removeAttribute("tabindex");
  }
}
reachable();
addEventListener("resize", reachable);
document.body.addEventListener("htmx:afterSettle", reachable);

// On a phone the parts of a room may not fit side by side: the one that is open is in sight.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const menu = document.querySelector("[data-menu]");
menu?.addEventListener("click", () => {
  const open = document.body.classList.toggle("menu-open");
  menu.setAttribute("aria-expanded", String(open));
});

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.who[open]")) if (!open.contains(event.target)) open.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.who[open], details.keep[open]")) {
    if (open.contains(document.activeElement)) open.querySelector("summary").focus();
    open.open = false;
  }
  document.body.classList.remove("menu-open");
  menu?.setAttribute("aria-expanded", "false");
});

// data-keeps: what one writes there outlives a page that is left and a session that ends, in this tab and for the same
// person alone, until the page says that it was taken.
const typed = (field) => `hotline-typed:${document.body.dataset.user}:${location.pathname}:${field.form.action}`;
function remembered(name, value) {
  try {
    if (value === undefined) return sessionStorage.getItem(name);
    if (value) sessionStorage.setItem(name, value);
    else sessionStorage.removeItem(name);
  } catch {} // a browser that keeps nothing
  return null;
}
const taken = document.querySelector("main > .said.good") !== null;
for (const field of document.querySelectorAll("[data-keeps]")) {
  const name = typed(field);
  if (taken && remembered(`${name}:sent`)) remembered(name, "");
  remembered(`${name}:sent`, "");
  if (!field.value) field.value = remembered(name) ?? "";
  field.addEventListener("input", () => remembered(name, field.value));
  field.form.addEventListener("submit", () => remembered(`${name}:sent`, "1"));
}
document.body.addEventListener("htmx:afterRequest", (event) => {
  const field = event.detail.elt.querySelector?.(":scope > [data-keeps]");
  if (field && event.detail.successful) remembered(typed(field), "");
});

// Many rows to take along: all of the page at once; and a reason in words is asked for where it is the one chosen.
function many() {
  for (const all of document.querySelectorAll("[data-all]")) all.closest("label").hidden = false;
}
many();
document.body.addEventListener("htmx:afterSettle", many);
document.addEventListener("change", ({ target }) => {
  if (target.matches?.("[data-all]")) {
    for (const one of target.form.querySelectorAll("input[name=call]")) one.checked = target.checked;
  }
  if (target.matches?.("select[name=reason]")) {
    const words = target.form?.elements.words;
    if (!words) return;
    words.required = target.value === "other";
    if (words.required) words.focus();
  }
});

// What unfolds to ask for a word is ready to be typed into.
document.addEventListener("toggle", ({ target }) => {
  if (target.open && target.matches?.("details.keep")) target.querySelector("input:not([type=hidden]), select")?.focus();
}, true);

// data-confirm="…" on a form: ask before it goes. data-copy="id": copy what stands there.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard?.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  button.textContent = button.dataset.done ?? button.textContent;
});

// A session that is over answers a fragment with HX-Redirect; any other trouble is told at the top of the page once.
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) document.getElementById("trouble")?.replaceChildren();
});
