// The frame's behaviour on every page: preferences, search keys, tabs, dialogs, copying, local times, and what htmx
// leaves to say. Everything works by plain requests without it.
const root = document.documentElement;
const one = (selector, scope = document) => scope.querySelector(selector);
const all = (selector, scope = document) => [...scope.querySelectorAll(selector)];

// ---- Preferences: at once, without leaving the page and what is typed on it. The server keeps the cookie.
document.addEventListener("submit", (event) => {
  const form = event.target, button = event.submitter;
  if (!form.matches("[data-preferences]") || !button) return;
  event.preventDefault();
  if (button.value) root.dataset[button.name] = button.value;
  else delete root.dataset[button.name];
  if (button.name === "theme") one("meta[name=color-scheme]").content = button.value || "light dark";
  fetch(form.action, { method: "POST", body: new FormData(form, button), redirect: "manual", keepalive: true }).catch(
    () => {}, // the choice holds for this page
  );
  const twin = all(`button[name="${button.name}"]`, form).find((other) => other !== button && other.offsetParent);
  (twin ?? button).focus(); // the button pressed gives way to its opposite
});

// ---- Keys: Ctrl or Cmd K anywhere, / outside of inputs (and only while single-key shortcuts are on).
const mac = /Mac|iP(hone|ad)/.test(navigator.platform);
if (mac) for (const key of all("kbd[data-mac]")) key.textContent = key.dataset.mac;
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  const modified = event.metaKey || event.ctrlKey || event.altKey;
  const jump = (mac ? event.metaKey : event.ctrlKey) && !event.altKey && !event.shiftKey && event.key === "k";
  const slash = event.key === "/" && !typing && !modified && root.dataset.keys !== "off";
  const field = jump || slash ? (one("main [data-search]") ?? one("[data-search]")) : null;
  if (!field || one("dialog[open]")) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// ---- Tabs: one tablist shows one of its panels; arrows, Home and End move.
const pick = (tab) => {
  for (const other of all("[role=tab]", tab.closest("[role=tablist]"))) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", chosen);
    other.tabIndex = chosen ? 0 : -1;
    const panel = document.getElementById(other.getAttribute("aria-controls"));
    if (panel) panel.hidden = !chosen;
  }
  tab.dispatchEvent(new CustomEvent("gatehouse:tab", { bubbles: true }));
};
document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab || event.altKey || event.ctrlKey || event.metaKey) return;
  const tabs = all("[role=tab]", tab.closest("[role=tablist]")), at = tabs.indexOf(tab);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const chosen = tabs.at(next % tabs.length);
  pick(chosen);
  chosen.focus();
});

// ---- Clicks: tabs, dialogs (data-open="id", data-close), copying (data-copy="id of an element").
document.addEventListener("click", async (event) => {
  const target = event.target.closest?.("[role=tab], [data-open], [data-close], [data-copy]");
  if (!target) return;
  if (target.matches("[role=tab]")) pick(target);
  else if (target.dataset.open) {
    const dialog = document.getElementById(target.dataset.open);
    if (!dialog?.showModal) return;
    event.preventDefault(); // without this script it is a link
    dialog.showModal();
  } else if ("close" in target.dataset) target.closest("dialog").close();
  else {
    const source = document.getElementById(target.dataset.copy);
    // Lines of code are blocks without a line break between them.
    const lines = all(".ln", source).map((line) => line.textContent.replace(/\n$/, ""));
    const text = source.value ?? (lines.length ? lines.join("\n") + "\n" : source.textContent);
    try {
      await navigator.clipboard.writeText(text);
      say("Copied.");
    } catch {
      const range = document.createRange(); // no clipboard without https: select it for Ctrl C
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      say("Selected. Copy it with Ctrl C.");
    }
  }
});

// ---- Times are stored in UTC and read in the reader's own zone.
const local = (scope) => {
  const english = navigator.languages.find((language) => language.startsWith("en")) ?? "en-GB"; // as the words around
  const spell = new Intl.DateTimeFormat(english, { dateStyle: "medium", timeStyle: "short" });
  for (const time of all("time[datetime]", scope)) {
    const exact = spell.format(new Date(time.dateTime));
    if ("spell" in time.dataset) time.textContent = exact;
    else time.title = exact;
  }
};
local(document);
document.addEventListener("htmx:load", (event) => local(event.target));

// ---- One polite voice for the page. The server writes into #announcement out of band; it is read a second after the
// last change, and only when it changed.
let timer, said = "";
const say = (text) => {
  clearTimeout(timer);
  one("#status").textContent = "";
  timer = setTimeout(() => (one("#status").textContent = text), 100);
};
document.addEventListener("htmx:oobAfterSwap", () => {
  const text = one("#announcement")?.textContent.trim() ?? "";
  if (text === said) return;
  said = text;
  clearTimeout(timer);
  timer = setTimeout(() => (one("#status").textContent = said), 1000);
});

// ---- A request that got no usable answer: an answer that names its place (HX-Retarget) is shown there, any other
// failure is told in general words. Nothing typed is touched.
const answerless = () => one("#alert").replaceChildren(one("#no-answer").content.cloneNode(true));
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"])
  document.addEventListener(failure, answerless);
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr?.status < 400 && event.detail.xhr.status > 0) one("#alert").replaceChildren();
});

// ---- A page that a button brought again goes on where the button was.
const again = one("#main")?.dataset.focus;
if (again) document.getElementById(again)?.focus();

// ---- Files dropped anywhere on a drop zone go into its input.
for (const zone of document.querySelectorAll("[data-drop]")) {
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) zone.querySelector("input[type=file]").files = event.dataTransfer.files;
  });
}
