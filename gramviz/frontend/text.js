// How texts and numbers are written, whatever they say.

import { contract } from "./contract.js";

const RANGES = contract.forbidden.map((ends) => ends.map((end) => `\\u{${end}}`).join("-"));
const FORBIDDEN = new RegExp(`[${RANGES.join("")}]`, "gu");

/** Text from a file, made fit to show: no forbidden characters, no line ends, at most `limit` characters.
 * @param {unknown} text */
export function clean(text, limit = contract.limits.title) {
  const kept = [
    ...String(text ?? "")
      .replace(/[\n\r\t]/g, " ")
      .replace(FORBIDDEN, ""),
  ];
  return kept.length > limit ? `${kept.slice(0, limit - 1).join("")}…` : kept.join("");
}

/** A number with three significant figures, as a reader writes it; `–` where there is none.
 * @param {number | null | undefined} value */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.01 || size === 0) return value.toFixed(2);
  return size >= 0.001 ? value.toPrecision(1) : value.toExponential(0);
}

/** A share as a reader writes it; one that is too small to be written is below the least. @param {number} share */
export const percent = (share, digits = 1) => {
  const least = 10 ** -digits;
  const small = share > 0 && 100 * share < least / 2;
  return `${small ? "< " : ""}${small ? least : (100 * share).toFixed(digits)} %`;
};

/** "1 cell", "2 cells". @param {number} count @param {string} one */
export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
/** "a, b and c". @param {string[]} items */
export const joined = (items) =>
  items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
