// The portal's own behaviour: leaving quickly, changing steps while a file is being sent, fresh receipts.
// Every page works without it; what it adds is loaded only where it's needed.

const body = document.body;

async function enhance() {
  const uploads = document.getElementById("uploads");
  if (uploads && !uploads.dataset.ready) {
    uploads.dataset.ready = "1";
    (await import(body.dataset.upload)).start(uploads);
  }
  if (document.querySelector("[data-make-code],[data-look-up]")) (await import(body.dataset.code)).start();
  poll();
}

// ---- changing steps: only while a file is being sent, so that sending isn't cut off
const sending = () => document.getElementById("uploads")?.dataset.sending === "1";

async function go(url, options) {
  const answer = await fetch(url, { credentials: "same-origin", ...options });
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = next.getElementById("main");
  if (!main || !next.getElementById("uploads")) {
    stopSending();
    location.assign(answer.url);
    return;
  }
  for (const id of ["main", "after"]) document.getElementById(id).replaceWith(next.getElementById(id));
  document.title = next.title;
  if (location.href !== answer.url) history.pushState(null, "", answer.url);
  scrollTo(0, 0);
  document.querySelector("h1")?.focus();
  document.getElementById("uploads").dispatchEvent(new Event("moved"));
  await enhance();
}

const stopSending = () => document.getElementById("uploads")?.dispatchEvent(new Event("leave"));

function stays(url) {
  return sending() && url.origin === location.origin && !url.searchParams.has("lang");
}

// What the browser says about an empty field is in its own language; say it in the page's.
document.addEventListener("invalid", ({ target }) => {
  const [vi, en] = target.type === "checkbox" ? ["Cần đánh dấu ô này", "Tick this box"] : ["Cần điền ô này", "Fill this in"];
  if (target.validity.valueMissing) target.setCustomValidity(body.dataset.lang === "vi" ? vi : en);
}, true);
document.addEventListener("input", ({ target }) => target.setCustomValidity?.(""), true);

document.addEventListener("submit", (event) => {
  const form = event.target;
  if ("leaves" in form.dataset) stopSending();
  if (event.defaultPrevented || "leaves" in form.dataset || form.enctype === "multipart/form-data") return;
  const url = new URL(form.action || location.href);
  if (!stays(url)) return;
  event.preventDefault();
  go(url, { method: form.method, body: new URLSearchParams(new FormData(form)) });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented) return;
  if ("exit" in link.dataset) {
    event.preventDefault();
    stopSending();
    document.documentElement.replaceChildren(); // gone at once, however long the answer takes
    location.replace(link.href); // the page left behind is not in the history
    return;
  }
  if (link.hasAttribute("download") || !stays(new URL(link.href))) return;
  event.preventDefault();
  go(link.href);
});

addEventListener("popstate", () => (sending() ? go(location.href) : location.reload()));

// ---- receipts: look again until all are there
let timer = 0;

function poll() {
  clearTimeout(timer);
  const wait = Number(document.querySelector("[data-poll]")?.dataset.poll || 0);
  if (!wait) return;
  timer = setTimeout(async () => {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      if (answer.ok && fresh && document.querySelector("[data-poll]")) {
        const here = document.getElementById("main");
        if (here.innerHTML !== fresh.innerHTML) here.replaceWith(fresh);
      }
    } catch {
      // offline: what stands there stays, the next round asks again
    }
    poll();
  }, wait);
}

enhance();
