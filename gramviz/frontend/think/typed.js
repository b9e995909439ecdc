// A puzzle that a person wrote, in the forms that `Task.parse` reads, and written out again.

import { placeName } from "../cells.js";
import { yourWords } from "./yourwords.js";

/** @import { Board } from "../types.js" */

const LONGEST = 10_000; // characters: some patterns take time to the square of them
const BLANKS = ".0_*?xX-";
const EDGE = "-+=─━═┼╋╬┌┬┐├┤└┴┘╔╦╗╠╣╚╩╝";
const RULER = new RegExp(`^[.':*]?(?=[:.']*[${EDGE}])[${EDGE}:.']*[.':*]?$`);
const QUESTIONS = ["question", "quizzes", "puzzle"];
const COLUMN = /-?\d{1,3}|\./g;
// 0, -1, 3, ...: where the queen of each row stands, or -1.
const QUEEN_COLUMNS = /^(-?\d{1,3}|\.)((\s*,\s*|[ \t]+)(-?\d{1,3}|\.))+\s*,?$/;

/** What was written, or one sentence that says what is wrong with it.
 * @typedef {{ x: number[], edges?: number[][] } | { problem: string }} Typed */

/** Without the spaces, commas, bars, brackets and quotes that only divide. @param {string} line */
const bare = (line) => line.replace(/[\s,;|[\]()"']/g, "");

/** The puzzle of a row of a table (CSV with its header, or an object of JSON); another text as it is.
 * @param {string} written @returns {{ text: string, problem?: string }} */
function onePuzzle(written) {
  const text = written.replace("\ufeff", "");
  if (/^\s*\{/.test(text))
    try {
      const entry = JSON.parse(text);
      const found = entry[QUESTIONS.find((name) => name in entry) ?? ""];
      if (found) return { text: typeof found === "string" ? found : JSON.stringify(found) };
    } catch {}
  const [head, ...rows] = text
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => line.split(/[,;\t]/).map((cell) => cell.replace(/^["'\s]+|["'\s]+$/g, "")));
  const place = head?.findIndex((name) => QUESTIONS.includes(name.toLowerCase())) ?? -1;
  if (place < 0) return { text };
  return rows.length === 1 ? { text: rows[0][place] ?? "" } : { text, problem: yourWords.table(rows.length) };
}

/** A text in which nothing is a dot, and yes and no are 1 and 0, however Python or JSON write them.
 * @param {string} text */
const valued = (text) =>
  text
    .replaceAll("\\n", "\n")
    .replace(/\b(None|null|nan|NaN)\b/g, ".")
    .replace(/\b[Ff]alse\b/g, "0")
    .replace(/\b[Tt]rue\b/g, "1");

/** A list as Python, JSON and numpy print it, with a line for each innermost bracket; another text as it is.
 * @param {string} text */
const listed = (text) =>
  text
    .replace(/,\s*dtype=[^()]*|\b[a-z_]\w*\s*=\s*(?=[a-z[(])|(?<![\w.])[a-z_][\w.]*(?=\()/gi, "")
    .replace(/[[(]([^[\]()]*)[\])]/g, (_, /** @type {string} */ inner) => {
      const texts = inner.match(/"[^"]*"|'[^']*'/g) ?? [];
      const cells = inner.replace(/\s/g, " ").replace(/"\s*"|'\s*'/g, ".");
      const rows = texts.some((one) => one.length > 3) ? texts.join("\n") : cells;
      return `\n${rows.replace(/(^|[\s,])(\d+)\.0*(?=[\s,]|$)/g, "$1$2")}\n`;
    });

/** The lines of a text without comments, sections (`[Puzzle]`) and titles (`Grid 01`). @param {string} text */
const cellLines = (text) =>
  listed(
    valued(text)
      .replaceAll("/", "\n")
      .split(/\r?\n/)
      .filter((line) => !/^\s*(\[\s*[A-Za-z]\w|Grid\b)/.test(line))
      .map((line) => line.replace(/#.*/, ""))
      .join("\n"),
  )
    .replace(/[│┃║]/g, "|")
    .split("\n");

/** The cells of a line: between bars, tabs, commas or semicolons an empty one is a blank.
 * @param {string} line @param {number} width */
function rowOf(line, width) {
  for (const mark of "|\t,;") {
    const cells = (mark === "|" ? line.trim().replace(/^\|+|\|+$/g, "") : line).split(mark).map(bare);
    if (cells.length === width && cells.every((cell) => cell.length < 2))
      return cells.map((cell) => cell || ".").join("");
  }
  return bare(line);
}

/** Rows that were broken alike, or one line of all cells that was, as they were before.
 * @param {string[]} rows @param {number} height @param {number} width */
function unwrapped(rows, height, width) {
  const letters = Array.from(rows.join(""));
  const sizes = rows.map((row) => Array.from(row).length);
  const alike = new Set(sizes.slice(0, -1)).size < 2 && (sizes.at(-1) ?? 0) <= sizes[0];
  const ends = sizes.map((_, at) => sizes.slice(0, at + 1).reduce((sum, size) => sum + size));
  const whole = Array.from({ length: height }, (_, row) => letters.slice(row * width, (row + 1) * width).join(""));
  const fits =
    letters.length === height * width && (alike || whole.every((_, row) => !row || ends.includes(row * width)));
  return fits ? whole : rows;
}

/** The rows of a text in which a space is a blank; none where that is not plain.
 * @param {string[]} lines @param {number} height @param {number} width @param {string} signs */
function spaced(lines, height, width, signs) {
  const rows = lines
    .map((line) => line.replace(/["'|,;[\]()]/g, ""))
    .filter((line) => !RULER.test(line.replaceAll(" ", "")))
    .map((line) => line.trimEnd().padEnd(Math.min(line.length, width)));
  while (rows.length > height && !rows.at(-1)?.trim()) rows.pop();
  while (rows.length > height && !rows[0].trim()) rows.shift();
  const plain =
    rows.length === height &&
    Math.max(...rows.map((row) => row.length)) === width &&
    new RegExp(`^[${signs} ]*$`).test(rows.join("")) &&
    !rows.every((row) => /^(\S(\x20\S)*)?$/.test(row.trimEnd()));
  return plain ? rows.map((row) => row.padEnd(width).replaceAll(" ", ".")) : null;
}

/** Rows of characters, or all in one line; what only divides them is passed over. In FEN numbers count empty cells.
 * @param {Board} board @param {string} written @returns {Typed} */
function readGrid(board, written) {
  const { width, height, tokens } = board;
  const queen = tokens.findIndex(({ glyph }) => glyph === "queen");
  const { text, problem } = onePuzzle(written);
  if (problem) return { problem };
  const list = listed(valued(text)).replace(/^[()[\]\s]+|[()[\]\s]+$/g, "");
  if (queen >= 0 && QUEEN_COLUMNS.test(list)) {
    const columns = (list.match(COLUMN) ?? []).map((one) => (one === "." ? -1 : Number(one)));
    if (![height, height * width].includes(columns.length) && list.includes(","))
      return { problem: yourWords.columns(columns.length, height) };
    if (columns.length === height && columns.some((column) => column < 0 || column > 1)) {
      const odd = columns.find((column) => column < -1 || column >= width);
      if (odd !== undefined) return { problem: yourWords.column(odd, width) };
      const row = ".".repeat(width);
      const queens = columns.map((at) => (at < 0 ? row : `${row.slice(0, at)}Q${row.slice(at + 1)}`));
      return readGrid(board, queens.join("/"));
    }
  }
  const lines = cellLines(queen < 0 ? text : text.replace(/\s[wb] [-KQkq]+ .*/, ""));
  const cells = lines.map((line) => rowOf(line, width)).filter(Boolean);
  const plain = cells.filter((row) => !RULER.test(row));
  // A row of dashes is one of blanks only where the others are not `height`.
  const dashed = cells.filter((row) => row.length === width || !RULER.test(row));
  const chosen = plain.length && (plain.length % height === 0 || dashed.length % height) ? plain : dashed;
  const counted = chosen.map((row) =>
    queen < 0 || [width, width * height].includes(row.length)
      ? row
      : row.replace(/[1-9]\d?/g, (count) => ".".repeat(Math.min(Number(count), width * height))),
  );
  let rows = unwrapped(counted, height, width);
  if (rows.length !== height || rows.some((row) => Array.from(row).length !== width))
    rows = spaced(lines, height, width, queen >= 0 ? "Qq" : width > 9 ? "1-9A-Ga-g" : "1-9") ?? rows;
  const visible = tokens.flatMap(({ symbol }, id) => (symbol && !board.blank.includes(id) ? [[symbol, id]] : []));
  /** @type {Map<string, number>} */
  const meaning = new Map(/** @type {[string, number][]} */ (visible));
  if (queen >= 0) for (const sign of "qQ1") meaning.set(sign, queen);
  const blanks = queen < 0 ? BLANKS : ".0_-";
  return meant(
    board,
    rows.map((row) => Array.from(row)),
    meaning,
    blanks,
  );
}

/** The tokens of rows of characters. @param {Board} board @param {string[][]} rows
 * @param {Map<string, number>} meaning @param {string} blanks characters that say nothing @returns {Typed} */
function meant(board, rows, meaning, blanks) {
  const { width, height } = board;
  const lengths = rows.map((row) => row.length);
  if (rows.length !== height || lengths.some((length) => length !== width))
    return { problem: yourWords.rows(lengths, height, width, blanks[0]) };
  const blank = Math.max(...board.blank);
  const x = [];
  for (const [at, written] of rows.flat().entries()) {
    const token =
      meaning.get(written) ?? meaning.get(written.toUpperCase()) ?? (blanks.includes(written) ? blank : undefined);
    if (token === undefined)
      return { problem: yourWords.character(placeName(board, at), written, [...meaning.keys()], blanks[0]) };
    x.push(token);
  }
  return { x };
}

/** Rows of # for ink, . for paper and ? for what is not given, of a picture of single pixels.
 * @param {Board} board @param {string} written @returns {Typed} */
function readPicture(board, written) {
  const { text, problem } = onePuzzle(written);
  if (problem) return { problem };
  const rows = listed(text.replaceAll("/", "\n")).split("\n");
  const [paper, ink] = [...board.tokens.keys()].filter((id) => !board.blank.includes(id));
  /** @type {Map<string, number>} */
  const meaning = new Map();
  for (const sign of "#1") meaning.set(sign, ink);
  for (const sign of ".0-") meaning.set(sign, paper);
  const cells = rows.map((row) => Array.from(bare(row))).filter((row) => row.length);
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

/** Edges of pairs of nodes; a list in which node 0 occurs counts from 0. @param {number[][]} pairs */
const pairsText = (pairs, first = pairs.flat().includes(0) ? 1 : 0) =>
  pairs.map(([a, b]) => `${a + first}-${b + first}`).join(" ");

/** The places of the ones in rows of 0 and 1. @param {string[]} rows */
const joinedNodes = (rows) =>
  rows.flatMap((row, a) => [...row].flatMap((one, b) => (one === "1" ? [[a + 1, b + 1]] : [])));

/** The rows of the matrix that a text in the form graph6 holds, or null. @param {string} line */
function graph6(line) {
  const [size, ...codes] = Array.from(line.replace(">>graph6<<", ""), (letter) => letter.charCodeAt(0) - 63);
  const fits = size > 1 && size < 63 && codes.length === Math.ceil((size * (size - 1)) / 12);
  if (!fits || codes.some((code) => code < 0 || code > 63)) return null;
  const bits = codes.map((code) => code.toString(2).padStart(6, "0")).join("");
  const bit = (/** @type {number} */ a, /** @type {number} */ b) =>
    a === b ? "0" : bits[(Math.max(a, b) * (Math.max(a, b) - 1)) / 2 + Math.min(a, b)];
  const nodes = [...Array(size).keys()];
  return nodes.map((a) => nodes.map((b) => bit(a, b)).join(""));
}

const NODE_PAIR = /^(\d{1,6})(?:\s*[,;]\s*|\s+)(\d{1,6})(?:\s*\{.*\}|(?:\s*[,;]|\s)\s*[-+]?[\d.]+(?:e[-+]?\d+)?)?\s*$/;

/** A file of DIMACS (`p edge 8 4`, then lines `e 1 2`), pairs of nodes, an adjacency matrix or graph6 as edges `1-2`;
 * another text as it is. @param {string} text @returns {{ text: string, count?: number, problem?: string }} */
function edgesOf(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const plain = lines.filter((line) => line && !/^([#%]|c(\s|$))/.test(line));
  if (/^p\s/.test(plain[0])) {
    const edges = plain.slice(1).map((line) => line.replace(/^e\s+(\d+)\s+(\d+)$/, "$1-$2"));
    return { text: edges.join("\n"), count: Number(plain[0].split(/\s+/)[2]) };
  }
  const inner = listed(valued(text))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /\w/.test(line));
  const rows = (plain.length === 1 && graph6(plain[0])) || inner.map((line) => line.replace(/[\s,;]/g, ""));
  if (rows.length > 2 && rows.every((row) => /^[01]+$/.test(row) && row.length === rows.length)) {
    const symmetric = rows.every((row, a) => row[a] === "0" && [...row].every((one, b) => one === rows[b][a]));
    return {
      text: pairsText(joinedNodes(rows)),
      count: rows.length,
      problem: symmetric ? undefined : yourWords.matrix,
    };
  }
  for (const list of [inner, plain]) {
    const pairs = list
      .filter((line, at) => at || !/^(source|from|u)\W+(target|to|v)\b/i.test(line))
      .map((line) => line.match(NODE_PAIR));
    if (pairs.length && pairs.every(Boolean))
      return { text: pairsText(pairs.map((pair) => [Number(pair?.[1]), Number(pair?.[2])])) };
  }
  return {
    text: text
      .replace(/(\d)[ \t]*(?:[-–—]+>?|→)[ \t]*(?=\d)/g, "$1-")
      .replace(/(\d)[ \t]*[=:][ \t]*(?=[a-z])/gi, "$1="),
  };
}

/** Edges of a graph and colors of its nodes: `1-2 2-3 3-1 1=B`, `no edges`, or a file of DIMACS.
 * @param {Board} board @param {string} written @returns {Typed} */
function readGraph({ size, tokens, blank, exclusive }, written) {
  const x = Array.from({ length: size }, () => Math.max(...blank));
  /** @type {Map<string, number[]>} */
  const edges = new Map();
  const one = onePuzzle(written);
  const { text, count = size, problem = one.problem } = edgesOf(one.text);
  if (problem) return { problem };
  if (count !== size) return { problem: yourWords.nodes(count, size) };
  for (const piece of text
    .replace(/^\s*no edges\b/, "")
    .split(/[\s,;]+/)
    .filter(Boolean)) {
    const [, first, second, node, color] = piece.match(/^(?:(\d+)-(\d+)|(\d+)=([a-z]+))$/i) ?? [];
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
  text.length > LONGEST
    ? { problem: yourWords.long(text.length, LONGEST) }
    : { graph: readGraph, image: readPicture, grid: readGrid }[board.kind](board, text);
