// A form that is checked while somebody types: htmx posts it, the answer fills the slots of the fields that were touched,
// never an input. This script says which those are, and marks them.
const form = document.querySelector("[data-live]");
const slotOf = (control) => (control.id ? document.getElementById(`${control.id}_error`) : null);
const touched = new Set();
const mark = () => {
  for (const control of form.elements) {
    const slot = slotOf(control);
    if (slot?.firstElementChild) touched.add(control.name);
    if (slot?.hasAttribute("data-invalid")) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
};
form.addEventListener("change", (event) => touched.add(event.target.name));
form.addEventListener("focusout", ({ target }) => {
  if (!target.matches("input, select") || touched.has(target.name)) return;
  touched.add(target.name);
  htmx.trigger(form, "check");
});
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target === form) event.detail.parameters.touched = [...touched].join(" ");
});
document.addEventListener("htmx:oobAfterSwap", mark);
form.addEventListener("submit", () => htmx.trigger(form, "htmx:abort"));
mark();
