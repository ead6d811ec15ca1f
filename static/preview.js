// The export beside a form: the lines that the focused field writes are lit. A field names its place in data-opt, a line in data-for.
const written = (place) =>
  [...document.querySelectorAll("#preview-code > .ln")].filter((line) => line.dataset.for?.split(" ").includes(place));
const lit = (field, scroll) => {
  let place = field?.closest("[data-opt]")?.dataset.opt ?? "";
  let lines = written(place);
  while (!lines.length && place.includes(".")) {
    place = place.slice(0, place.lastIndexOf(".")); // nothing is written of it: what it is in
    lines = written(place);
  }
  for (const line of document.querySelectorAll("#preview-code > [data-lit]")) line.removeAttribute("data-lit");
  for (const line of lines) line.setAttribute("data-lit", "");
  const first = lines[0];
  const pane = first?.closest("pre");
  if (!scroll || !pane || pane.scrollHeight <= pane.clientHeight) return;
  pane.scrollTop = first.offsetTop - pane.clientHeight / 3;
};
document.addEventListener("focusin", (event) => lit(event.target, true));
document.addEventListener("focusout", (event) => event.relatedTarget || lit(null));
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.target.id === "preview-code") lit(document.activeElement, false);
});
