"use strict";
// What the viewer says that a frame shows. A class is held until it is pressed again, or while it
// is kept pressed.
const tell = (() => {
  const most = 24, long = 400, settled = 1000, none = "none";
  let labels = null, held = null, pressed = null, waiting = 0, answered = 0, mayAdd = false;

  async function say(order) {
    waiting += 1;
    const reply = await send("/truth", order);
    waiting -= 1;
    answered = performance.now();
    return reply;
  }

  function mark(label) {
    held = label;
    for (const button of byId("classes").children) button.classList.toggle("held", button.title === label);
  }

  function press(label) {
    pressed = {label, again: held === label, at: performance.now()};
    if (!labels.includes(label)) say({do: "add", label});  // the first stranger
    if (byId("one").checked) { say({do: "frame", label, image: after}); return; }
    if (pressed.again) return;
    mark(label);
    say({do: "hold", label, image: after});
  }

  function let_go() {
    if (!pressed) return;
    const {again, at} = pressed;
    pressed = null;
    if (byId("one").checked || !(again || performance.now() - at > long)) return;
    mark(null);
    say({do: "release"});
  }

  function draw() {
    const wanted = byId("find").value.trim().toLowerCase();
    const found = labels.filter((label) => label.toLowerCase().includes(wanted)).slice(0, most);
    const strangers = mayAdd && !labels.includes(none) ? [none] : [];
    byId("classes").replaceChildren(...[...found, ...strangers].map((label, index) => {
      const button = document.createElement("button"), key = document.createElement("kbd");
      if (index < 9) key.textContent = index + 1;
      button.title = label;
      button.append(key, label === none ? "none of these" : first(label));
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
  byId("undo").addEventListener("click", () => say({do: "undo"}));
  document.addEventListener("keydown", (event) => {
    if (!labels || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=checkbox])")) return;
    const button = /^[1-9]$/.test(event.key) && byId("classes").children[event.key - 1];
    if (button) press(button.title);
    if (event.key === "u") say({do: "undo"});
  });
  byId("new").addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = byId("new-name"), reply = await say({do: "add", label: name.value});
    name.setCustomValidity(await refusal(reply));
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
    mayAdd = taps.may_add;
    if (labels === null || (labels.length && labels.length !== taps.classes)) load();
    byId("undo").disabled = !taps.undoable;
    // By another viewer; figures asked for before our own press do not know of it yet.
    const known = !pressed && !waiting && performance.now() - answered > settled;
    if (known && taps.held !== held) mark(taps.held);
  }

  return {show};
})();
