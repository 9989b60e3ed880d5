// The staff shell: "/" goes to the search box; a lost network is said, with the time the page's figures are of.
import "./fields.js";

const loaded = new Date();
const offline = document.getElementById("offline");
const clock = loaded.toLocaleTimeString("vi-VN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Ho_Chi_Minh" });

function show() {
  offline.textContent = `${offline.dataset.text} ${clock}`;
  offline.hidden = navigator.onLine;
}
addEventListener("online", show);
addEventListener("offline", show);
show();

// On a phone the menu is one line that scrolls: bring the current entry into sight.
const current = document.querySelector(".rail [aria-current]");
if (current) current.parentElement.scrollLeft = current.offsetLeft - 40;

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  const find = document.getElementById("find");
  if (event.key === "/" && find && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    find.focus();
    find.select();
  }
});

// A form is sent once: a second press while the answer is on its way does nothing.
addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
