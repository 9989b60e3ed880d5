// The secret code, made on this device: 26 Crockford base32 characters (130 random bits) and a check symbol.
// HKDF-SHA256 turns it into a look-up id, an Ed25519 sign-in key and an X25519 reply key; only public halves leave the device.
// The twin on the server is bodycam/petitions/secret_code.py; a browser test holds the two together.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECK = ALPHABET + "*~$=U";
const LENGTH = 26;
const SALT = new TextEncoder().encode("bodycam secret code v1");
const PKCS8 = { Ed25519: "302e020100300506032b657004220420", X25519: "302e020100300506032b656e04220420" }; // RFC 8410, 7

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const hexOf = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const base64Of = (bytes) => btoa(String.fromCharCode(...bytes));

function checkSymbol(text) {
  return CHECK[[...text].reduce((rest, c) => (rest * 32 + ALPHABET.indexOf(c)) % 37, 0)];
}

export function makeCode() {
  for (;;) {
    const text = [...crypto.getRandomValues(new Uint8Array(LENGTH))].map((byte) => ALPHABET[byte & 31]).join("");
    const symbol = checkSymbol(text);
    if (/[0-9A-Z]/.test(symbol)) return text + symbol;
  }
}

export function readCode(typed) {
  const plain = typed.toUpperCase().replace(/[\s\u2013-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  const text = plain.slice(0, -1);
  if (text.length !== LENGTH || [...text].some((c) => !ALPHABET.includes(c))) return null;
  return checkSymbol(text) === plain.slice(-1) ? plain : null;
}

export const groupsOf = (code) => code.match(/.{1,4}/g);

async function derive(code, purpose, length) {
  const secret = await crypto.subtle.importKey("raw", new TextEncoder().encode(code), "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode(purpose);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: SALT, info }, secret, length * 8));
}

async function privateKey(code, purpose, name, uses) {
  const seed = await derive(code, purpose, 32);
  return crypto.subtle.importKey("pkcs8", new Uint8Array([...bytesOf(PKCS8[name]), ...seed]), { name }, true, uses);
}

async function publicHalf(key) {
  const { x } = await crypto.subtle.exportKey("jwk", key);
  return x.replace(/-/g, "+").replace(/_/g, "/").padEnd(44, "=");
}

export async function publicHalves(code) {
  return {
    lookup: hexOf(await derive(code, "look-up", 16)),
    sign_in: await publicHalf(await privateKey(code, "sign-in", "Ed25519", ["sign"])),
    reply: await publicHalf(await privateKey(code, "reply", "X25519", ["deriveBits"])),
  };
}

export async function sign(code, lookup, nonce) {
  const message = new TextEncoder().encode(`bodycam sign-in v1\n${lookup}\n${nonce}`);
  const key = await privateKey(code, "sign-in", "Ed25519", ["sign"]);
  return base64Of(new Uint8Array(await crypto.subtle.sign("Ed25519", key, message)));
}

const token = (form) => form.querySelector("[name=csrf_token]").value;
const post = (url, fields) => fetch(url, { method: "POST", credentials: "same-origin", body: new URLSearchParams(fields) });

export function start() {
  const box = document.querySelector("[data-make-code]:not([data-ready])");
  if (box) offerCode(box);
  const form = document.querySelector("[data-look-up]:not([data-ready])");
  if (form) signInWithCode(form);
}

async function offerCode(box) {
  box.dataset.ready = "1";
  const form = box.querySelector("[data-confirm]");
  let code;
  try {
    code = makeCode();
    const answer = await post(box.dataset.register, { ...(await publicHalves(code)), csrf_token: token(form) });
    await answer.text(); // an answer left unread keeps the connection busy
    if (!answer.ok) return; // the server's own way stays on the page
  } catch {
    return; // no crypto.subtle (plain http), or no Ed25519: likewise
  }
  const groups = groupsOf(code);
  box.querySelector("[data-shown]").replaceChildren(
    ...groups.flatMap((group) => [Object.assign(document.createElement("span"), { textContent: group }), " "]),
  );
  box.hidden = false;
  document.querySelector("[data-server-code]").hidden = true;
  box.querySelector("[data-print]").addEventListener("click", () => print());
  box.querySelector("[data-save]").addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([groups.join(" ") + "\n"], { type: "text/plain" }));
    Object.assign(document.createElement("a"), { href: url, download: "ghi-chu.txt" }).click(); // a name that tells nothing
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
  form.addEventListener("submit", (event) => {
    const right = form.last.value.toUpperCase().replace(/\s/g, "") === groups.at(-1);
    form.querySelector("[data-wrong]").hidden = right;
    if (!right) event.preventDefault();
  });
}

function signInWithCode(form) {
  form.dataset.ready = "1";
  form.addEventListener("submit", async (event) => {
    const code = readCode(form.code.value);
    if (!globalThis.crypto?.subtle || !code) return; // the plain way answers, with the same words
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    let halves;
    try {
      halves = await publicHalves(code);
    } catch {
      form.submit(); // no Ed25519 in this browser
      return;
    }
    try {
      const { lookup } = halves;
      const csrf_token = token(form);
      const { nonce } = await (await post(form.dataset.challenge, { lookup, csrf_token })).json();
      const signature = await sign(code, lookup, nonce);
      const answer = await post(form.dataset.open, { lookup, nonce, signature, csrf_token });
      if (answer.redirected) return location.replace(answer.url);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.getElementById("main").replaceWith(page.getElementById("main"));
      start();
    } catch {
      button.disabled = false; // offline: what was typed stays
    }
  });
}
