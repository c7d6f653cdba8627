// The page of one recording: the waveform, the sound, the keys, and the form beside it. No words stand here.

import WaveSurfer from "../vendor/wavesurfer.js";
import Regions from "../vendor/wavesurfer-regions.js";

const player = document.getElementById("player");
const about = JSON.parse(document.getElementById("sound-data").textContent);
const style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue(name).trim();
const audio = new Audio();
audio.preload = "metadata";

// --- the waveform: drawn from peaks that were computed once, so that nothing of the sound is fetched for it

const sides = Math.max(1, about.channels);
const peaks = about.peaks.length ? about.peaks : Array.from({ length: sides }, () => [0, 0]);
const height = sides > 1 ? 56 : 88;
const regions = Regions.create();
const tints = [
  { wave: "--edge-strong", progress: "--accent" },
  { wave: "--edge-strong", progress: "--good" },
];
const wave = WaveSurfer.create({
  container: "#wave",
  media: audio,
  peaks,
  duration: about.seconds,
  height,
  barWidth: 2,
  barGap: 1,
  barRadius: 2,
  normalize: false,
  cursorColor: colour("--text"),
  cursorWidth: 2,
  splitChannels: peaks.map((_, side) => ({ waveColor: colour(tints[side % 2].wave), progressColor: colour(tints[side % 2].progress), height })),
  cspNonce: player.dataset.nonce,
  plugins: [regions],
});

const SHADES = { hold: "--warn", paused: "--bad", silence: "--quiet", talk_over: "--accent" };
wave.once("ready", () => {
  for (const mark of about.marks) {
    const shade = SHADES[mark.kind];
    if (shade && mark.end > mark.at) {
      regions.addRegion({ start: mark.at, end: mark.end, color: `color-mix(in srgb, ${colour(shade)} 22%, transparent)`, drag: false, resize: false });
    } else if (mark.at >= 0 && !mark.end) {
      regions.addRegion({ start: mark.at, color: colour("--warn"), drag: false, resize: false });
    }
  }
  markComments();
});

let flags = [];
function markComments() {
  for (const flag of flags) flag.remove();
  flags = [...document.querySelectorAll("[data-comment]")].map((line) =>
    regions.addRegion({ start: Number(line.dataset.comment), color: colour("--accent"), drag: false, resize: false }));
}

// --- hearing: who and why is written down before the first byte of sound is given

const reason = document.getElementById("reason");
const words = document.getElementById("words");
const trouble = document.getElementById("sound-trouble");
const token = () => JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRF-Token"];
let opening = null;
let tries = 0;

reason.addEventListener("change", () => {
  words.hidden = reason.value !== "other";
  if (!words.hidden) words.focus();
});

function say(text) {
  trouble.textContent = text;
  trouble.hidden = !text;
}

words.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  toggle();
});

async function opened() {
  if (audio.src) return true;
  if (reason.value === "other" && !words.value.trim()) {
    words.focus();
    say(words.dataset.needed);
    return false;
  }
  play.setAttribute("aria-busy", "true");
  opening ??= ask().finally(() => { opening = null; });
  return opening;
}

async function ask() {
  const body = new URLSearchParams({ reason: reason.value, words: words.value });
  try {
    const answer = await fetch(player.dataset.hear, { method: "POST", body, headers: { "X-CSRF-Token": token(), Accept: "application/json" } });
    if (!answer.ok) throw new Error(await detail(answer));
    audio.src = (await answer.json()).path;
    reason.disabled = words.disabled = true;
    say("");
    return true;
  } catch (fault) {
    say(fault.message || player.dataset.lost);
    play.removeAttribute("aria-busy");
    return false;
  }
}

async function detail(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return "";
  }
}

// An address lasts for minutes only: a new one is asked for where the old one is refused, at the same moment.
audio.addEventListener("error", async () => {
  if (!audio.src || tries++ > 1) return say(player.dataset.lost);
  const at = audio.currentTime;
  audio.removeAttribute("src");
  if (await opened()) {
    audio.currentTime = at;
    audio.play().catch(() => {});
  }
});

