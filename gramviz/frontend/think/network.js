// A model of gram.program on the kernel (gramviz/kernel/kernel.c): lays sizes, relations and weights out in its memory,
// and runs rows of one puzzle. It knows nothing of the page: a worker imports it, and so do the tests in node.

/**
 * `gram.program.Program.meta`.
 * @typedef {object} ProgramMeta
 * @property {string} name
 * @property {string} model
 * @property {number} features
 * @property {number} hidden
 * @property {number} guidance_hidden 0: it does not sample
 * @property {number} low_steps
 * @property {number} high_steps
 * @property {number} heads of the attention to peers; 0: none
 * @property {number} networks
 * @property {number} norm_eps
 * @property {number} log_sigma_cap
 * @property {number} mean_cap
 * @property {number[]} symbols tokens that are interchangeable
 * @property {string[]} kinds of relations, those that a puzzle decides last
 * @property {string[]} peer_kinds
 * @property {number} supervision_steps of its own configuration
 * @property {number} depth transitions that are run unless others are asked for
 * @property {{ places: number, groups: Record<string, number[][]>, own: string[] }} relations a place hears the groups
 *   that it is in; of a kind in `own`, the group of its number
 * @property {Record<string, number>} tokens logits of tokens that are no symbols
 * @property {string} checkpoint sha256 of the published weights, before they were rounded
 * @property {string} sha256
 */
/**
 * What is asked: tokens at the places, those that say nothing, and of a graph its edges.
 * @typedef {object} Question
 * @property {number[]} x
 * @property {number[]} blank
 * @property {number[][]} edges
 * @property {number} kinds how many tokens there are
 */
/**
 * The exports of the kernel.
 * @typedef {object} Kernel
 * @property {{ value: number }} __heap_base
 * @property {(sizes: number, weights: number, scratch: number) => number} init
 * @property {(rows: number, h: number, l: number) => void} start
 * @property {(rows: number, h: number, l: number, seen: number, eps: number, noise: number, equal: number) => void}
 *   step
 * @property {(rows: number, h: number, logits: number) => void} decode
 * @property {(out: number, count: number, seed: number, puzzle: number, trajectory: number, at: number) => void}
 *   normals
 * @property {(out: number, c0: number, c1: number, c2: number, c3: number, k0: number, k1: number) => void} philox
 */
/** A group of places, scaled as `gram.models.relations.scaled` does.
 * @typedef {{ groups: number[][], hears: number[][] }} Relation */

const PAGE = 65_536; // bytes of a page of WebAssembly's memory
const CLOSED = -1e30; // added to the score of a peer that is none
const [THIS, OTHER, UNKNOWN] = [0, 1, 2]; // rows of the embedding

/** Float16 as float32: the exponent is moved by that of 2 ** 112, which is right below the normal numbers too.
 * @param {Uint16Array} halves */
function widen(halves) {
  const words = new Uint32Array(halves.length);
  for (let k = 0; k < halves.length; k += 1) words[k] = ((halves[k] & 0x8000) << 16) | ((halves[k] & 0x7fff) << 13);
  const numbers = new Float32Array(words.buffer);
  for (let k = 0; k < numbers.length; k += 1) numbers[k] *= 2 ** 112;
  return numbers;
}

/** The relations of each kind, in the order of `kinds`; those of a graph's nodes follow from its edges.
 * @param {ProgramMeta} program @param {number[][]} edges @returns {Relation[]} */
function relationsOf({ kinds, relations: { places, groups, own } }, edges) {
  const all = Array.from({ length: places }, (_, place) => place);
  const joined = new Set(edges.flatMap(([a, b]) => [a * places + b, b * places + a]));
  return kinds.map((kind) => {
    const near = kind === "neighbors";
    const found = groups[kind] ?? all.map((a) => all.filter((b) => a !== b && joined.has(a * places + b) === near));
    const each = !groups[kind] || own.includes(kind);
    const inside = (/** @type {number} */ place) => [...found.keys()].filter((g) => found[g].includes(place));
    return { groups: found, hears: all.map((place) => (each ? [place] : inside(place))) };
  });
}

/** A peer of a place, and the kinds (as places of `peer_kinds`) that join them. @typedef {[number, number[]]} Peer */

/** Of each place those that it attends to. @param {ProgramMeta} program @returns {Peer[][]} */
function peersOf({ peer_kinds: kinds, relations: { places, groups } }) {
  return Array.from({ length: places }, (_, a) => {
    /** @type {Map<number, number[]>} */
    const found = new Map([[a, [0]]]);
    for (const [k, kind] of kinds.entries())
      for (const b of new Set((groups[kind] ?? []).filter((group) => group.includes(a)).flat()))
        if (b !== a) found.set(b, [...(found.get(b) ?? []), k]);
    return [...found].sort(([b], [c]) => b - c);
  });
}

/** Lists one after another, with where each begins. @param {number[][]} lists */
function flattened(lists) {
  const first = [0];
  for (const list of lists) first.push(first[first.length - 1] + list.length);
  return [first, lists.flat()];
}

/** What `init` reads: sizes, relations, peers. @param {ProgramMeta} program @param {Relation[]} relations
 * @param {Peer[][]} peers @returns {ArrayBuffer} */
