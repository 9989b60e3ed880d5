// The board: only the tiles that changed are drawn anew, and what changed is said to a screen reader.
import { begin } from "./heartbeat.js";

const grid = document.getElementById("grid");
const alarms = document.getElementById("alarms");
const pages = document.getElementById("pages");
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
  turn();
}

// Where a screen has no room for all slots at a size that is read at two metres, they are shown page by page: by turns, by hand, and
// at once the page on which something changed.
const LEAST = { width: 270, height: 165, gap: 12 };
const STAY = 12000;
const HELD = 30000;
let page = 0;
let size = Infinity;
let turned = performance.now();
let stay = STAY;

function turn() {
  const tiles = [...grid.querySelectorAll("[data-slot]")].sort((a, b) => a.dataset.slot - b.dataset.slot);
  if (innerWidth <= 1100 || tiles.length <= 8) return show(tiles, tiles.length, "");
  const room = { width: grid.clientWidth, height: innerHeight - grid.getBoundingClientRect().top - scrollY - document.querySelector(".foot").offsetHeight };
  const columns = Math.max(1, Math.min(6, Math.floor((room.width + LEAST.gap) / (LEAST.width + LEAST.gap))));
  const fit = (height) => Math.max(1, Math.floor((height + LEAST.gap) / (LEAST.height + LEAST.gap)));
  if (columns * fit(room.height) >= tiles.length) return show(tiles, tiles.length, "");
  show(tiles, columns * fit(room.height - 60), columns);
}

function show(tiles, count, columns) {
  size = count;
  const needed = Math.ceil(tiles.length / count) || 1;
  if (performance.now() - turned > stay) go((page + 1) % needed, STAY);
  page = Math.min(page, needed - 1);
  if (columns) grid.style.setProperty("--columns", columns);
  else grid.style.removeProperty("--columns");
  tiles.forEach((tile, at) => (tile.hidden = Math.floor(at / count) !== page));
  pages.hidden = needed === 1;
  const names = Array.from({ length: needed }, (_, n) => `${pages.dataset.word} ${n * count + 1}–${Math.min((n + 1) * count, tiles.length)}`);
  if (pages.dataset.names !== names.join()) {
    pages.dataset.names = names.join();
    pages.replaceChildren(...names.map((name, n) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      button.addEventListener("click", () => (go(n, HELD), turn()));
      return button;
    }));
  }
  [...pages.children].forEach((button, n) => (n === page ? button.setAttribute("aria-current", "page") : button.removeAttribute("aria-current")));
}

function go(to, milliseconds) {
  page = to;
  turned = performance.now();
  stay = milliseconds;
}
addEventListener("resize", turn);

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
  if (old.hidden && old.className !== tile.className) go(Math.floor([...grid.children].indexOf(tile) / size), STAY);
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
