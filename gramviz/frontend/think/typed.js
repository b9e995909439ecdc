// A puzzle that a person wrote, in the forms that `Task.parse` reads, and written out again.

import { placeName } from "../cells.js";
import { yourWords } from "./yourwords.js";

/** @import { Board } from "../types.js" */

const RULER = /^(\*?[-+=:─━═┼╋╬┌┬┐├┤└┴┘╔╦╗╠╣╚╩╝]+\*?)?$/;
const BLANKS = ".0_*?xX-";
// [0, -1, 3, ...]: where the queen of each row stands, or -1.
const QUEEN_COLUMNS = /^[[(]?\s*-?\d{1,3}(\s*,\s*-?\d{1,3})+\s*[\])]?$/;

/** What was written, or one sentence that says what is wrong with it.
 * @typedef {{ x: number[], edges?: number[][] } | { problem: string }} Typed */

/** Without what only divides or explains: frames, rulers, commas, comments, sections, titles and what writes a list.
 * @param {string} text */
const cellLines = (text) =>
  text
    .replace(/\b(None|null)\b/g, ".")
    .replaceAll("/", "\n")
    .split(/\r?\n/)
    .filter((line) => !/^\s*(\[\s*[A-Za-z]|Grid\b)/.test(line))
    .map((line) => line.replace(/#.*/, ""))
    .flatMap((line) => line.split(/[\])]/))
    .map((line) => line.replace(/[\s,|│┃║\ufeff[("']/g, ""));

/** The rows of a board of queens; in FEN numbers count empty cells. @param {Board} board @param {string} text */
const queenRows = ({ width, size }, text) =>
  cellLines(text)
    .filter((line) => line.length === width || !RULER.test(line))
    .map((line) =>
      line.length === width || line.length === size
        ? line
        : line.replace(/[1-9]\d?/g, (count) => ".".repeat(Math.min(Number(count), size))),
    );

/** Rows of characters, or all in one line; what only divides them is passed over.
 * @param {Board} board @param {string} text @returns {Typed} */
function readGrid(board, text) {
  const { width, height, tokens } = board;
  const queen = tokens.findIndex(({ glyph }) => glyph === "queen");
  if (queen >= 0 && QUEEN_COLUMNS.test(text.trim())) {
    const columns = (text.match(/-?\d+/g) ?? []).map(Number);
    const odd = columns.find((column) => column < -1 || column >= width);
    if (odd !== undefined) return { problem: yourWords.column(odd, width) };
    const row = ".".repeat(width);
    return readGrid(board, columns.map((at) => (at < 0 ? row : `${row.slice(0, at)}Q${row.slice(at + 1)}`)).join("/"));
  }
  const lines = queen < 0 ? cellLines(text).filter((line) => !RULER.test(line)) : queenRows(board, text);
  let rows = lines.map((line) => Array.from(line)).filter((line) => line.length);
  if (rows.length === 1 && rows[0].length === width * height)
    rows = Array.from({ length: height }, (_, row) => rows[0].slice(row * width, (row + 1) * width));
  const visible = tokens.flatMap(({ symbol }, id) => (symbol && !board.blank.includes(id) ? [[symbol, id]] : []));
  /** @type {Map<string, number>} */
  const meaning = new Map(/** @type {[string, number][]} */ (visible));
  if (queen >= 0) for (const written of "qQ1") meaning.set(written, queen);
  return meant(board, rows, meaning, BLANKS);
}

/** The tokens of rows of characters. @param {Board} board @param {string[][]} rows
 * @param {Map<string, number>} meaning @param {string} blanks characters that say nothing @returns {Typed} */
function meant(board, rows, meaning, blanks) {
  const { width, height } = board;
  const lengths = rows.map((row) => row.length);
  if (rows.length !== height || lengths.some((length) => length !== width))
    return { problem: yourWords.rows(lengths, height, width) };
  const blank = Math.max(...board.blank);
  const x = [];
  for (const [at, written] of rows.flat().entries()) {
    const token = meaning.get(written) ?? (blanks.includes(written) ? blank : undefined);
    if (token === undefined)
      return { problem: yourWords.character(placeName(board, at), written, [...meaning.keys()], blanks[0]) };
    x.push(token);
  }
  return { x };
}

/** Rows of # for ink, . for paper and ? for what is not given, of a picture of single pixels.
 * @param {Board} board @param {string} text @returns {Typed} */
function readPicture(board, text) {
  const rows = text.trim().replaceAll("/", "\n").split(/\r?\n/);
  const [paper, ink] = [...board.tokens.keys()].filter((id) => !board.blank.includes(id));
  /** @type {Map<string, number>} */
  const meaning = new Map();
  for (const written of "#1") meaning.set(written, ink);
  for (const written of ".0-") meaning.set(written, paper);
  const cells = rows.map((row) => Array.from(row.replace(/\s/g, "")));
  return meant(board, cells, meaning, "?");
}

/** @param {Board} board @param {ArrayLike<number>} x */
const writePicture = ({ width, height, tokens, blank }, x) =>
  Array.from({ length: height }, (_, row) =>
    Array.from(x)
      .slice(row * width, (row + 1) * width)
      .map((token) => (blank.includes(token) ? "?" : tokens[token].symbol === "1" ? "#" : "."))
      .join(""),
  ).join("\n");

/** The puzzle as rows of characters. @param {Board} board @param {ArrayLike<number>} x */
const writeGrid = ({ width, height, tokens, blank }, x) =>
  Array.from({ length: height }, (_, row) =>
    Array.from(x)
      .slice(row * width, (row + 1) * width)
      .map((token) => (blank.includes(token) ? "." : tokens[token].symbol || "."))
      .join(""),
  ).join("\n");

/** A file of DIMACS (`p edge 8 4`, then lines `e 1 2`) as edges; another text as it is. @param {string} text */
function edgesOf(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() && !/^c\b/.test(line));
  if (!/^p\s/.test(lines[0])) return { text };
  const edges = lines.slice(1).map((line) => line.replace(/^e\s+(\d+)\s+(\d+)\s*$/, "$1-$2"));
  return { text: edges.join("\n"), count: Number(lines[0].split(/\s+/)[2]) };
}

/** Edges of a graph and colors of its nodes: `1-2 2-3 3-1 1=B`, `no edges`, or a file of DIMACS.
 * @param {Board} board @param {string} written @returns {Typed} */
function readGraph({ size, tokens, blank, exclusive }, written) {
  const x = Array.from({ length: size }, () => Math.max(...blank));
  /** @type {Map<string, number[]>} */
  const edges = new Map();
  const { text, count = size } = edgesOf(written.replace("\ufeff", ""));
  if (count !== size) return { problem: yourWords.nodes(count, size) };
  for (const piece of text
    .replace(/^\s*no edges\b/, "")
    .split(/[\s,;]+/)
    .filter(Boolean)) {
    const [, first, second, node, color] = piece.match(/^(?:(\d+)[-–](\d+)|(\d+)=([a-z]+))$/i) ?? [];
    const ends = [first, second, node].filter(Boolean).map((one) => Number(one) - 1);
    const odd = ends.find((end) => end < 0 || end >= size);
    if (odd !== undefined) return { problem: yourWords.node(odd + 1, size) };
    const token = exclusive.find((id) =>
      [tokens[id].symbol, tokens[id].label].some((one) => one.toLowerCase() === color?.toLowerCase()),
    );
    if (node) {
      const known = exclusive.map((id) => `${tokens[id].symbol} ${tokens[id].label}`);
      if (token === undefined) return { problem: yourWords.color(color, known) };
      if (![token, Math.max(...blank)].includes(x[ends[0]])) return { problem: yourWords.twice(node) };
      x[ends[0]] = token;
    } else if (first) {
      if (ends[0] === ends[1]) return { problem: yourWords.itself(piece, first) };
      const pair = ends.sort((a, b) => a - b);
      edges.set(pair.join(), pair);
    } else return { problem: yourWords.piece(piece) };
  }
  return { x, edges: [...edges.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]) };
}

/** @param {Board} board @param {ArrayLike<number>} x @param {number[][]} edges */
const writeGraph = ({ tokens, blank }, x, edges) =>
  [
    ...edges.map(([a, b]) => `${a + 1}-${b + 1}`),
    ...Array.from(x).flatMap((token, at) => (blank.includes(token) ? [] : [`${at + 1}=${tokens[token].symbol}`])),
  ].join(" ");

/** The puzzle as a person writes it. @param {Board} board @param {ArrayLike<number>} x @param {number[][]} edges */
export const writeTyped = (board, x, edges) =>
  ({ graph: writeGraph, image: writePicture, grid: writeGrid })[board.kind](board, x, edges);

/** @param {Board} board @param {string} text @returns {Typed} */
export const readTyped = (board, text) =>
  ({ graph: readGraph, image: readPicture, grid: readGrid })[board.kind](board, text);
