// The kiosk asks every second and changes only the tiles that changed. Six seconds without a living station, for whatever
// reason, and every tile gives way: a green tile must never outlive the truth.
const SILENCE = 6000;
const grid = document.getElementById("grid");
const down = document.getElementById("down");
const live = document.getElementById("live");
const says = document.getElementById("says");
const token = document.querySelector("meta[name=csrf-token]").content;
const shown = new Map();
let spoken = {};
let heard = grid.hidden ? -Infinity : performance.now();

async function ask() {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 4000);
  try {
    const answer = await fetch(grid.dataset.url, { headers: { Accept: "application/json" }, signal: stop.signal });
    if ([401, 403, 404].includes(answer.status)) return location.reload(); // nothing more to ask for: each refusal is an event
    if (answer.ok) take(await answer.json());
  } catch {
    // no answer is what the silence rule below is for
  } finally {
    clearTimeout(timer);
    judge();
    setTimeout(ask, 1000);
  }
}

function take(board) {
  live.querySelector("time").textContent = board.at;
  if (!board.alive) {
    heard = -Infinity; // the server already counted the station's six seconds
    return;
  }
  heard = performance.now();
  document.getElementById("last").textContent = board.at;
  for (const [slot, html] of Object.entries(board.tiles)) draw(slot, html);
  for (const tile of grid.querySelectorAll("[data-slot]")) if (!(tile.dataset.slot in board.tiles)) tile.remove();
  const news = Object.entries(board.says).filter(([slot, text]) => spoken[slot] && spoken[slot] !== text);
  if (news.length) says.textContent = news.map(([, text]) => text).join(". ");
  spoken = board.says;
}

// The token in each form is new every second; it must not make a tile look changed.
const plain = (html) => html.replace(/name="csrf_token" value="[^"]*"/g, "");

function draw(slot, html) {
  if (shown.get(slot) === plain(html)) return;
  shown.set(slot, plain(html));
  const made = document.createRange().createContextualFragment(html);
  const old = grid.querySelector(`[data-slot="${CSS.escape(slot)}"]`);
  if (!old) return grid.append(made);
  const focused = old.contains(document.activeElement);
  const tile = made.querySelector("[data-slot]");
  const before = old.querySelector("progress");
  const after = tile.querySelector("progress");
  if (before && after && before.max === after.max) {
    before.value = after.value; // the bar moves on instead of starting anew
    after.replaceWith(before);
  }
  old.replaceWith(tile);
  if (focused) tile.querySelector("button")?.focus();
}

function judge() {
  const lost = performance.now() - heard > SILENCE;
  down.hidden = !lost;
  grid.hidden = lost;
  live.toggleAttribute("data-down", lost);
  live.querySelector("span").textContent = lost ? live.dataset.bad : live.dataset.good;
}

grid.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true;
  await fetch(event.target.action, { method: "POST", headers: { "X-CSRFToken": token, "X-Requested-With": "fetch" } }).catch(() => {});
  setTimeout(() => (button.disabled = false), 1500);
});

setInterval(judge, 500);
ask();
