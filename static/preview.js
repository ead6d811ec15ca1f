// The export beside a form: the lines that the focused field writes are lit. A field names its place in data-opt, a line in data-for.
const lit = (field, scroll) => {
  const place = field?.closest("[data-opt]")?.dataset.opt;
  let first = null;
  for (const line of document.querySelectorAll("#preview-code > .ln")) {
    const on = Boolean(place) && (line.dataset.for?.split(" ").includes(place) ?? false);
    line.toggleAttribute("data-lit", on);
    if (on) first ??= line;
  }
  const pane = first?.closest("pre");
  if (!scroll || !pane || pane.scrollHeight <= pane.clientHeight) return;
  pane.scrollTop = first.offsetTop - pane.clientHeight / 3;
};
document.addEventListener("focusin", (event) => lit(event.target, true));
document.addEventListener("focusout", (event) => event.relatedTarget || lit(null));
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.target.id === "preview-code") lit(document.activeElement, false);
});
