"use strict";
// Shows one document at a time, of those that the filter and the search leave.
const all = [...document.querySelectorAll("article.document")];
const by = (id) => document.getElementById(id);
const [cause, search, place] = ["cause", "search", "place"].map(by);
// While the page loads, a new address would make the browser scroll there.
let found = all, at = 0, begun = false;

function show(scroll) {
  all.forEach((it) => { it.hidden = it !== found[at]; });
  by("nothing").hidden = found.length > 0;
  place.textContent = found.length ? `${at + 1} of ${found.length}` : "none";
  by("previous").disabled = at === 0;
  by("next").disabled = at + 1 >= found.length;
  if (begun && found.length) history.replaceState(null, "", "#" + found[at].id);
  if (scroll && found.length) found[at].querySelector("h2").focus({ preventScroll: true });
}

function filter() {
  const current = found[at], wanted = cause.value, words = search.value.toLowerCase();
  found = all.filter((it) => {
    const fits = !wanted || (wanted.startsWith("fate:") ? "fate:" + it.dataset.fate === wanted : it.dataset.cause === wanted);
    return fits && (!words || (it.textContent + it.dataset.about).toLowerCase().includes(words));
  });
  at = Math.max(0, found.indexOf(current));
  show(false);
}

function turn(step) {
  if (found[at + step]) { at += step; show(true); }
}

function open() {
  const named = all.find((it) => "#" + it.id === location.hash);
  if (!named) return;
  if (!found.includes(named)) { cause.value = search.value = ""; found = all; }
  at = found.indexOf(named);
  show(false);
}

document.querySelector("form.controls").hidden = false;
document.querySelector("form.controls").addEventListener("submit", (event) => event.preventDefault());
cause.addEventListener("change", filter);
search.addEventListener("input", filter);
by("previous").addEventListener("click", () => turn(-1));
by("next").addEventListener("click", () => turn(1));
window.addEventListener("hashchange", open);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches?.("input, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const step = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1 }[event.key];
  if (step) { event.preventDefault(); turn(step); }
  if (event.key === "/") { event.preventDefault(); search.focus(); }
});
if (location.hash) open();
show(false);
begun = true;
