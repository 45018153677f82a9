"use strict";
// Frames are asked for one after another, each newer than the last: a slow phone asks less
// often and gets fewer, and nothing piles up anywhere.
const byId = (id) => document.getElementById(id);
const text = (id, value) => { byId(id).textContent = value; };
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const first = (label) => label.split(",")[0];

// The cookie holds the token now; keep it out of the address bar and of screenshots.
if (location.search) history.replaceState(null, "", location.pathname);

function connected(live) {
  byId("link").textContent = live ? "live" : "no connection";
  byId("link").className = "pill " + (live ? "live" : "lost");
  byId("feed").classList.toggle("old", !live);
}

let after = 0;  // the number of the image that is shown

async function showFrames() {
  const image = byId("feed");
  let shown = 0;
  for (;;) {
    try {
      const reply = await fetch("/picture.jpg?after=" + after);
      if (reply.status === 204) { await pause(200); continue; }
      if (!reply.ok) throw new Error(reply.status);
      after = Number(reply.headers.get("X-Picture"));
      const address = URL.createObjectURL(await reply.blob());
      const before = image.src;
      image.src = address;
      await image.decode().catch(() => {});
      if (before.startsWith("blob:")) URL.revokeObjectURL(before);
      image.dataset.frames = String(++shown);
      if (document.hidden) await pause(1000);
    } catch (error) {
      after = 0;  // the program may have started again, and counts from 1
      await pause(1500);
    }
  }
}

function fillModel(id, model) {
  const card = byId(id), list = card.querySelector(".best");
  card.querySelector(".name").textContent = model.name;
  card.querySelector(".ms").textContent = model.ms === null ? "" : model.ms.toFixed(1) + " ms";
  while (list.children.length < model.best.length) {
    const row = document.createElement("li");
    row.append(document.createElement("i"), document.createElement("span"), document.createElement("b"));
    list.append(row);
  }
  while (list.children.length > model.best.length) list.lastChild.remove();
  card.querySelector(".value").textContent = model.best.length ? "" : model.answer || "";
  model.best.forEach(([label, score], index) => {
    const [bar, name, figure] = list.children[index].children;
    bar.style.width = 100 * Math.max(0, Math.min(1, score)) + "%";
    name.textContent = first(label);
    name.title = label;
    figure.textContent = score.toFixed(2);
  });
}

function fillCurve(points) {
  if (points.length < 2) return;
  const start = points[0][0], span = Math.max(1, points[points.length - 1][0] - start);
  const low = Math.min(90, ...points.map((point) => point[1] - 2));
  const path = points.map(([time, percent], index) =>
    (index ? "L" : "M") + (300 * (time - start) / span).toFixed(1) + " " +
    (62 - 58 * (percent - low) / (100 - low)).toFixed(1)).join("");
  byId("curve").querySelector(".line").setAttribute("d", path);
  byId("curve").querySelector(".area").setAttribute("d", path + "L300 64L0 64Z");
  text("curve-from", span < 90 ? Math.round(span) + " s ago" : Math.round(span / 60) + " min ago");
}

function fillClasses(rows) {
  const counts = (right, frames) => frames ? right + " of " + frames : "–";
  byId("by-class").hidden = !rows.length;
  byId("by-class").tBodies[0].replaceChildren(...rows.map((row) => {
    const line = document.createElement("tr"), cells = [first(row.label), counts(row.right, row.frames)];
    if (rows.some((one) => one.reference_frames)) cells.push(counts(row.reference_right, row.reference_frames));
    cells.forEach((cell) => { line.insertCell().textContent = cell; });
    return line;
  }));
}

function fill(state) {
  if (!state.model) return;
  text("source", state.source);
  text("answer", state.model.answer === null ? "–" : state.model.answer);
  text("answer-score", state.model.score);
  fillModel("model", state.model);
  const other = state.reference;
  byId("reference").hidden = byId("agreement").hidden = !other;
  if (other) {
    fillModel("reference", other);
    byId("reference").classList.toggle("differs", other.differs);
  }
  const agreed = state.agreement;
  if (agreed) {
    text("agree-title", agreed.title);
    text("agree-figure", agreed.figure);
    text("agree-evidence", agreed.evidence);
    text("difference", agreed.difference);
    byId("over-time").hidden = !state.history.length;
    byId("disagreed-head").hidden = !state.disagreed.length;
    text("agree-frames", agreed.frames.toLocaleString("en") + " frames");
    fillCurve(state.history);
    byId("disagreed").replaceChildren(...state.disagreed.map(([theirs, ours, count]) => {
      const row = document.createElement("li");
      row.textContent = count + " × " + first(theirs) + " → " + first(ours);
      return row;
    }));
  }
  const learned = state.taps ? state.taps.learned : 0;
  const truth = state.truth || {title: "Right, of frames told", figures: [], evidence: []};
  byId("truth").hidden = !state.truth && !learned;
  text("truth-title", truth.title);
  document.querySelectorAll(".scored").forEach((row, index) => {
    row.hidden = index >= truth.figures.length;
    row.querySelector("b").textContent = truth.figures[index] || "";
    row.querySelector("small").textContent = truth.evidence[index] || "";
  });
  byId("learned").hidden = !learned;
  text("learned", learned + " told frames do not count: the network learned from images like them");
  tell.show(state.taps);
  fillClasses(state.taps ? state.taps.by_class : []);
  text("fps", state.every || state.fps.toFixed(1));
  text("fps-unit", state.every ? "from answer to answer" : "frames / s");
  text("delay", state.delay_ms === null ? "–" : state.delay_ms.toFixed(0));
  text("temperature", state.temperature_c === null ? "–" : state.temperature_c.toFixed(0));
  byId("heat").classList.toggle("hot", state.throttled.length > 0);
  text("dropped", state.dropped.toLocaleString("en"));
  text("dropped-of", "dropped of " + state.captured.toLocaleString("en"));
  byId("notes").replaceChildren(...state.notes.map((note) => {
    const row = document.createElement("li");
    row.textContent = note;
    return row;
  }));
}

