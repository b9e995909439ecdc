// A puzzle that a person wrote, in the forms that `Task.parse` reads, and written out again.

import { placeName } from "../cells.js";
import { yourWords } from "./yourwords.js";

/** @import { Board } from "../types.js" */

const RULER = /^[-+=:─━═┼╋╬┌┬┐├┤└┴┘╔╦╗╠╣╚╩╝]*$/;
const BLANKS = ".0_*-";

/** What was written, or one sentence that says what is wrong with it.
 * @typedef {{ x: number[], edges?: number[][] } | { problem: string }} Typed */

/** Rows of characters, or all in one line; rulers and spaces are passed over.
 * @param {Board} board @param {string} text @returns {Typed} */
export function readGrid(board, text) {
  const { width, height, tokens } = board;
  const lines = text
    .replaceAll("/", "\n")
    .split(/\r?\n/)
    .map((line) => line.replace(/[\s|│┃║]/g, ""));
  const queen = tokens.findIndex(({ glyph }) => glyph === "queen");
  let rows = lines.filter((line) => line && !(RULER.test(line) && (queen < 0 || line.length !== width)));
  if (rows.length === 1 && rows[0].length === width * height)
    rows = Array.from({ length: height }, (_, row) => rows[0].slice(row * width, (row + 1) * width));
  if (rows.length !== height || rows.some((row) => row.length !== width))
    return {
      problem: yourWords.rows(
        rows.map((row) => row.length),
        height,
        width,
      ),
    };
  const blank = Math.max(...board.blank);
  const visible = tokens.flatMap(({ symbol }, id) => (symbol && !board.blank.includes(id) ? [[symbol, id]] : []));
  /** @type {Map<string, number>} */
  const meaning = new Map(/** @type {[string, number][]} */ (visible));
  if (queen >= 0) for (const written of "qQ1") meaning.set(written, queen);
  const x = [];
  for (const [at, written] of [...rows.join("")].entries()) {
    const token = meaning.get(written) ?? (BLANKS.includes(written) ? blank : undefined);
    if (token === undefined)
      return { problem: yourWords.character(placeName(board, at), written, [...meaning.keys()]) };
    x.push(token);
  }
  return { x };
}

/** The puzzle as rows of characters. @param {Board} board @param {ArrayLike<number>} x */
export const writeGrid = ({ width, height, tokens, blank }, x) =>
  Array.from({ length: height }, (_, row) =>
    Array.from(x)
      .slice(row * width, (row + 1) * width)
      .map((token) => (blank.includes(token) ? "." : tokens[token].symbol || "."))
      .join(""),
  ).join("\n");

/** Edges of a graph and colors of its nodes: `1-2 2-3 3-1 1=B`.
 * @param {Board} board @param {string} text @returns {Typed} */
export function readGraph({ size, tokens, blank, exclusive }, text) {
  const x = Array.from({ length: size }, () => Math.max(...blank));
  /** @type {Map<string, number[]>} */
  const edges = new Map();
  for (const piece of text.split(/[\s,;]+/).filter(Boolean)) {
    const [, first, second, node, color] = piece.match(/^(?:(\d+)[-–](\d+)|(\d+)=([a-z]+))$/i) ?? [];
    const ends = [first, second, node].filter(Boolean).map((one) => Number(one) - 1);
    const odd = ends.find((end) => end < 0 || end >= size);
    if (odd !== undefined) return { problem: yourWords.node(odd + 1, size) };
    const token = exclusive.find((id) =>
      [tokens[id].symbol, tokens[id].label].some((one) => one.toLowerCase() === color?.toLowerCase()),
    );
    if (node && token !== undefined) x[ends[0]] = token;
    else if (first && ends[0] !== ends[1]) {
      const pair = ends.sort((a, b) => a - b);
      edges.set(pair.join(), pair);
    } else return { problem: yourWords.piece(piece) };
  }
  return { x, edges: [...edges.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]) };
}

/** @param {Board} board @param {ArrayLike<number>} x @param {number[][]} edges */
export const writeGraph = ({ tokens, blank }, x, edges) =>
  [
    ...edges.map(([a, b]) => `${a + 1}-${b + 1}`),
    ...Array.from(x).flatMap((token, at) => (blank.includes(token) ? [] : [`${at + 1}=${tokens[token].symbol}`])),
  ].join(" ");
