// The editor. htmx posts the whole form to be checked while somebody types; the answer fills slots, never an input.
// This script says which fields were touched, sends the form's buttons the same way, keeps focus and open details where
// they are, and moves around by keys. Without it the same buttons post the form, and the page comes back.
const form = document.querySelector("#editor");
const one = (selector, scope = document) => scope.querySelector(selector);
const all = (selector, scope = document) => [...scope.querySelectorAll(selector)];
const at = (id) => document.getElementById(id);
const focused = () => at(document.activeElement?.dataset.of) ?? document.activeElement; // a template's editor stands for its textarea
const path = (url) => new URL(url, location.href).pathname;
const CHECK = path(form.getAttribute("hx-post")), ACT = path(form.action);

// ---- What was touched: blurred, changed, or told something on an earlier page. Only there do remarks appear.
const touched = new Set();
const slotsOf = (control) =>
  (control?.closest?.("[aria-describedby]")?.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id.startsWith("m-"));
const touch = (control) => slotsOf(control).forEach((id) => touched.add(id.slice(2)));
const heed = () => {
  for (const slot of all(".slot")) if (slot.firstChild) touched.add(slot.id.slice(2));
  for (const control of all("[aria-describedby]", form)) {
    if (slotsOf(control).some((id) => at(id)?.hasAttribute("data-invalid"))) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
  for (const time of all("time[data-clock]")) time.textContent = new Date(time.dateTime).toLocaleTimeString();
};
form.addEventListener("change", (event) => touch(event.target));
form.addEventListener("focusout", (event) => {
  const fresh = slotsOf(event.target).filter((id) => !touched.has(id.slice(2)));
  touch(event.target);
  if (fresh.length && event.target.matches("input, textarea, select, [role=textbox]")) htmx.trigger(form, "check");
});

// ---- Sending: every request counts, so that an old one never overwrites a newer draft.
let unsent = false, acting = false, waiting = null, asked = 0, leaving = null;
const stamp = () => {
  form.elements.counter.value = Number(form.elements.counter.value) + 1;
  form.elements.touched.value = [...touched].join(" ");
  const typing = slotsOf(document.activeElement)[0]?.slice(2) ?? "";
  form.elements.parts.value = all("[data-part]").map((part) => part.dataset.part).join(" ");
  form.elements.typing.value = touched.has(typing) ? "" : typing;
};
form.addEventListener("input", () => (unsent = true));
const isCheck = (event) => Boolean(event.detail.triggeringEvent);
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target !== form) return;
  event.detail.path = isCheck(event) ? CHECK : ACT; // htmx would take the formaction of the last focused button: Save's
  stamp();
  for (const name of ["counter", "touched", "typing", "parts"]) event.detail.parameters[name] = form.elements[name].value;
});
document.addEventListener("htmx:beforeSend", (event) => {
  if (event.target === form) asked += 1;
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target !== form) return;
  asked = Math.max(0, asked - 1);
  leave();
});
const leave = (late = false) => {
  if (!leaving || (!late && (asked || acting))) return;
  const button = at(leaving.id) ?? leaving;
  asked = 0;
  acting = false;
  leaving = null;
  form.requestSubmit(button);
};
document.addEventListener("htmx:confirm", (event) => {
  if (event.target !== form || !isCheck(event)) return;
  if (leaving || form.dataset.sent) return event.preventDefault(); // a check after Save would bring the draft back
  if (!acting) return;
  event.preventDefault(); // a button's answer is under way: check after it
  waiting ??= () => htmx.trigger(form, "check");
});
const act = (what) => {
  if (acting) return void (waiting = () => act(what));
  acting = true;
  const here = document.activeElement;
  const open = new Map(all("details[id]", form).map((details) => [details.id, details.open]));
  htmx
    .ajax("POST", ACT, { source: form, target: "#sections", swap: "outerHTML", values: { do: what } })
    .catch(() => {})
    .finally(() => {
      for (const [id, was] of open) if (at(id)) at(id).open = was;
      heed();
      if (here?.isConnected && document.activeElement === document.body) here.focus({ preventScroll: true });
      acting = false;
      const next = waiting;
      waiting = null;
      if (leaving) leave();
      else next?.();
    });
};
form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.name === "do" || button?.name === "format") {
    event.preventDefault();
    if (button.name === "do") return act(button.value);
    form.elements.format.value = button.value;
    return htmx.trigger(form, "check");
  }
  if (leaving || form.dataset.sent) return event.preventDefault(); // pressed twice
  if (asked || acting) {
    event.preventDefault(); // an answer is under way: Save goes after it, and takes what it brings
    leaving = button;
    return void setTimeout(leave, 3000, true);
  }
  form.dataset.sent = "yes";
  unsent = false;
  stamp();
});
addEventListener("pageshow", () => delete form.dataset.sent);
form.addEventListener("change", (event) => {
  if (!event.target.closest("[data-switch]")) return;
  event.stopImmediatePropagation(); // what is shown follows from it: the sections come anew
  act("switch");
});
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input") || event.isComposing) return;
  event.preventDefault();
  htmx.trigger(form, "check");
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target !== form) return;
  const { xhr, successful } = event.detail;
  if (xhr?.status === 0 && event.detail.xhr.readyState !== 4) return; // replaced by a newer one
  one("#unkept").hidden = successful;
  if (successful) {
    unsent = false;
    heed();
    mark(place());
  }
});
for (const failure of ["htmx:sendError", "htmx:timeout"])
  document.addEventListener(failure, (event) => {
    if (event.target !== form) return;
    one("#unkept").hidden = false;
    setTimeout(() => htmx.trigger(form, "check"), 5000);
  });

