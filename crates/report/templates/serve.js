// Turns limits: the program sends the sample through the stages again, and what is shown is put in place of what was.
const dials = by("dials"), told = by("told"), submit = dials.querySelector("button");
const written = new Map([...dials.querySelectorAll("fieldset")].map((it) => [it.dataset.key, number(it).value]));
let turning = null, again = false;

function number(fieldset) { return fieldset.querySelector("[type=number]"); }

function changed() {
  const fieldsets = [...dials.querySelectorAll("fieldset")];
  const differs = (it) => number(it).value !== "" && number(it).value !== written.get(it.dataset.key);
  return Object.fromEntries(fieldsets.filter(differs).map((it) => [it.dataset.key, Number(number(it).value)]));
}

async function send(what) {
  const answer = await fetch(what, { method: "POST", body: JSON.stringify(changed()) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}

function replace(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const take = (selector) => document.querySelector(selector).replaceChildren(...page.querySelector(selector).childNodes);
  const chosen = cause.value, current = found[at]?.id;
  ["main", ".totals", "#flow", "#cause"].forEach(take);
  for (const fieldset of dials.querySelectorAll("fieldset")) {
    const other = page.querySelector(`fieldset[data-key="${CSS.escape(fieldset.dataset.key)}"] figure`);
    // Where nothing was measured any more, the last picture stays.
    if (other) fieldset.querySelector("figure").replaceChildren(...other.childNodes);
  }
  all.splice(0, all.length, ...document.querySelectorAll("article.document"));
  cause.value = [...cause.options].some((it) => it.value === chosen) ? chosen : "";
  found = all;
  at = Math.max(0, all.findIndex((it) => it.id === current));
  filter();
}

// One question at a time: what is turned meanwhile is asked about when the answer is there.
async function turnAll() {
  if (turning) { again = true; return; }
  turning = true;
  told.textContent = "…";
  try {
    do { again = false; replace(await send("turn")); } while (again);
    const n = Object.keys(changed()).length;
    submit.disabled = n === 0;
    told.textContent = n === 0 ? "" : `${n} changed, not written`;
  } catch (error) {
    told.textContent = error.message;
  }
  turning = null;
}

dials.addEventListener("input", (event) => {
  const fieldset = event.target.closest("fieldset");
  if (!fieldset) return;
  const steps = JSON.parse(fieldset.dataset.steps), range = fieldset.querySelector("[type=range]");
  if (event.target === range) number(fieldset).value = steps[range.value];
  else range.value = Math.max(0, steps.findLastIndex((it) => it <= Number(number(fieldset).value)));
  turnAll();
});
dials.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    told.textContent = await send("write");
    for (const it of dials.querySelectorAll("fieldset")) written.set(it.dataset.key, number(it).value);
    submit.disabled = true;
  } catch (error) {
    told.textContent = error.message;
  }
});
