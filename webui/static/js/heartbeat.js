// The station's heartbeat, asked for every second. Six seconds without a living station, for whatever reason, and what stands in
// the marked part of the page gives way: nothing that says "you may take it" must outlive the truth.
const SILENCE = 6000;
const covered = document.querySelector("[data-beat]");
const down = document.getElementById("down");
const live = document.getElementById("live");
let heard = covered?.hidden ? -Infinity : performance.now();
let take = () => {};

export function begin(onBoard = () => {}) {
  take = onBoard;
  setInterval(judge, 500);
  ask();
}

async function ask() {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 4000);
  try {
    const answer = await fetch(covered.dataset.beat, { headers: { Accept: "application/json" }, signal: stop.signal });
    if ([401, 403, 404].includes(answer.status)) return location.reload(); // nothing more to ask for: each refusal is an event
    if (answer.ok) hear(await answer.json());
  } catch {
    // no answer is what the silence rule below is for
  } finally {
    clearTimeout(timer);
    judge();
    setTimeout(ask, 1000);
  }
}

function hear(board) {
  live.querySelector("time").textContent = board.at;
  renew(board.csrf);
  if (!board.alive) {
    heard = -Infinity; // the server already counted the station's six seconds
    return;
  }
  heard = performance.now();
  document.getElementById("last").textContent = board.at;
  take(board);
}

// A kiosk stands for weeks; the token in its forms must not grow old.
function renew(token) {
  document.querySelector("meta[name=csrf-token]").content = token;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
}

function judge() {
  const lost = performance.now() - heard > SILENCE;
  down.hidden = !lost;
  covered.hidden = lost;
  live.toggleAttribute("data-down", lost);
  live.querySelector("span").textContent = lost ? live.dataset.bad : live.dataset.good;
}