// ---- Leaving with something unsent: it is sent along. Signed out, or in again elsewhere (the form's token is too old
// then): it is kept in this tab until the page is opened again.
const body = () => new URLSearchParams(new FormData(form));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden" || !unsent) return;
  stamp();
  unsent = !navigator.sendBeacon(CHECK, body());
});
addEventListener("beforeunload", (event) => {
  if (unsent) event.preventDefault();
});
const store = `${form.dataset.user} ${location.pathname}`;
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr } = event.detail;
  if (event.target !== form || (xhr.status !== 403 && !xhr.getResponseHeader("HX-Redirect"))) return;
  sessionStorage.setItem(store, body());
  unsent = false;
});
const left = sessionStorage.getItem(store);
if (left) {
  sessionStorage.removeItem(store);
  const fields = new URLSearchParams(left);
  stamp();
  for (const name of ["csrfmiddlewaretoken", "tab", "seen", "counter"]) fields.set(name, form.elements[name].value);
  fetch(CHECK, { method: "POST", body: fields }).then(() => location.reload());
}

// ---- Focus: what a button was about, a link's field, the next finding.
const show = (id) => {
  const target = at(id);
  if (!target) return;
  for (let details = target.closest("details"); details; details = details.parentElement.closest("details")) details.open = true;
  const own = target.matches("input, select, textarea, button, a, h2");
  const inner = own ? target : (one("input:checked", target) ?? one("input:not([type=hidden]), select, textarea, button", target));
  (inner ?? target).focus();
  return true;
};
form.addEventListener("gatehouse:focus", (event) => {
  const here = focused();
  if (here && here !== document.body && here.matches("input, select, textarea") && here.id) return; // typing went on elsewhere
  show(event.detail.value);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  if (!link || !link.closest(".summary, #findings, .flow")) return;
  const id = link.hash.slice(1);
  event.preventDefault();
  if (!link.closest(".flow")) return show(id);
  const section = at(id);
  section.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  one("h2", section).focus({ preventScroll: true });
});
const mac = /Mac|iP(hone|ad)/.test(navigator.platform);
document.addEventListener("keydown", (event) => {
  const command = mac ? event.metaKey : event.ctrlKey;
  const stage = event.altKey && !event.ctrlKey && !event.metaKey && /^(Digit|Numpad)[1-5]$/.test(event.code);
  if (stage) all("a.node").find((node) => one(".n", node)?.textContent === event.code.at(-1))?.click();
  else if (command && event.key === "s") at("save").click();
  else if (command && event.key === ".") one("[data-fix]", at(slotsOf(document.activeElement)[0]))?.click();
  else if (event.key === "F8") {
    const links = all("#findings .meta a[href^='#']").map((link) => link.hash.slice(1));
    const here = links.findIndex((id) => at(id) === focused() || at(id)?.contains(focused()));
    const next = links.at((here + (event.shiftKey ? -1 : 1) + (here < 0 && event.shiftKey ? 1 : 0)) % links.length);
    if (next) show(next);
  } else return;
  event.preventDefault();
});

// ---- The drawing: it shows where one is (the section with the focus, else the one on top), and folds into a rail when it has scrolled away; its height is kept.
let current = "";
const mark = (id) => {
  current = id;
  for (const node of all("a.node")) {
    if (node.hash === `#${id}`) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
  }
  const rail = one(".flow"), node = one(".node[aria-current]");
  if (node && rail.scrollWidth > rail.clientWidth) rail.scrollLeft = node.offsetLeft - 48;
};
const sections = () => all(".stage");
const place = () => {
  const { activeElement } = document;
  const mine = activeElement?.closest(".stage");
  const box = mine?.getBoundingClientRect();
  if (box && box.bottom > 100 && box.top < innerHeight - 100) return mine.id;
  return (sections().findLast((section) => section.getBoundingClientRect().top < 180) ?? sections()[0]).id;
};
const follow = () => current === place() || mark(place());
form.addEventListener("focusin", follow);
const zone = one(".flow-zone"), line = one(".flow-mark");
let height = 0;
addEventListener(
  "scroll",
  () => {
    follow();
    if (!zone.hasAttribute("data-condensed")) height = zone.offsetHeight;
    const top = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--top")) * 16;
    const past = line.getBoundingClientRect().top + height < top + 44;
    if (past === zone.hasAttribute("data-condensed")) return;
    zone.toggleAttribute("data-condensed", past);
    zone.style.setProperty("--flow-gap", past ? `${height + 24 - zone.offsetHeight}px` : "24px");
  },
  { passive: true },
);

heed();
if (one("[data-refused]")) one("[data-refused]").focus();
else if (location.hash.length > 1) show(decodeURIComponent(location.hash.slice(1)));
