// The page of a deployment, swapped whole at each look: its log follows the last line unless somebody has scrolled up in it,
// and what somebody opened stays open.
const log = () => document.querySelector("[data-follow]");
const opened = () => document.querySelector("#what");
let place = null, open = false;
const follow = () => {
  const pre = log();
  if (pre) pre.scrollTop = place ?? pre.scrollHeight;
  if (opened()) opened().open = open;
};
document.addEventListener("htmx:beforeSwap", () => {
  const pre = log();
  place = pre && pre.scrollHeight - pre.scrollTop - pre.clientHeight >= 24 ? pre.scrollTop : null;
  open = opened()?.open ?? false;
});
document.addEventListener("htmx:afterSwap", follow);
follow();
