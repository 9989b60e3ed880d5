// Sending files over tus: hash first (so that the right file is known again after a reload), then send, pause, go on.
// The server keeps whatever came, so a break costs little; this page only has to notice that the network is back.

const say = (vi, en) => (document.body.dataset.lang === "en" ? en : vi);

const MB = 1e6;
const WEAK = 60000; // bytes a second: below, the network is called weak
const SILENT_MS = 6000;
const PROBE_MS = 2500;
const RETRY = [0, 1000, 2000, 3000, 5000, 5000, 10000, 10000, 20000, 30000, 30000, 60000];

let panel;
let wakeLock;
const active = new Set();
const preparing = new Set(); // chosen, not sent yet: their fingerprint is being computed, and leaving the page would lose them
const isBusy = () => active.size + preparing.size > 0;

export function start(element) {
  panel = element;
  panel.querySelector("[data-script] input").addEventListener("change", (event) => {
    for (const file of event.target.files) add(file);
    event.target.value = "";
  });
  panel.addEventListener("moved", refresh);
  panel.addEventListener("leave", () => {
    preparing.clear();
    active.forEach((sending) => sending.pause());
    refresh();
  });
  addEventListener("online", () => active.forEach((sending) => sending.restart()));
  addEventListener("offline", () => active.forEach((sending) => sending.show()));
  addEventListener("beforeunload", (event) => {
    if (isBusy()) event.preventDefault();
  });
  document.addEventListener("visibilitychange", keepAwake);
  setInterval(() => active.forEach((sending) => sending.watch()), 1000);
  refresh();
}

function refresh() {
  panel.dataset.sending = isBusy() ? "1" : "";
  const button = document.querySelector("[data-while-sending]");
  if (button) {
    button.dataset.otherwise ??= button.textContent;
    button.textContent = isBusy() ? button.dataset.whileSending : button.dataset.otherwise;
  }
  const waiting = [...panel.querySelectorAll('.file[data-state="receiving"]')].some((box) => !box.dataset.taken);
  const some = panel.querySelector(".file");
  panel.hidden = !some && !button;
  panel.querySelector("[data-script]").hidden = !waiting && !button; // beyond the step of the files, only to go on
  panel.querySelector("[data-pick]").textContent = waiting
    ? say("Chọn lại đúng tệp để gửi tiếp", "Choose the same file to go on")
    : some ? say("Thêm tệp khác", "Add another file") : say("Chọn video hoặc ảnh", "Choose a video or photo");
  keepAwake();
}

async function keepAwake() {
  try {
    if (isBusy() && !document.hidden && (!wakeLock || wakeLock.released)) wakeLock = await navigator.wakeLock.request("screen");
    if (!isBusy()) await wakeLock?.release();
  } catch {
    // not allowed or not there: the page says to keep the screen on
  }
}

const amount = (bytes) => {
  const text = (bytes / MB).toFixed(bytes < 10 * MB ? 1 : 0);
  return `${say(text.replace(".", ","), text)} MB`;
};

