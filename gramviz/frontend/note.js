// What a picture or a film is, written into its file: whoever finds it alone can read step, seed, checkpoint and hash.

const PNG_HEAD = 33; // bytes: the signature and the chunk of the size, after which any text may stand
const CLUSTER = [0x1f, 0x43, 0xb6, 0x75]; // where the pictures of a WebM begin

/** Of each byte what it makes of a checksum. */
const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let k = 0; k < 8; k += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  return rest;
});

/** @param {string} text */
export const utf8 = (text) => new TextEncoder().encode(text);
/** @param {number} value @param {number} bytes */
const big = (value, bytes) => Array.from({ length: bytes }, (_, k) => Math.floor(value / 256 ** (bytes - 1 - k)) % 256);

/** CRC-32 as PNG and zip have it (ISO 3309). @param {Uint8Array[]} parts one after another */
export function crc(parts) {
  let rest = -1;
  for (const part of parts)
    for (let k = 0; k < part.length; k += 1) rest = REMAINDERS[(rest ^ part[k]) & 255] ^ (rest >>> 8);
  return ~rest >>> 0;
}

/** A PNG with a text of its own, as an iTXt chunk "Description" (PNG 3, 11.3.3).
 * @param {Blob} blob @param {string} text */
export async function notedPng(blob, text) {
  const chunk = Uint8Array.from([...utf8("iTXtDescription"), 0, 0, 0, 0, 0, ...utf8(text)]);
  const parts = [big(chunk.length - 4, 4), chunk, big(crc([chunk]), 4)].map((part) => Uint8Array.from(part));
  return new Blob([blob.slice(0, PNG_HEAD), ...parts, blob.slice(PNG_HEAD)], { type: blob.type });
}

/** An element of Matroska: its id, its length in eight bytes, and what it holds.
 * @param {number[]} id @param {ArrayLike<number> & Iterable<number>} content */
const element = (id, content) => [...id, 1, ...big(content.length, 7), ...content];

/** A WebM with a text of its own, as a tag DESCRIPTION before its pictures (RFC 9559, 5.1.8); as it was where it has
 * none.
 * @param {Blob} blob @param {string} text */
export async function notedWebm(blob, text) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const at = bytes.findIndex((_, k) => CLUSTER.every((byte, index) => bytes[k + index] === byte));
  if (at < 0) return blob;
  const simple = [...element([0x45, 0xa3], utf8("DESCRIPTION")), ...element([0x44, 0x87], utf8(text))];
  const tag = [...element([0x63, 0xc0], []), ...element([0x67, 0xc8], simple)];
  const tags = Uint8Array.from(element([0x12, 0x54, 0xc3, 0x67], element([0x73, 0x73], tag)));
  return new Blob([bytes.subarray(0, at), tags, bytes.subarray(at)], { type: blob.type });
}
