// The board: only the tiles that changed are drawn anew, and what changed is said to a screen reader.
import { begin } from "./heartbeat.js";

const grid = document.getElementById("grid");
const alarms = document.getElementById("alarms");
const says = document.getElementById("says");
const shown = new Map();
let spoken = {};

function take(board) {
  for (const [slot, html] of Object.entries(board.tiles)) draw(slot, html);
  for (const tile of grid.querySelectorAll("[data-slot]")) if (!(tile.dataset.slot in board.tiles)) tile.remove();
  const news = Object.entries(board.says).filter(([slot, text]) => spoken[slot] && spoken[slot] !== text);
  if (news.length) says.textContent = news.map(([, text]) => text).join(". ");
  spoken = board.says;
  alarm(board.alarms);
}

function alarm(lines) {
  const text = lines.map((line) => `! ${line}`).join("\n");
  if (alarms.dataset.text === text) return;
  alarms.dataset.text = text;
  alarms.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: `! ${line}` })));
  alarms.hidden = !lines.length;
  dispatchEvent(new CustomEvent("alarms", { detail: lines.length }));
}

// The token in each form is new every second; it must not make a tile look changed.
const plain = (html) => html.replace(/name="csrf_token" value="[^"]*"/g, "");

function draw(slot, html) {
  if (shown.get(slot) === plain(html)) return;
  shown.set(slot, plain(html));
  const made = document.createRange().createContextualFragment(html);
  const old = grid.querySelector(`[data-slot="${CSS.escape(slot)}"]`);
  if (!old) return grid.append(made);
  const focused = old.contains(document.activeElement) ? document.activeElement.tagName : "";
  const tile = made.querySelector("[data-slot]");
  const before = old.querySelector("progress");
  const after = tile.querySelector("progress");
  if (before && after && before.max === after.max) {
    before.value = after.value; // the bar moves on instead of starting anew
    after.replaceWith(before);
  }
  old.replaceWith(tile);
  if (focused) tile.querySelector(focused)?.focus();
}

grid.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector("button");
  const token = document.querySelector("meta[name=csrf-token]").content;
  button.disabled = true;
  await fetch(event.target.action, { method: "POST", headers: { "X-CSRFToken": token, "X-Requested-With": "fetch" } }).catch(() => {});
  setTimeout(() => (button.disabled = false), 1500);
});

begin(take);