// What the viewer says that a frame shows. A class is held until it is pressed again, or while it
// is kept pressed.
const tell = (() => {
  const most = 24, long = 400, settled = 1000;
  let labels = null, held = null, pressed = null, sent = 0;

  function send(order) {
    sent = performance.now();
    return fetch("/truth", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(order),
    }).catch(() => null);
  }

  function mark(label) {
    held = label;
    for (const button of byId("classes").children) button.classList.toggle("held", button.title === label);
  }

  function press(label) {
    pressed = {label, again: held === label, at: performance.now()};
    if (byId("one").checked) { send({do: "frame", label, image: after}); return; }
    if (pressed.again) return;
    mark(label);
    send({do: "hold", label, image: after});
  }

  function let_go() {
    if (!pressed) return;
    const {again, at} = pressed;
    pressed = null;
    if (byId("one").checked || !(again || performance.now() - at > long)) return;
    mark(null);
    send({do: "release"});
  }

  function draw() {
    const wanted = byId("find").value.trim().toLowerCase();
    const found = labels.filter((label) => label.toLowerCase().includes(wanted)).slice(0, most);
    byId("classes").replaceChildren(...found.map((label, index) => {
      const button = document.createElement("button"), key = document.createElement("kbd");
      if (index < 9) key.textContent = index + 1;
      button.title = label;
      button.append(key, first(label));
      button.addEventListener("pointerdown", (event) => { if (event.button === 0) press(label); });
      for (const end of ["pointerup", "pointercancel", "pointerleave"]) button.addEventListener(end, let_go);
      button.addEventListener("click", (event) => {  // by Enter or the space bar
        if (event.detail === 0) { press(label); let_go(); }
      });
      button.addEventListener("contextmenu", (event) => event.preventDefault());
      return button;
    }));
    mark(held);
  }

  byId("find").addEventListener("input", draw);
  byId("undo").addEventListener("click", () => send({do: "undo"}));
  document.addEventListener("keydown", (event) => {
    if (!labels || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=checkbox])")) return;
    const button = /^[1-9]$/.test(event.key) && byId("classes").children[event.key - 1];
    if (button) press(button.title);
    if (event.key === "u") send({do: "undo"});
  });
  byId("new").addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = byId("new-name"), reply = await send({do: "add", label: name.value});
    name.setCustomValidity(!reply || reply.ok ? "" : (await reply.text()).replace(/^400: /, ""));
    if (reply && reply.ok) name.value = "";
    name.reportValidity();
  });
  byId("new-name").addEventListener("input", (event) => event.target.setCustomValidity(""));
  document.addEventListener("keyup", (event) => { if (/^[1-9]$/.test(event.key)) let_go(); });

  async function load() {
    labels = [];  // while they are on their way
    try {
      labels = await (await fetch("/labels.json")).json();
      byId("find").hidden = labels.length <= most;
      draw();
    } catch (error) {
      labels = null;  // asked for again with the next figures
    }
  }

  function show(taps) {
    byId("tell").hidden = !taps;
    if (!taps) return;
    byId("new").hidden = !taps.may_add;
    if (labels === null || (labels.length && labels.length !== taps.classes)) load();
    byId("undo").disabled = !taps.undoable;
    // By another viewer; figures asked for before our own press do not know of it yet.
    if (!pressed && performance.now() - sent > settled && taps.held !== held) mark(taps.held);
  }

  return {show};
})();

async function figures() {
  for (;;) {
    try {
      const reply = await fetch("/state.json");
      if (!reply.ok) throw new Error(reply.status);
      fill(await reply.json());
      connected(true);
    } catch (error) {
      connected(false);
      await pause(1500);
    }
    await pause(document.hidden ? 2000 : 250);
  }
}

showFrames();
figures();
