// The list of the catalog: rows by key, the bar of the chosen rows, and what a new answer must not undo.
const one = (selector, scope = document) => scope.querySelector(selector);
const all = (selector, scope = document) => [...scope.querySelectorAll(selector)];
const picks = () => all("[data-rows] input[name=pick]");

// ---- The bar says how many are chosen, and the box above chooses all.
const told = () => {
  const every = picks(), chosen = every.filter((box) => box.checked), box = one("[data-all]");
  if (!box) return;
  one("[data-picked]").textContent = `${chosen.length} selected`;
  const copy = one('[data-rows] button[value="duplicate"]');
  if (copy) copy.hidden = chosen.length > 1;
  box.closest("label").hidden = false;
  box.checked = every.length > 0 && chosen.length === every.length;
  box.indeterminate = chosen.length > 0 && !box.checked;
};
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) for (const box of picks()) box.checked = event.target.checked;
  if (event.target.closest("[data-rows]")) told();
});
document.addEventListener("reset", (event) => event.target.matches("[data-rows]") && setTimeout(told));
addEventListener("pageshow", told);

// ---- Keys: j and k go through the rows, x chooses, Enter opens as it does on any link, Escape clears.
const go = (by) => {
  const rows = all("[data-rows] tbody tr"), at = rows.indexOf(document.activeElement.closest("[data-rows] tbody tr"));
  const row = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
  one("th a", row)?.focus();
  row?.scrollIntoView({ block: "nearest" });
};
document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (document.documentElement.dataset.keys === "off" || event.metaKey || event.ctrlKey || event.altKey) return;
  if (one("dialog[open], :popover-open:is(.menu, .facets)") && key !== "Escape") return;
  if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  if (key === "j" || key === "k") go(key === "j" ? 1 : -1);
  else if (key === "x") one("input[name=pick]", target.closest("[data-rows] tbody tr") ?? document.createElement("i"))?.click();
  else if (key === "Escape" && picks().some((box) => box.checked)) one("[data-rows]").reset();
});

// ---- A new answer brings new facets: what somebody opened or closed stays so.
const opened = new Map();
document.addEventListener("toggle", (event) => {
  const { id, open } = event.target;
  if (event.target.matches("#filters details") && event.target.isConnected) opened.set(id, open);
}, true);
document.addEventListener("htmx:oobAfterSwap", () => {
  for (const [id, open] of opened) {
    const details = document.getElementById(id);
    if (details) details.open = open;
  }
});
document.addEventListener("htmx:afterSettle", told);
