// SHA-256 of a file, away from the page's thread, block by block: the whole file is never in memory.
import { sha256 } from "/static/vendor/noble-hashes/sha2.js";

const BLOCK = 4 << 20;

self.onmessage = async ({ data: file }) => {
  try {
    const hash = sha256.create();
    for (let at = 0; at < file.size; at += BLOCK) {
      hash.update(new Uint8Array(await file.slice(at, at + BLOCK).arrayBuffer()));
      self.postMessage({ done: Math.min(at + BLOCK, file.size) });
    }
    self.postMessage({ sha256: [...hash.digest()].map((byte) => byte.toString(16).padStart(2, "0")).join("") });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
