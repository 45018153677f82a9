"use strict";
// Frames are asked for one after another, each newer than the last: a slow phone asks less
// often and gets fewer, and nothing piles up anywhere.
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
    text("agree-frames", agreed.frames.toLocaleString("en") + (agreed.frames === 1 ? " frame" : " frames"));
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
learning.watch();
