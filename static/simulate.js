// A sample and its trace: rows of headers, Ctrl or Cmd Enter, and what a piece of output came from. The server runs the
// sample; without this script the Run button posts it.
const all = (selector, scope = document) => [...scope.querySelectorAll(selector)];
const mac = /Mac|iP(hone|ad)/.test(navigator.platform);
const form = document.querySelector("#sample") ?? document.querySelector("#editor");

// ---- Rows
const ready = (scope) => all("[data-rows] button[hidden]", scope).forEach((button) => (button.hidden = false));
ready(document);
document.addEventListener("htmx:load", (event) => ready(event.target));
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-add-row], [data-remove-row]");
  if (!button) return;
  const rows = button.closest("[data-rows]"), row = button.closest(".row"), last = all(".row", rows).at(-1);
  if (!row) {
    const made = last.cloneNode(true);
    for (const input of all("input", made)) input.value = "";
    last.after(made);
    return made.querySelector("input").focus();
  }
  const next = (row.nextElementSibling ?? row.previousElementSibling).querySelector("input, button");
  if (row === last && all(".row", rows).length === 1) for (const input of all("input", row)) input.value = "";
  else row.remove();
  next?.focus();
  rows.dispatchEvent(new Event("input", { bubbles: true }));
});

// ---- Running
const run = () => {
  if (form.id === "sample") return htmx.trigger(form, "run");
  document.querySelector("#tab-simulate")?.click();
  htmx.trigger(form, "check");
};
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(mac ? event.metaKey : event.ctrlKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  run();
});
form.addEventListener("submit", (event) => {
  if (event.submitter?.id !== "run") return;
  event.preventDefault();
  run();
});

// ---- Where a piece of output comes from: the line of the template is lit, here and in its editor; and the other way.
const lit = (map, line) => {
  for (const each of all("#trace [data-lit]")) each.removeAttribute("data-lit");
  const lines = document.getElementById(map);
  if (lines && line) {
    for (const each of all(`#trace [data-map="${map}"][data-from="${line}"]`)) each.setAttribute("data-lit", "");
    lines.querySelector(`[data-n="${line}"]`)?.setAttribute("data-lit", "");
  }
  document.dispatchEvent(new CustomEvent("gatehouse:line", { detail: { field: lines?.dataset.template ?? "", line: Number(line) } }));
};
document.addEventListener("mouseover", (event) => {
  const piece = event.target.closest?.("#trace [data-from], #trace .map > [data-n]");
  if (piece) lit(piece.dataset.map ?? piece.parentElement.id, piece.dataset.from ?? piece.dataset.n);
  else if (document.querySelector("#trace [data-lit]")) lit("", 0);
});
