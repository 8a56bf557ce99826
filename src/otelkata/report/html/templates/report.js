"use strict";
// Browsers of today do both by themselves.
function reveal() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id && document.getElementById(id);
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open], .checklist .passed)")) {
    details.open = true;
    details.dataset.shut = "";
  }
});
addEventListener("afterprint", () => {
  for (const details of document.querySelectorAll("details[data-shut]")) {
    details.open = false;
    delete details.dataset.shut;
  }
});