function time(seconds) {
  if (seconds < 50) return say("dưới 1 phút", "less than 1 min");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return say(`khoảng ${minutes} phút`, `about ${minutes} min`);
  return say(`khoảng ${Math.floor(minutes / 60)} giờ ${minutes % 60} phút`, `about ${Math.floor(minutes / 60)} h ${minutes % 60} min`);
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

class Card {
  constructor(name, box) {
    this.box = box || element("div", { className: "file" }, element("p", {}, element("b", { textContent: name })));
    this.bar = this.box.querySelector("progress") || element("progress", { max: 1, value: 0, ariaLabel: name });
    this.words = this.box.querySelector("[role=status]") || element("p", { className: "s", role: "status" });
    this.toggle = element("button", { className: "b", type: "button", hidden: true });
    this.drop = element("button", { className: "link", type: "button", hidden: true, textContent: say("Bỏ tệp này", "Remove this file") });
    this.box.append(this.bar, this.words, this.toggle, this.drop);
    if (!box) panel.querySelector("#files").append(this.box);
  }

  say(text, warning) {
    this.words.replaceChildren(text, ...(warning ? [" · ", element("span", { className: "w", textContent: warning })] : []));
  }
}

async function add(file) {
  const card = new Card(file.name);
  preparing.add(card);
  refresh();
  await prepare(file, card);
  preparing.delete(card);
  refresh();
}

async function prepare(file, card) {
  if (file.size > Number(panel.dataset.most)) {
    card.bar.remove();
    card.say(say(`Tệp quá lớn: tối đa ${amount(panel.dataset.most)}.`, `Too large: at most ${amount(panel.dataset.most)}.`));
    return;
  }
  let sha256;
  try {
    sha256 = await hash(file, card);
  } catch {
    card.say(say("Không đọc được tệp này trên máy. Chọn lại tệp.", "This file can't be read. Choose it again."));
    return;
  }
  const known = [...panel.querySelectorAll(".file[data-sha256]")].find(
    (box) => box.dataset.sha256 === sha256 && box.dataset.state !== "mismatch",
  );
  if (known && (known.dataset.state !== "receiving" || known.dataset.taken)) {
    card.say(say("Tệp này đã có trong danh sách.", "This file is in the list already."));
    card.bar.remove();
    return;
  }
  try {
    await library();
  } catch {
    card.say(say("Chưa gửi được gì. Kiểm tra mạng rồi chọn lại tệp.", "Nothing sent yet. Check the network, then choose the file again."));
    return;
  }
  if (!preparing.has(card)) return; // left meanwhile
  if (known) {
    card.box.remove();
    known.dataset.taken = "1";
    new Sending(file, sha256, new Card(file.name, known), known.dataset.url).go();
  } else {
    new Sending(file, sha256, card).go();
  }
}

function hash(file, card) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(document.body.dataset.hash, { type: "module" });
    worker.onerror = reject;
    worker.onmessage = ({ data }) => {
      if (data.error) reject(new Error(data.error));
      if (data.done !== undefined) {
        const share = file.size ? data.done / file.size : 1;
        card.bar.value = share;
        const percent = Math.round(100 * share);
        card.say(say(`Đang tính dấu vân tay của tệp: ${percent} % (chưa gửi gì)`, `Computing the file's fingerprint: ${percent} % (nothing sent yet)`));
      }
      if (data.sha256) {
        worker.terminate();
        resolve(data.sha256);
      }
    };
    worker.postMessage(file);
  });
}

function library() {
  if (globalThis.tus) return Promise.resolve();
  return new Promise((resolve, reject) => {
    document.head.append(element("script", { src: document.body.dataset.tus, onload: resolve, onerror: reject }));
  });
}

class Sending {
  constructor(file, sha256, card, url) {
    Object.assign(this, { file, card, sent: 0, speed: 0, heard: performance.now(), mark: null, probed: -1 });
    this.upload = new tus.Upload(file, {
      endpoint: panel.dataset.create,
      uploadUrl: url || null,
      metadata: { filename: file.name, filetype: file.type, sha256 },
      retryDelays: RETRY,
      storeFingerprintForResuming: false,
      onProgress: (sent) => this.progress(sent),
      onUploadUrlAvailable: () => this.known(),
      onSuccess: () => this.end(say("Đã gửi đủ. Biên nhận ở bước cuối.", "All sent. The receipt comes with the last step.")),
      onError: (error) => this.fail(error),
      onShouldRetry: (error) => this.patient(error),
    });
    Object.assign(card.box.dataset, { sha256, state: "receiving", taken: "1" });
    card.toggle.addEventListener("click", () => (active.has(this) ? this.pause(true) : this.go()));
    card.drop.addEventListener("click", () => this.remove());
    if (url) this.known();
  }

  // Only an upload whose address came back can be paused or taken back: before that the server may know it and we not.
  known() {
    this.card.drop.hidden = false;
    this.card.toggle.hidden = false;
  }

