// The player: one moment, shown everywhere at once. The picture's own frame time moves the marker, the timeline and the two
// clocks; pressing any of them moves the picture.
import { drawMap } from "./map.js";

const root = document.getElementById("player");
const video = document.getElementById("video");
const $ = (id) => document.getElementById(id);
const lang = document.documentElement.lang;
let length = Number(root.dataset.duration);

// ---- the timeline: where a span lies is data; the sheet knows nothing of numbers
function lay() {
  for (const span of document.querySelectorAll("#tl .span")) {
    const [start, end] = [Number(span.dataset.start), Number(span.dataset.end)];
    if (!length) continue;
    const least = 100 / Math.max(span.parentElement.clientWidth, 1); // one pixel
    span.style.left = `${(100 * start) / length}%`;
    span.style.width = `${Math.max((100 * (end - start)) / length, 8 * least)}%`;
    if (span.dataset.whole === "0") span.style.zIndex = 1;
    span.classList.toggle("thin", span.clientWidth < 48); // a cut letter says nothing; its words stand in the explanation
  }
}

const two = (n) => String(Math.floor(n)).padStart(2, "0");
function clock(seconds) {
  const [h, m, s] = [seconds / 3600, (seconds % 3600) / 60, seconds % 60];
  return h >= 1 ? `${Math.floor(h)}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}
const zone = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone: "Asia/Ho_Chi_Minh" });
function wall(iso, seconds) {
  return iso ? zone.format(new Date(Date.parse(iso) + seconds * 1000)) : "–";
}
function figure(value, places) {
  const text = value.toFixed(places).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, "\u202f");
  return lang === "vi" ? text.replace(".", ",") : text;
}

let map = null;
function show(seconds) {
  if (length) for (const mark of document.querySelectorAll(".now")) mark.style.left = `${Math.min(100, (100 * seconds) / length)}%`;
  $("device-clock").textContent = wall(root.dataset.deviceStart, seconds);
  $("true-clock").textContent = wall(root.dataset.start, seconds);
  if ($("time")) $("time").textContent = `${clock(seconds)} / ${clock(length)}`;
  if ($("seek")) {
    $("seek").value = seconds;
    $("seek").style.setProperty("--done", length ? `${(100 * seconds) / length}%` : "0%");
    $("seek").setAttribute("aria-valuetext", clock(seconds));
  }
  const spot = map?.moveTo(seconds);
  if (!spot) return;
  const [north, east] = lang === "vi" ? ["B", "Đ"] : ["N", "E"];
  $("wgs").textContent = `${figure(spot.lat, 5)} ${north} ${figure(spot.lon, 5)} ${east}`;
  if ($("vnx")) [$("vnx").textContent, $("vny").textContent] = [figure(spot.x, 0), figure(spot.y, 0)];
  $("kmh").textContent = spot.speed === null ? "" : ` · ${figure(spot.speed * 3.6, 0)} km/h`;
}

function seek(seconds) {
  if (!video) return show(seconds);
  video.currentTime = Math.max(0, Math.min(seconds, length || seconds));
  show(video.currentTime);
}

function play() {
  const rate = Number(root.dataset.fps) || 25; // the film's own frames a second; unknown: what cameras here mostly write
  video.removeAttribute("controls");
  if (video.tagName === "AUDIO") video.setAttribute("controls", "");
  $("controls").hidden = false;
  const shown = () => show(video.currentTime);
  if (video.requestVideoFrameCallback) {
    const each = (_, meta) => {
      show(meta.mediaTime);
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
  }
  for (const name of ["timeupdate", "seeked"]) video.addEventListener(name, shown);
  video.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(video.duration)) length = video.duration;
    $("seek").max = length;
    lay();
    shown();
  });
  for (const name of ["waiting", "loadstart"]) video.addEventListener(name, () => ($("loading").hidden = false));
  for (const name of ["canplay", "playing", "seeked", "loadeddata", "error"]) video.addEventListener(name, () => ($("loading").hidden = true));
  video.addEventListener("error", () => ($("failed").hidden = false));
  if (video.error) $("failed").hidden = false; // it failed before this module ran
  const state = () => {
    $("screen").classList.toggle("playing", !video.paused);
    $("play").setAttribute("aria-label", video.paused ? $("play").dataset.play : $("play").dataset.pause);
  };
  for (const name of ["play", "pause", "ended"]) video.addEventListener(name, state);

  const toggle = () => (video.paused ? video.play().catch(() => {}) : video.pause());
  // to the middle of the next frame: at its very edge rounding would show the one before
  const step = (by) => (video.pause(), seek((Math.floor(video.currentTime * rate + 0.001) + by + 0.5) / rate));
  const speed = (value) => ((video.playbackRate = Number(value)), ($("speed").value = String(value)));
  const mute = () => ((video.muted = !video.muted), $("sound").setAttribute("aria-pressed", video.muted));
  const full = () => (document.fullscreenElement ? document.exitFullscreen() : $("screen").requestFullscreen?.());
  const rates = [...$("speed").options].map((option) => option.value);
  const shift = (by) => speed(rates[Math.max(0, Math.min(rates.length - 1, rates.indexOf($("speed").value) + by))]);

  $("play").onclick = toggle;
  video.onclick = toggle;
  $("back").onclick = () => step(-1);
  $("forth").onclick = () => step(1);
  $("sound").onclick = mute;
  $("full").onclick = full;
  $("speed").onchange = (event) => speed(event.target.value);
  $("seek").oninput = (event) => seek(Number(event.target.value));

  const keys = {
    " ": toggle, k: toggle, ArrowLeft: () => seek(video.currentTime - 5), ArrowRight: () => seek(video.currentTime + 5),
    ",": () => step(-1), ".": () => step(1), "[": () => shift(-1), "]": () => shift(1), m: mute, f: full,
  };
  addEventListener("keydown", (event) => {
    if (event.target.closest("input:not([type=range]), textarea, select, summary, a") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.closest("button")) return;
    const act = keys[event.key];
    if (act) event.preventDefault(), act();
  });
}

lay();
addEventListener("resize", lay);
if (video) play();
$("tl").addEventListener("click", (event) => {
  const span = event.target.closest(".span");
  if (!span) return;
  const box = span.parentElement.getBoundingClientRect();
  const pressed = event.detail ? ((event.clientX - box.left) / box.width) * length : 0; // a key press has no place: the start
  seek(span.dataset.whole === "1" ? pressed : Number(span.dataset.start));
});
$("film")?.addEventListener("click", (event) => {
  const box = event.currentTarget.getBoundingClientRect();
  seek(((event.clientX - box.left) / box.width) * length);
});
$("film")?.querySelector("img").addEventListener("error", () => $("film").remove());

if ($("map")) {
  const doubtful = [...document.querySelectorAll('#tl .span[data-row="gps"][data-whole="0"]:is(.warn, .bad)')].map((span) => [Number(span.dataset.start), Number(span.dataset.end)]);
  map = await drawMap($("map"), root.dataset.track, doubtful, seek);
}
show(video ? video.currentTime : 0);
