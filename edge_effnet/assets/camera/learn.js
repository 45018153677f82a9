"use strict";
// What was recorded, learning from it, and the way back.
const learning = (() => {
  const idle = 1000, busy = 250;
  let refused = "";  // why the last order was

  function recordedText(rows) {
    const said = rows.map(([label, photos, presses]) =>
      first(label) + " " + photos + (photos === 1 ? " photo" : " photos") + " in " + presses +
      (presses === 1 ? " press" : " presses"));
    return said.length ? "Recorded: " + said.join(", ") :
      "Add a new thing by its name, hold it before the camera and press it, from several sides and " +
      "at other places. Then learn.";
  }

  function show(state) {
    const learns = state.learner, running = learns && learns.seconds !== null;
    byId("learn").hidden = false;
    text("recorded", recordedText(state.recorded) +
      (state.full ? " The folder has its fill: no more photos are kept (--max-saved)." : ""));
    byId("learn-now").hidden = byId("back").hidden = !learns;
    byId("label-kept").hidden = !state.waiting;
    text("label-kept", "label " + state.waiting + " kept frame" + (state.waiting === 1 ? "" : "s"));
    byId("keeping").checked = state.keeping;
    if (!learns) return;
    byId("learn-now").disabled = running;
    byId("back").disabled = running || !learns.can_go_back;
    text("learn-state", running ? "learning, " + learns.seconds.toFixed(0) + " s" : "");
    byId("problem").hidden = !(refused || learns.problem);
    text("problem", refused || learns.problem || "");
    byId("use-worse").hidden = !learns.worse;
    byId("learned-lines").replaceChildren(...learns.lines.map((line) => {
      const row = document.createElement("li");
      row.textContent = line;
      return row;
    }));
  }

  async function order(what) {
    refused = await refusal(await send("/learn", what));
    await refresh().catch(() => idle);
  }

  byId("learn-now").addEventListener("click", async () => {
    await send("/truth", {do: "release"});  // what is held is recorded to the end
    order({do: "learn"});
  });
  byId("use-worse").addEventListener("click", () => order({do: "learn", worse: true}));
  byId("back").addEventListener("click", () => order({do: "back"}));
  byId("keeping").addEventListener("change", (event) =>
    send("/review", {do: "keep", on: event.target.checked}));

  async function refresh() {
    const reply = await fetch("/learn.json");
    if (!reply.ok) return reply.status;
    const state = await reply.json();
    show(state);
    return state.learner && state.learner.seconds !== null ? busy : idle;
  }

  async function watch() {
    for (;;) {
      const next = await refresh().catch(() => idle);
      if (next === 404) return;  // nothing is collected
      await pause(document.hidden ? 4 * idle : Math.max(next === busy ? busy : idle, 0));
    }
  }

  return {watch};
})();