  go() {
    active.add(this);
    this.heard = performance.now();
    this.mark = null;
    this.upload.start();
    this.card.bar.max = this.file.size || 1;
    this.card.toggle.textContent = say("Tạm dừng", "Pause");
    this.show();
    refresh();
  }

  pause(chosen) {
    active.delete(this);
    this.upload.abort();
    this.card.toggle.textContent = say("Tiếp tục gửi", "Go on sending");
    if (chosen) this.card.say(say(`Đã tạm dừng ở ${amount(this.sent)} trên ${amount(this.file.size)}`, `Paused at ${amount(this.sent)} of ${amount(this.file.size)}`));
    refresh();
  }

  async restart() {
    if (this.restarting) return;
    this.restarting = true;
    await this.upload.abort();
    this.restarting = false;
    if (active.has(this)) this.go();
  }

  progress(sent) {
    const now = performance.now();
    if (sent !== this.sent) this.heard = now;
    this.sent = sent;
    this.card.bar.value = sent;
    this.mark ??= { at: now, sent };
    if (now - this.mark.at > 2000) {
      const speed = (1000 * (sent - this.mark.sent)) / (now - this.mark.at);
      this.speed = this.speed ? 0.6 * this.speed + 0.4 * speed : speed;
      this.mark = { at: now, sent };
    }
    this.show();
  }

  // Tried again: no answer, a trouble of the server (no room, too many at once: its own words are shown), somebody else writing.
  patient(error) {
    const status = error.originalResponse?.getStatus() || 0;
    if (status >= 500) this.card.say(error.originalResponse.getBody() || "");
    return !status || status >= 500 || status === 409 || status === 423;
  }

  show() {
    if (!navigator.onLine) {
      this.card.say(say("Mất kết nối – tự gửi tiếp khi có mạng", "Offline – goes on when the network is back"));
      return;
    }
    const left = this.file.size - this.sent;
    const part = say(`${amount(this.sent)} trên ${amount(this.file.size)}`, `${amount(this.sent)} of ${amount(this.file.size)}`);
    if (this.speed > 0) {
      const rest = time(left / this.speed);
      this.card.say(`${part} · ${say(`còn ${rest}`, `${rest} left`)}`, this.speed < WEAK ? say("mạng yếu", "weak network") : "");
    } else {
      const [weak, good] = [time(left / 50000), time(left / 1.5e6)];
      this.card.say(
        `${part} · ${say(`mạng yếu mất ${weak}, mạng tốt ${good}; tốn ${amount(left)} dữ liệu`, `${weak} on a weak network, ${good} on a good one; uses ${amount(left)} of data`)}`,
      );
    }
  }

  // A connection may hang although the network is back: ask the server; if it answers at once, begin a fresh connection.
  async watch() {
    if (this.probing || !this.upload.url || performance.now() - this.heard < SILENT_MS) return;
    this.probing = true;
    try {
      const answer = await fetch(this.upload.url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" }, signal: AbortSignal.timeout(PROBE_MS) });
      const offset = Number(answer.headers.get("Upload-Offset"));
      if (answer.ok && offset === this.probed) await this.restart();
      this.probed = offset;
    } catch {
      // still out of reach
    } finally {
      this.probing = false;
    }
  }

  end(text) {
    active.delete(this);
    this.card.box.dataset.state = "complete";
    this.card.bar.value = this.card.bar.max;
    this.card.toggle.hidden = true;
    this.card.say(text);
    refresh();
  }

  fail(error) {
    active.delete(this);
    const said = error.originalResponse?.getBody?.();
    this.card.say(said || say("Chưa gửi được. Kiểm tra mạng rồi bấm Tiếp tục gửi.", "Not sent. Check the network, then press Go on sending."));
    this.card.toggle.textContent = say("Tiếp tục gửi", "Go on sending");
    this.known();
    refresh();
  }

  async remove() {
    active.delete(this);
    try {
      await this.upload.abort(true);
      this.card.box.remove();
    } catch (error) {
      this.card.say(error.originalResponse?.getBody?.() || say("Chưa bỏ được tệp này, thử lại.", "Not removed, try again."));
    }
    refresh();
  }
}