function layOutSizes(program, relations, peers) {
  const most = program.heads ? Math.max(...peers.map((row) => row.length)) : 0;
  const { features, hidden, guidance_hidden: guidance, low_steps: low, kinds, heads, networks } = program;
  const { places } = program.relations;
  const sizes = [places, program.symbols.length, features, hidden, guidance, low, kinds.length, heads, most];
  sizes.push(features >> 2, features >> 1, networks, 0, 0, 0);
  /** @type {[number, number][]} where numbers that are not whole stand */
  const scales = [
    [12, program.norm_eps],
    [13, program.log_sigma_cap],
    [14, program.mean_cap],
  ];
  for (const { groups, hears } of relations) {
    const [first, members] = flattened(groups);
    sizes.push(groups.length, ...first, ...members);
    for (const group of groups) {
      scales.push([sizes.length, 1 / Math.sqrt(Math.max(1, group.length))]);
      sizes.push(0);
    }
    sizes.push(...flattened(hears).flat());
  }
  // A place with fewer peers than others attends to itself once more, closed.
  if (most)
    peers.forEach((row, place) => {
      for (let j = 0; j < most; j += 1) sizes.push(row[j]?.[0] ?? place);
    });
  const buffer = Int32Array.from(sizes).buffer;
  const floats = new Float32Array(buffer);
  for (const [at, value] of scales) floats[at] = value;
  return buffer;
}

/** The weights in float32; the bias of a pair of peers is the sum of those of its kinds.
 * @param {ProgramMeta} program @param {Uint16Array} weights @param {Peer[][]} peers */
function layOutWeights(program, weights, peers) {
  const { features: d, hidden, heads, kinds, networks, symbols } = program;
  const plain = widen(weights);
  if (!heads) return plain;
  const most = Math.max(...peers.map((row) => row.length));
  const squares = 1 + kinds.length + Number(symbols.length > 1);
  const own = squares * d * d + 3 * d * hidden + heads * d * (2 * (d >> 2) + 2 * (d >> 1));
  const count = program.peer_kinds.length;
  /** @type {number[]} */
  const out = [];
  let at = 6 * d; // the embedding's three rows, the decoder, and the two initial states
  for (let k = 0; k < at; k += 1) out.push(plain[k]);
  for (let network = 0; network < networks; network += 1) {
    for (let k = 0; k < own; k += 1) out.push(plain[at + k]);
    at += own;
    for (let head = 0; head < heads; head += 1)
      for (const row of peers)
        for (let j = 0; j < most; j += 1)
          out.push(row[j] ? row[j][1].reduce((sum, kind) => sum + plain[at + head * count + kind], 0) : CLOSED);
    at += heads * count;
  }
  for (; at < plain.length; at += 1) out.push(plain[at]);
  return Float32Array.from(out);
}

/** What the puzzle says of each symbol at each place. @param {ProgramMeta} program @param {Question} question */
const seenBy = ({ symbols, relations: { places } }, { x, blank }) =>
  Uint8Array.from({ length: places * symbols.length }, (_, k) => {
    const token = x[Math.floor(k / symbols.length)];
    if (token === symbols[k % symbols.length]) return THIS;
    return blank.includes(token) ? UNKNOWN : OTHER;
  });

/**
 * Rows of one puzzle, from their initial states on.
 * @param {WebAssembly.Module} module
 * @param {ProgramMeta} program
 * @param {Uint16Array} weights
 * @param {Question} question
 * @param {{ from: number, to: number, seed: number, noise: number }} rows trajectories from, to (without), of one seed
 */
export function createNetwork(module, program, weights, question, { from, to, seed, noise }) {
  const rows = to - from;
  const { symbols, features } = program;
  const { places } = program.relations;
  const relations = relationsOf(program, question.edges);
  const peers = program.heads ? peersOf(program) : [];
  const state = places * symbols.length * features;
  const memory = new WebAssembly.Memory({ initial: 4 });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernel = /** @type {Kernel} */ (/** @type {unknown} */ (exports));
  let free = kernel.__heap_base.value;
  /** Room of this many bytes. @param {number} bytes */
  function room(bytes) {
    const at = (free + 15) & ~15;
    free = at + bytes;
    const missing = Math.ceil((free - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
    return at;
  }
  /** @param {ArrayBufferView | ArrayBuffer} data */
  function place(data) {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, 0, data.byteLength);
    const at = room(bytes.byteLength);
    new Uint8Array(memory.buffer).set(bytes, at);
    return at;
  }
  const sizes = place(layOutSizes(program, relations, peers));
  const values = place(layOutWeights(program, weights, peers));
  const seen = place(seenBy(program, question));
  const scratch = room(0);
  room(kernel.init(sizes, values, scratch) - scratch);
  const [h, l, eps] = [room(4 * rows * state), room(4 * rows * state), room(4 * rows * state)];
  const logits = room(4 * rows * places * symbols.length);
  /** @param {number} at @param {number} count */
  const view = (at, count) => new Float32Array(memory.buffer, at, count);
  kernel.start(rows, h, l);
  let done = 0;
  return {
    rows,
    /** The states [row, place, symbol, feature], high-level and low-level. */
    h: view(h, rows * state),
    l: view(l, rows * state),
    /** Logits of the symbols [row, place, symbol]. */
    logits() {
      kernel.decode(rows, h, logits);
      return view(logits, rows * places * symbols.length);
    },
    /** One transition. */
    step() {
      if (program.guidance_hidden && noise)
        for (let row = 0; row < rows; row += 1) kernel.normals(eps + 4 * row * state, state, seed, 0, from + row, done);
      kernel.step(rows, h, l, seen, eps, noise, Number(!done)); // rows start equal
      done += 1;
    },
    kernel,
    memory,
  };
}
