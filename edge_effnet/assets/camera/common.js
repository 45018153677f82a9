"use strict";
// What the scripts of both pages use.
const byId = (id) => document.getElementById(id);
const text = (id, value) => { byId(id).textContent = value; };
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const first = (label) => label.split(",")[0];

// The cookie holds the token now; keep it out of the address bar and of screenshots.
if (location.search) history.replaceState(null, "", location.pathname);

// Orders go one after another, in the order in which they were given.
let sending = Promise.resolve();

function send(path, order) {
  const reply = sending.then(() => fetch(path, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(order),
  }).catch(() => null));
  sending = reply;
  return reply;
}

// Why an order was refused, in the program's words; empty where it was obeyed.
async function refusal(reply) {
  if (!reply) return "no connection";
  return reply.ok ? "" : (await reply.text()).replace(/^\d+: /, "").trim();
}
