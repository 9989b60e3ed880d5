// What a kiosk adds to its pages: a card reader that types, keys on the screen, the countdown to leaving, the alarm's sound.
// Pages work without it; the reader and the sound don't.
import "./fields.js";
import { begin } from "./heartbeat.js";

// A card reader is a keyboard: many keys, faster than fingers, and Enter. What it typed into a field by the way is taken out again.
const READER_GAP = 200;
const READER_LEAST = 6;
const READER_LEAST_IN_DIGITS = 8; // shorter ones are somebody typing a number or a PIN on a plain keyboard
let typed = "";
let last = 0;

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const quick = event.timeStamp - last < READER_GAP;
  if (event.key.length === 1) {
    typed = quick ? typed + event.key : event.key;
    last = event.timeStamp;
    if (!quick) digitByKeyboard(event);
    else if (!event.target.matches("input, textarea, select")) event.preventDefault();
  } else if (event.key === "Enter" && quick && typed.length >= least(event.target)) {
    event.preventDefault();
    send(typed, event.target);
    typed = "";
  }
}, true);

const least = (field) => (field.closest?.("[data-keypad]") ? READER_LEAST_IN_DIGITS : READER_LEAST);

function send(text, field) {
  const scan = document.querySelector("form[data-scan]"); // a page that asks for a camera's label takes what its reader types
  if (scan && /^[a-z]{2,}-?[0-9]+$/i.test(text)) {
    scan.querySelector("input[name=label]").value = text;
    return scan.submit();
  }
  const form = document.querySelector("form[data-card]");
  if (!form || form.dataset.sent) return;
  if (field.matches?.("input[type=text], input[type=password], textarea") && field.value.endsWith(text)) field.value = field.value.slice(0, -text.length);
  form.dataset.sent = "1";
  form.elements.namedItem("card").value = text;
  form.submit();
}

// Keys of a plain keyboard go into the page's only keypad, wherever the focus is.
function digitByKeyboard(event) {
  const pads = document.querySelectorAll("[data-keypad]");
  if (pads.length !== 1 || !/^[0-9]$/.test(event.key) || event.target.matches("input, textarea, select")) return;
  pads[0].querySelector("input").focus();
}

for (const pad of document.querySelectorAll("[data-keypad]")) {
  const field = pad.querySelector("input");
  const length = Number(pad.dataset.length) || 0;
  const only = document.querySelectorAll("[data-keypad]").length === 1;
  pad.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (!key) return;
    if (key === "clear") field.value = "";
    else if (key === "back") field.value = field.value.slice(0, -1);
    else if (!field.maxLength || field.maxLength < 0 || field.value.length < field.maxLength) field.value += key;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  field.addEventListener("input", () => {
    if (only && length && field.value.length === length) field.form.requestSubmit();
  });
}

// A form is sent once: a second press while the answer is on its way does nothing.
addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.target.closest("#grid")) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

const leave = document.getElementById("leave");
if (leave) countDown();

function countDown() {
  const says = document.getElementById("countdown");
  let end = performance.now() + Number(leave.dataset.left) * 1000;
  let told = performance.now();
  async function touched() {
    if (performance.now() - told < 5000) return;
    told = performance.now();
    const token = document.querySelector("meta[name=csrf-token]").content;
    const answer = await fetch(leave.dataset.here, { method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) end = performance.now() + (await answer.json()).left * 1000;
  }
  addEventListener("pointerdown", touched);
  addEventListener("keydown", touched);
  setInterval(() => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    says.textContent = `${left} s`;
    if (left === 0 && !leave.dataset.sent) leave.requestSubmit();
  }, 250);
}

// A page without an officer that nobody touches leads back to the board.
const main = document.querySelector("main.sheet");
if (main && !leave && !location.pathname.endsWith("/pair")) {
  let idle = setTimeout(home, 60000);
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (clearTimeout(idle), (idle = setTimeout(home, 60000))));
}
function home() {
  location.assign("/kiosk");
}

if (document.querySelector(".page[data-beat]")) begin();

// The alarm's sound: off until somebody turns it on here; a browser lets it sound only after a touch.
const sound = document.getElementById("sound");
if (sound) soundSwitch();

function soundSwitch() {
  let context = null;
  let alarms = document.querySelectorAll("#alarms p").length;
  let on = localStorage.getItem("kiosk-sound") === "on";
  const say = () => {
    sound.textContent = on ? sound.dataset.on : sound.dataset.off;
    sound.setAttribute("aria-pressed", String(on));
  };
  const ready = () => (context ??= new AudioContext());
  sound.addEventListener("click", () => {
    on = !on;
    localStorage.setItem("kiosk-sound", on ? "on" : "off");
    say();
    if (on) beep();
  });
  addEventListener("pointerdown", () => on && ready().resume());
  addEventListener("alarms", (event) => (alarms = event.detail));
  setInterval(() => on && alarms && context?.state === "running" && beep(), 4000);
  function beep() {
    const at = ready().currentTime;
    for (const [start, pitch] of [[0, 880], [0.25, 660]]) {
      const tone = context.createOscillator();
      const loud = context.createGain();
      tone.frequency.value = pitch;
      loud.gain.setValueAtTime(0.2, at + start);
      loud.gain.exponentialRampToValueAtTime(0.001, at + start + 0.22);
      tone.connect(loud).connect(context.destination);
      tone.start(at + start);
      tone.stop(at + start + 0.23);
    }
  }
  sound.hidden = false;
  say();
}
