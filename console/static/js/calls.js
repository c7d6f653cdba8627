// The calls room: "/" goes to the first field, the arrow keys walk the calls, and empty fields stay out of the address.

const field = document.getElementById("f-words");
const links = () => [...document.querySelectorAll("#found tbody th a")];

function typing(target) {
  return target.closest?.("input, select, textarea, [contenteditable]");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "/" && !typing(event.target)) {
    event.preventDefault();
    field?.focus();
    field?.select();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const all = links();
    const here = all.indexOf(document.activeElement);
    if (here < 0) return;
    event.preventDefault();
    all[here + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  }
});

document.body.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt.id !== "wish") return;
  for (const [name, value] of [...event.detail.formData.entries()]) if (value === "") event.detail.formData.delete(name);
});

// A chosen span of time stands instead of the two moments, and they instead of it.
const form = document.getElementById("wish");
form?.addEventListener("change", (event) => {
  const { period, since, until } = form.elements;
  if (event.target === period && period.value) since.value = until.value = "";
  else if ((event.target === since || event.target === until) && event.target.value) period.value = "";
});
