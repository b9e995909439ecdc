// Every sentence that the explorer shows or speaks, in one table: read aloud in one place, translated in one place.

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Text from a file, made fit to show: no control or direction-override characters, and at most `limit` long. */
export function clean(text, limit = 200) {
  const plain = String(text ?? "").replace(UNSAFE, "");
  return plain.length > limit ? `${plain.slice(0, limit - 1)}…` : plain;
}

/** A number with three significant figures, as a reader writes it; `–` where there is none. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.01 || size === 0) return value.toFixed(2);
  return size >= 0.001 ? value.toPrecision(1) : value.toExponential(0);
}

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
const joined = (items) => (items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`);

export const words = {
  plural,
  joined,
  reading: "Reading the rollout …",
  newer: (format) => `This page was made by a newer gramviz (format ${format}). Update gramviz to open it.`,
  damaged: "The data of this page is damaged (checksum).",
  failed: (message) => `This part failed: ${message}. The others still work.`,
  region: (title, puzzle, runs) =>
    `Explorer: ${title} puzzle ${puzzle}, ${runs.map((run) => `${run.letter} ${run.name} ${plural(run.n, "path")}`).join(", ")}`,
  puzzle: (index, count) => `puzzle ${index + 1} of ${count}`,
  paths: (count) => plural(count, "path"),
  correct: (right, all) => `${right} of ${all} correct`,
  runHint: (name, several) => (several ? `${name}: click to focus, Ctrl+click to hide or show` : name),
  transport: "Transport",
  answer: (letter) => `answer ${letter ?? "of its own"}`,
  answerShare: (count, letter) => `${count} answer ${letter ?? "of its own"}`,
  onePlaneEach: (label) => `${label}, one plane per run`,
  oneBasis: (label, letters) => `${label}, one basis for ${joined(letters)}`,
  tokenShare: (label, count, all) => `${label} in ${count} of ${all}`,
  tally: (letter, right, all) => `${letter}: ${right} of ${all} correct`,
  described: (title, basis, tallies, share, warning) =>
    `${title}, ${basis}. ${joined(tallies)}. ${percent(share)} of the variance is in this plane. ${warning}`,
  pathName: (run, index) => (run.n === 1 ? run.letter : `${run.letter} #${index}`),

  // board
  givens: "No givens: the board is generated.",
  board: { title: "Board", differ: "A ≠ B", preview: (name) => `preview ${name}`, all: (count) => `All ${count}` },
  legend: { given: "given", changed: "changed", conflict: "conflict", certainty: "certainty", agreement: "agreement" },
  noCertainty: "certainty not recorded",
  low: "The answer is decoded from h; it changes at the end of the transition.",
  distance: (count, one, other) =>
    count ? `${one} and ${other} differ in ${plural(count, "cell")}` : `${one} and ${other} show the same board`,
  small: (name) => `small: ${name}`,
  agreement: (count) => `background: share of the ${count} paths that agree`,

  // map
  map: {
    title: "Map",
    lasso: "Lasso",
    fit: "Fit",
    axis: (component, share) => `PC ${component}   ${percent(share)} of variance`,
    plane: (share) => `In this plane ${percent(share)}`,
    here: (share) => `here ${percent(share, 0)}`,
    outside: "much lies outside",
    halo: "halo: energy outside",
    apart: (letters) => `${joined(letters)} were trained apart: distances between them mean nothing.`,
    none: "This rollout has no map: it holds neither h nor answers that differ.",
    lassoed: (count, parts) => `${plural(count, "path")}: ${joined(parts)}`,
    wheel: "Click the map, then zoom with the wheel.",
    narrow: "Widen this cell to see the map.",
    few: (drawn, all) => `Drawing ${drawn} of ${all} paths, evenly chosen`,
  },

  // time
  time: {
    step: (address) => (address === "init" ? "Init" : `Step ${address}`),
    of: (level, index, last) => `${level.toLowerCase()} ${index} of ${last}`,
    events: "Events",
    short: { events: "Events", supervision: "Step", transition: "Changes", low: "Low" },
    changed: (level) => `${level}, cells changed`,
    one: "This rollout has one step.",
    noLow: "Low-level steps were not recorded. Record(low=True) keeps them.",
    speed: (speed) => `${speed} per s`,
    loop: (from, to) => `Loop ${from} to ${to}`,
    part: (a, b) => `${a} and ${b} part`,
    partAt: (a, b, place) => `${a} and ${b} part here; the first difference that lasts is at ${place}.`,
    same: (a, b) => `${a} and ${b} reach the same answer.`,
    correct: (name) => `${name} first correct`,
    halts: (name) => `${name} halts`,
    ended: (letter, address) => `${letter} ended at ${address}`,
    spoken: (step, place, changed, conflicts) =>
      `${step}, ${place}, ${plural(changed, "cell")} changed${conflicts === null ? "" : `, ${plural(conflicts, "conflict")}`}`,
  },
  buttons: {
    start: "Start",
    back: "Back one transition",
    play: "Play",
    pause: "Pause",
    forward: "Forward one transition",
    end: "End",
    change: "Next change",
    correct: "First correct",
    halt: "Halt",
    part: "Where paths part",
    go: "Go to",
    loop: "Loop",
    speed: "Speed",
    colour: "Colour by",
    view: "View",
    export: "Export",
    keys: "Keys",
    close: "Close",
  },
  jump: {
    change: "Nothing changes after this step.",
    correct: (name) => `${name} never shows a correct answer.`,
    halt: (name) => `${name} does not halt in this rollout.`,
    part: "Pin a path (P) to see where another parts from it.",
  },

  // answers
  answers: {
    title: "Answers",
    final: "Final",
    at: (address) => (address === "init" ? "At init" : `At ${address}`),
    right: "correct",
    other: "valid, not the given solution",
    conflicts: (count) => (count ? plural(count, "conflict") : "not valid"),
    unfinished: "not finished",
    unknown: "outcome unknown",
    between: "on the way",
    others: (count) => plural(count, "other"),
    sorted: (count) => `${plural(count, "path")}, sorted by answer`,
    some: (drawn, all) => `${drawn} of ${all} paths, evenly chosen`,
    chosen: "Chosen by",
    majority: "majority",
    value: "value",
    oracle: "oracle",
    oracleNote: "The oracle knows the answer.",
    alone: (name) => `${name} alone`,
    found: (count, known) => (known ? `Solutions found: ${count} of ${known}` : `Solutions found: ${count}`),
    same: (count) => `All ${count} paths reach the same answer.`,
    all: (count) => `${count} paths, ${count} answers`,
    noValid: "Outcome unknown: this rollout has no `valid`.",
  },
  outcomes: ["wrong", "correct", "not finished", "unknown"],

  // curves: name, second line of the gutter
  curves: {
    certainty: ["Certainty", "mean over cells"],
    conflicts: ["Conflicts", "violated rules"],
    drift: ["Drift", "|h(t) − h(t−1)|"],
    changed: ["Cells changed", "per transition"],
    halt: ["Halt", "probability"],
    value: ["Value", "predicted to be right"],
    kl: ["KL", "nats"],
    spread: ["Spread", "from the centre"],
  },
  colours: {
    outcome: "Outcome",
    answer: "Answer",
    run: "Run",
    value: "Value",
    certainty: "Certainty",
    step: "Step",
    cell: (place) => `Token of ${place}`,
  },
  layers: { halo: "Halos", labels: "Labels", hulls: "Answer outlines", trail: "Trail of changes", truth: "Show truth" },
  themes: { auto: "Auto", light: "Light", dark: "Dark" },
  view: {
    curves: "Curves",
    layers: "Layers",
    basis: "Map",
    theme: "Theme",
    calm: "Calm motion",
    table: "Table",
    also: "Also",
  },
  haloForced: "always on while less than 80 % lies in the plane",

  // details
  cell: {
    given: "given",
    guess: "guess",
    now: (place, label) => `${place} is ${label}`,
    changed: (place, before, after) => `${place} changed ${before} to ${after}`,
    certainty: (value) => `certainty ${value.toFixed(2)}`,
    next: (label, value) => `(next: ${label} at ${value.toFixed(2)})`,
    conflict: (places) => `In conflict with ${joined(places)}.`,
    breaks: "Breaks a rule.",
    other: (name, label) => `${name} has ${label} here.`,
    truth: (label) => `The given solution has ${label}.`,
    share: (place, parts) => `${place}: ${parts.join(", ")}.`,
  },
  path: { settled: "settled", wandering: "wandering", answer: (letter, label) => `${words.answer(letter)}, ${label}` },
  settledStep: (step, changed, before, after) =>
    `${step}: ${plural(changed, "cell")} changed${before === null ? "" : before === after ? `, ${plural(after, "conflict")}` : `, conflicts ${before} to ${after}`}.`,
  keysHint: "? for keys",
  clamped: (key) => `The saved view named ${key} that this rollout does not have; the nearest was taken.`,

  // export
  exports: {
    png: "Picture (PNG)",
    csv: "Data (CSV)",
    python: "Copy as Python",
    json: "Copy view (JSON)",
    movie: "GIF or MP4",
    needsPython: "Needs Python: `gramviz movie`, which this version does not have yet.",
    copied: "Copied.",
    refused: "Press Ctrl+C",
    saved: (name) => `Saved ${name}.`,
  },
  /** What `?` shows: [keys, what they do]. */
  keyTable: (several, low) => [
    ["Space, K", "play or pause"],
    ["J / L, ← / →", "transition back or forward"],
    ["Shift+J / Shift+L", "supervision step back or forward"],
    ...(low ? [[", / .", "low-level step back or forward"]] : []),
    ["Home / End", "init, last step"],
    ["N / Shift+N", "next, previous change"],
    ["F, H, W", "first correct, halt, where paths part"],
    ["[ / ]", "slower, faster"],
    ["U", "loop"],
    [several ? "A B C D" : "A", "focus a run; again: its next path"],
    ...(several ? [["Shift+A … D", "show or hide a run"]] : []),
    ["M, X", "board: all paths, A ≠ B"],
    ["P", "pin the focused path"],
    ["1-9, 0", "only this token; all"],
    ["Q / Shift+Q", "next, previous “Colour by”"],
    ["Z, + / −", "map: fit, zoom"],
    ["Arrows", "inside board, map or list: move there"],
    ["Enter, Ctrl+Enter", "choose; add to the choice"],
    ["Ctrl+A", "choose all paths"],
    ["Esc", "one step back: sheet, lasso, cells, choice, filter"],
    ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"],
    ["V, E, T, ?", "view, export, table, keys"],
    ["S, Y", "speak the state; copy as Python"],
    ["Drag time", "scrub; Alt: low-level steps; Shift on the ruler: loop"],
    ["Drag map or lane", "with Shift: choose paths; Ctrl adds, Alt takes away"],
  ],
  table: {
    title: "Table",
    page: (page, pages) => `Page ${page} of ${pages}`,
    previous: "Previous page",
    next: "Next page",
    columns: ["Step", "Path", "Answer", "Certainty", "Conflicts", "Drift"],
  },
};
