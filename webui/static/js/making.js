// A package being made: its part of the page is asked for again every two seconds, and the whole page once it is done.
const PAUSE_MS = 2000;

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("#making");
    if (!answer.ok || !fresh?.hasAttribute("data-watch")) return location.reload();
    document.getElementById("making").replaceChildren(...fresh.childNodes);
  } catch {
    // the network is away; the shell says so, and the next look may succeed
  }
  setTimeout(look, PAUSE_MS);
}
setTimeout(look, PAUSE_MS);