const play = document.getElementById("play");
async function toggle() {
  if (play.disabled) return;
  const at = audio.currentTime;
  const first = !audio.src;
  if (!(await opened())) return;
  if (first && at) audio.currentTime = at;
  if (audio.paused) audio.play().catch(() => say(player.dataset.lost));
  else audio.pause();
}
play.addEventListener("click", toggle);
audio.addEventListener("play", () => play.setAttribute("aria-pressed", "true"));
audio.addEventListener("playing", () => {
  tries = 0;
  play.removeAttribute("aria-busy");
});
audio.addEventListener("pause", () => play.setAttribute("aria-pressed", "false"));

// --- moving about

function stamp(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}` : `${Math.floor(whole / 60)}:${two(whole % 60)}`;
}

const clock = document.getElementById("clock");
const commentAt = document.getElementById("comment-at");
const commentClock = document.getElementById("comment-clock");
const commentText = document.getElementById("comment-text");
let here = 0;

function shown(at) {
  here = at;
  clock.textContent = stamp(at);
  if (commentAt && document.activeElement !== commentText) {
    commentAt.value = at.toFixed(2);
    commentClock.textContent = stamp(at);
  }
  let last = null;
  for (const button of document.querySelectorAll("#marks [data-seek], #comments [data-seek]")) {
    button.closest("li").classList.remove("now");
    if (Number(button.dataset.seek) <= at + 0.05) last = button;
  }
  last?.closest("li").classList.add("now");
}

function go(at) {
  const to = Math.min(Math.max(0, at), about.seconds);
  if (audio.src && audio.readyState > 0) audio.currentTime = to;
  else wave.setTime(to);
  shown(to);
}

wave.on("timeupdate", (at) => {
  shown(at);
  if (skip.checked && !audio.paused) {
    const span = about.silences.find(([first, end]) => at > first + 0.4 && at < end - 0.6);
    if (span) audio.currentTime = span[1] - 0.3;
  }
});
wave.on("interaction", (at) => go(at));

const skip = document.getElementById("skip");
const speed = document.getElementById("speed");
speed.addEventListener("change", () => {
  audio.defaultPlaybackRate = audio.playbackRate = Number(speed.value);
});

// --- what one has chosen stays from one recording to the next; where one was in this one, for as long as the tab lives

function kept(store, name, value) {
  try {
    if (value === undefined) return store.getItem(name);
    store.setItem(name, value);
  } catch {} // a browser that keeps nothing
  return null;
}

const speedBefore = kept(localStorage, "hotline-speed");
if ([...speed.options].some((one) => one.value === speedBefore)) speed.value = speedBefore;
speed.addEventListener("change", () => kept(localStorage, "hotline-speed", speed.value));
speed.dispatchEvent(new Event("change"));
skip.checked = kept(localStorage, "hotline-skip") === "1";
skip.addEventListener("change", () => kept(localStorage, "hotline-skip", skip.checked ? "1" : "0"));
const place = `hotline-at:${location.pathname}`;
addEventListener("pagehide", () => kept(sessionStorage, place, here.toFixed(2)));
wave.once("ready", () => {
  const last = Number(kept(sessionStorage, place));
  if (last > 0 && last < about.seconds - 1) go(last);
});

document.addEventListener("click", (event) => {
  const seek = event.target.closest?.("[data-seek]");
  const move = event.target.closest?.("[data-move]");
  if (seek) go(Number(seek.dataset.seek));
  if (move) go(here + Number(move.dataset.move));
});

function mark(step) {
  const all = [...document.querySelectorAll("[data-seek]")].map((one) => Number(one.dataset.seek)).sort((a, b) => a - b);
  const next = step > 0 ? all.find((at) => at > here + 0.1) : all.findLast((at) => at < here - 0.6);
  if (next !== undefined) go(next);
}

function faster(step) {
  const next = speed.selectedIndex + step;
  if (next < 0 || next >= speed.length) return;
  speed.selectedIndex = next;
  speed.dispatchEvent(new Event("change"));
}

function turn(way) {
  document.querySelector(`[data-turn="${way}"]`)?.click();
}

// In the form a digit answers the point that one is at, and goes on to the next that is open.
function answered(target, key) {
  const point = target.closest?.(".point");
  const choice = point && [...point.querySelectorAll("input[type=radio]")].find((one) => one.value === (key === "x" ? "na" : key));
  if (!choice) return false;
  choice.click();
  const all = [...form.querySelectorAll(".point")];
  const behind = [...all.slice(all.indexOf(point) + 1), ...all].find((one) => !one.querySelector("input:checked"));
  (behind?.querySelector("input[type=radio]") ?? form.querySelector("[data-fatal], #g-remark")).focus();
  return true;
}

const KEYS = {
  k: toggle, j: () => go(here - 5), l: () => go(here + 5), ",": () => mark(-1), ".": () => mark(1), "<": () => faster(-1), ">": () => faster(1),
  s: () => { skip.click(); },
  n: () => turn("on"), p: () => turn("back"),
  c: () => { commentText?.focus(); },
  g: () => { form?.querySelector("input[type=radio]:checked, input[type=radio]")?.focus(); },
};

// Letters work everywhere but where one writes; space and arrows only where nothing else wants them.
document.addEventListener("keydown", (event) => {
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit(form.querySelector("button[type=submit]"));
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target;
  if (target.closest("textarea, select, input:not([type=radio], [type=checkbox])")) {
    if (event.key === "Escape") player.focus();
    return;
  }
  if (form && form.contains(target) && answered(target, event.key.toLowerCase())) return event.preventDefault();
  const free = !target.closest("input, button, a, summary");
  let course = KEYS[event.key.toLowerCase()];
  if (free && event.key === " ") course = toggle;
  if (free && event.key === "ArrowLeft") course = () => go(here - (event.shiftKey ? 1 : 5));
  if (free && event.key === "ArrowRight") course = () => go(here + (event.shiftKey ? 1 : 5));
  if (!course) return;
  event.preventDefault();
  course();
});

// A comment keeps the moment at which one began to write it.
commentText?.addEventListener("focus", () => {
  commentAt.value = here.toFixed(2);
  commentClock.textContent = stamp(here);
});
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "comments") return;
  if (commentText) {
    if (document.activeElement === commentText) player.focus();
    commentText.value = "";
  }
  markComments();
});

// --- the form: its total as it is filled in (the console computes the one that counts), and its draft

const form = document.getElementById("grade");
const total = document.getElementById("total");
function count() {
  let earned = 0, weight = 0, missing = 0;
  for (const point of form.querySelectorAll(".point")) {
    const picked = point.querySelector("input[type=radio]:checked");
    if (!picked) { missing += 1; continue; }
    if (picked.value === "na") continue;
    weight += Number(point.dataset.weight);
    earned += (Number(point.dataset.weight) * Number(picked.value)) / Number(point.dataset.steps);
  }
  const fatal = form.querySelector("[data-fatal]:checked") !== null;
  const tenths = fatal ? 0 : weight ? Math.round((earned / weight) * 1000) : null;
  total.textContent = missing || tenths === null ? (fatal ? "0" : "–") : (tenths / 10).toFixed(1);
  total.className = "total";
  if (fatal) total.classList.add("none");
  else if (!missing && tenths !== null) total.classList.add(tenths >= 10 * Number(form.dataset.pass) ? "passed" : "failed");
}

if (form) {
  const state = document.getElementById("draft-state");
  let waiting = null;
  let dirty = false;
  let lost = false;
  const keep = async () => {
    waiting = null;
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-CSRF-Token": token() }, keepalive: true });
      dirty = lost = !answer.ok;
      state.textContent = answer.ok ? state.dataset.kept : state.dataset.lost;
    } catch {
      lost = true;
      state.textContent = state.dataset.lost;
    }
  };
  form.addEventListener("input", (event) => {
    event.target.closest(".point")?.classList.remove("missing");
    count();
    dirty = true;
    clearTimeout(waiting);
    waiting = setTimeout(keep, 700);
  });
  addEventListener("pagehide", () => { if (dirty && waiting) keep(); });
  addEventListener("beforeunload", (event) => { if (dirty && lost) event.preventDefault(); });
  form.addEventListener("submit", (event) => {
    clearTimeout(waiting);
    dirty = false;
    const open = [...form.querySelectorAll(".point")].filter((point) => !point.querySelector("input:checked"));
    for (const point of open) point.classList.add("missing");
    if (open.length) {
      event.preventDefault();
      open[0].querySelector("input").focus();
      open[0].scrollIntoView({ block: "center" });
    }
  });
  count();
}
