"use strict";
// Frames that wait for a label: chosen by a tap, a group by its button, and moved by a class.
const chosen = new Set();
let shown = [], labels = [];

function count() {
  text("chosen", chosen.size + " chosen");
  byId("discard").disabled = !chosen.size;
  for (const button of byId("classes").children) button.disabled = !chosen.size;
  text("all", shown.length && chosen.size === shown.length ? "choose none" : "choose all");
}

function choose(name, on) {
  if (on) chosen.add(name); else chosen.delete(name);
  const image = document.querySelector('button[data-name="' + CSS.escape(name) + '"]');
  if (image) image.setAttribute("aria-pressed", String(on));
}

function chooseMany(names) {
  const on = !names.every((name) => chosen.has(name));
  names.forEach((name) => choose(name, on));
  count();
}

function frameButton({name, why, answer}) {
  const button = document.createElement("button"), image = document.createElement("img");
  button.dataset.name = name;
  button.setAttribute("aria-pressed", String(chosen.has(name)));
  button.setAttribute("aria-label", why + ", " + answer + ", " + name);
  image.src = "/kept/" + encodeURIComponent(name);
  image.loading = "lazy";
  image.alt = "";
  const reason = document.createElement("span");
  reason.textContent = why + (answer ? ": " + first(answer) : "");
  button.append(image, reason);
  button.addEventListener("click", () => { choose(name, !chosen.has(name)); count(); });
  return button;
}

function alike(files) {
  const answers = [...new Set(files.map((file) => first(file.answer)))].filter(Boolean).slice(0, 3);
  return "alike" + (answers.length ? ", taken for " + answers.join(" or ") : "");
}

function groupOf(files, title) {
  const group = document.createElement("section"), head = document.createElement("h2");
  const every = document.createElement("button"), grid = document.createElement("div");
  group.className = "card";
  grid.className = "grid";
  head.append(title);
  every.textContent = files.length === 1 ? "choose" : "choose all " + files.length;
  every.className = "ms";
  every.addEventListener("click", () => chooseMany(files.map((file) => file.name)));
  head.append(every);
  grid.append(...files.map(frameButton));
  group.append(head, grid);
  return group;
}

function drawClasses() {
  byId("classes").replaceChildren(...labels.map((label, index) => {
    const button = document.createElement("button"), key = document.createElement("kbd");
    if (index < 9) key.textContent = index + 1;
    button.title = label;
    button.append(key, first(label));
    button.addEventListener("click", () => order({do: "label", label}));
    return button;
  }));
}

async function refresh() {
  const reply = await fetch("/review.json").catch(() => null);
  if (!reply || !reply.ok) {
    say(reply ? "nothing is kept: start the camera with --collect" : "no connection");
    return;
  }
  const state = await reply.json();
  labels = state.labels;
  shown = [...state.groups.flat(), ...state.others].map((file) => file.name);
  for (const name of [...chosen]) if (!shown.includes(name)) chosen.delete(name);
  const more = state.waiting - shown.length;
  text("source", state.waiting + " wait for a label" + (more ? ", " + shown.length + " shown" : ""));
  byId("undo").disabled = !state.undoable;
  drawClasses();
  byId("groups").replaceChildren(...state.groups.map((files) => groupOf(files, alike(files))),
    ...(state.others.length ? [groupOf(state.others, "others")] : []));
  count();
}

function say(problem) {
  byId("problem").hidden = !problem;
  text("problem", problem);
}

async function order(what) {
  const files = [...chosen];
  if (what.do !== "undo" && !files.length) return;
  const reply = await send("/review", what.do === "undo" ? what : {...what, files});
  const refused = await refusal(reply);
  let gone = 0;
  if (!refused) gone = (await reply.json()).gone;
  chosen.clear();
  await refresh();
  say(refused || (gone ? gone + " of these had been moved by somebody else" : ""));
}

byId("all").addEventListener("click", () => chooseMany(shown));
byId("discard").addEventListener("click", () => order({do: "discard"}));
byId("undo").addEventListener("click", () => order({do: "undo"}));
byId("new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = byId("new-name"), said = await refusal(await send("/truth", {do: "add", label: name.value}));
  name.setCustomValidity(said);
  if (!said) name.value = "";
  name.reportValidity();
  await refresh();
});
byId("new-name").addEventListener("input", (event) => event.target.setCustomValidity(""));
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  if (/^[1-9]$/.test(event.key) && labels[event.key - 1]) order({do: "label", label: labels[event.key - 1]});
  if (event.key === "a") chooseMany(shown);
  if (event.key === "d") order({do: "discard"});
  if (event.key === "u") order({do: "undo"});
});

refresh();
