// Every sentence that the explorer shows or speaks, in one table: read aloud in one place, translated in one place.

import { contract } from "./contract.js";

const RANGES = contract.forbidden.map((ends) => ends.map((end) => `\\u{${end}}`).join("-"));
const FORBIDDEN = new RegExp(`[${RANGES.join("")}]`, "gu");

/** Text from a file, made fit to show: no forbidden characters, no line ends, at most `limit` characters.
 * @param {unknown} text */
export function clean(text, limit = contract.limits.title) {
  const kept = [...String(text ?? "").replace(/[\n\r\t]/g, " ").replace(FORBIDDEN, "")];
  return kept.length > limit ? `${kept.slice(0, limit - 1).join("")}…` : kept.join("");
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
    [`Explorer: ${title} puzzle ${puzzle}`, ...runs.map((run) => `${run.letter} ${run.name} ${plural(run.n, "path")}`)].join(
      ", ",
    ),
  puzzle: (index, count) => `puzzle ${index + 1} of ${count}`,
  provenance: (run) =>
    `${run.letter} ${run.name}: ${run.model}, ${plural(run.n, "path")}, seed ${run.seed}, checkpoint ${String(run.checkpoint || "not named").slice(0, 12)}, rollout ${String(run.hash).slice(0, 12)}.`,
  paths: (count) => plural(count, "path"),
  correct: (right, all) => `${right} of ${all} correct`,
  runHint: (name, several) => (several ? `${name}: click to focus, Ctrl+click to hide or show` : name),
  transport: "Transport",
  answer: (letter) => `answer ${letter ?? "of its own"}`,
  answerShare: (count, letter) => `${count} answer ${letter ?? "of its own"}`,
  onePlaneEach: (label) => `${label}, one plane per run`,
  oneBasis: (label, letters) => `${label}, one basis for ${joined(letters)}`,
  tokenShare: (label, count, all) => `${label} in ${count} of ${all}`,
  tally: (letter, right, all) => `${letter}: ${right === null ? plural(all, "path") : words.correct(right, all)}`,
  described: (title, basis, tallies, share, warning, deep) =>
    `${title}, ${basis}${deep ? ", in 3-D" : ""}. ${joined(tallies)}. ${percent(share)} of the variance is in this ${deep ? "space" : "plane"}. ${warning}`,
  pathName: (run, index) => (run.n === 1 ? run.letter : `${run.letter} #${index}`),

  // board
  givens: "No givens: the board is generated.",
  board: { title: "Board", differ: "A ≠ B", preview: (name) => `preview ${name}`, all: (count) => `All ${count}` },
  legend: { given: "given", changed: "changed", conflict: "conflict", certainty: "certainty", doubt: "doubt", agreement: "agreement" },
  noCertainty: "certainty not recorded",
  pair: {
    input: (rows, columns) => `input, ${rows} × ${columns}`,
    answer: (rows, columns) => (rows ? `answer, ${rows} × ${columns}` : "answer, no grid"),
    wrong: "not as in the solution",
    agreement: (count) => `bar: share of the ${count} paths that show this color`,
  },
  low: "The answer is decoded from h; it changes at the end of the transition.",
  distance: (count, one, other) =>
    count ? `${one} and ${other} differ in ${plural(count, "cell")}` : `${one} and ${other} show the same board`,
  small: (name) => `small: ${name}`,
  agreement: (count) => `background: share of the ${count} paths that agree`,

  // map
  map: {
    title: "Map",
    lasso: "Lasso",
    deep: "3-D",
    flat: "This map has fewer than three dimensions.",
    fit: "Fit",
    // What chance drew is no principal component.
    component: (number, { name }) => `${name === "random" ? "Direction" : "PC"} ${number}`,
    axis: (number, share, basis) => `${words.map.component(number, basis)}   ${percent(share)} of variance`,
    axes: (shares, short, basis) =>
      short
        ? shares.map((share) => percent(share)).join(", ")
        : shares.map((share, axis) => `${words.map.component(axis + 1, basis)} ${percent(share)}`).join(", ") +
          " of variance",
    plane: (share, deep) => `In this ${deep ? "space" : "plane"} ${percent(share)}`,
    cloud: "lines round 50 and 90 % of the density",
    here: (share) => `here ${percent(share, 0)}`,
    outside: "much lies outside",
    halo: "halo: energy outside",
    apart: (letters) => `${joined(letters)} were trained apart: distances between them mean nothing.`,
    landscape: (unit) => `loss in ${unit}, between recorded states; blank where none came near`,
    noLandscape: "No landscape for this plane.",
    noDepth: "No landscape in 3-D.",
    noH: "This rollout has no h. Record(h=True) keeps it. Distances between answers are shown instead.",
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
    from: (address) => `A loop begins at ${address}. Go to its end and press Enter; Esc forgets it.`,
    noLoop: "A loop that ends where it begins is none.",
    part: (a, b) => `${a} and ${b} part`,
    partAt: (a, b, place) => `${a} and ${b} part here; the first difference that lasts is at ${place}.`,
    same: (a, b) => `${a} and ${b} reach the same answer.`,
    correct: (name) => `${name} first correct`,
    halts: (name) => `${name} would halt`,
    ended: (letter, address) => `${letter} ended at ${address}`,
    spoken: (step, place, changed, conflicts, ruled) =>
      `${step}, ${place}, ${plural(changed, "cell")} changed` +
      (conflicts === null ? "" : `, ${words.faults(conflicts, ruled)}`),
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
    color: "Color by",
    view: "View",
    export: "Export",
    keys: "Keys",
    close: "Close",
  },
  jump: {
    change: "Nothing changes after this step.",
    correct: (name) => `${name} never shows a correct answer.`,
    halt: (name) => `${name} would not halt in this rollout.`,
    part: "Pin a path (P) to see where another parts from it.",
  },

  // answers
  answers: {
    title: "Answers",
    final: "Final",
    at: (address) => (address === "init" ? "At init" : `At ${address}`),
    right: "correct",
    other: "valid, not the given solution",
    conflicts: (count, ruled) => (count ? words.faults(count, ruled) : "not valid"),
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
    picture: "A picture is neither right nor wrong.",
  },
  tree: {
    title: "Tree",
    caption: (now, at, all) =>
      `${plural(now, "branch", "branches")} at ${at}, ${plural(all, "answer")}`,
    branch: (count, at) => `${plural(count, "path")} that part about ${at}`,
    leaf: (count, letter, outcome) => `${plural(count, "path")}: ${words.answer(letter)}, ${outcome}`,
    fork: (at, place) => `They part about ${at}, first in ${place}.`,
  },
  explain: {
    none: "Only Sudoku has rules that this explains.",
    known: "Known are the givens, and the cells free of conflict that the step leaves as they are.",
    reasons: {
      given: "the given again",
      erased: "erased",
      contradicts: "contradicts another cell",
      naked: "naked single",
      box: "hidden single in its box",
      row: "hidden single in its row",
      column: "hidden single in its column",
      locked: "single after pairs and pointing",
      rules: "follows from the rules, by search",
      guess: "guess",
    },
    legend: { contradicts: "contradicts", hidden: "hidden single", locked: "after pairs", rules: "by search" },
    became: (place, label, reason) => `${place[0].toUpperCase()}${place.slice(1)} became ${label}: ${words.explain.reasons[reason]}.`,
    tally: (all, { follow, erased, contradicts, guess }) => {
      const parts = [
        follow && `${follow} follow${follow > 1 ? "" : "s"}`,
        erased && `${erased} erased`,
        contradicts && `${contradicts} contradict${contradicts > 1 ? "" : "s"}`,
        guess && plural(guess, "guess", "guesses"),
      ].filter(Boolean);
      return `${plural(all, "change")}${parts.length ? ": " : ""}${parts.join(", ")}`;
    },
  },
  outcomes: ["wrong", "correct", "not finished", "unknown", "drawn"],

  // curves: name, second line of the gutter
  curves: {
    certainty: ["Certainty", "mean over cells"],
    conflicts: ["Conflicts", "violated rules"],
    drift: ["Drift", "|h(t) − h(t−1)|"],
    changed: ["Cells changed", "per transition"],
    halt: ["Halt", "probability"],
    value: ["Value", "predicted to be right"],
    kl: ["KL", "nats"],
    spread: ["Spread", "from the center"],
  },
  lane: "Drag it, or press Alt+↑ or Alt+↓: another place. Click: three times as high.",
  /** Of a board without rules a cell can only differ from the known answer. */
  faults: (count, ruled) => plural(count, ruled ? "conflict" : "wrong cell"),
  curve: (name, ruled, tick = "transition") =>
    name === "conflicts" && !ruled
      ? ["Wrong cells", "not as in the solution"]
      : words.curves[name].map((text) => text.replace("transition", tick)),
  colors: {
    outcome: "Outcome",
    answer: "Answer",
    run: "Run",
    value: "Value",
    certainty: "Certainty",
    step: "Step",
    cell: (place) => `Token of ${place}`,
  },
  layers: { halo: "Halos", labels: "Labels", landscape: "Loss landscape", cloud: "Cloud", hulls: "Answer outlines", trail: "Trail of changes", truth: "Show truth", explain: "Explain this step" },
  themes: { auto: "Auto", light: "Light", dark: "Dark" },
  view: {
    curves: "Curves",
    tall: "All three times as high",
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
    wrong: "Not as in the solution.",
    other: (name, label) => `${name} has ${label} here.`,
    truth: (label) => `The given solution has ${label}.`,
    nearest: (name, count) => `nearest ${name}, ${plural(count, "cell")} away`,
    share: (place, parts) => `${place}: ${parts.join(", ")}.`,
  },
  path: { settled: "settled", wandering: "wandering", answer: (letter, label) => `${words.answer(letter)}, ${label}` },
  edit: {
    title: "Model",
    puzzle: "Edit the puzzle",
    how: (count) =>
      `Choose a cell and type what is given there; 0 takes it away. ${plural(count, "cell")} changed. Enter draws every run anew, Esc leaves.`,
    choose: "Choose a cell first.",
    none: "Nothing is changed yet.",
    blank: "blank",
    rerun: "Rerun",
    leave: "Leave",
    branch: (name, at) => `Branch ${name} from ${at}`,
    towards: (name) => `… half way to ${name ?? "the pinned path"}`,
    along: (component) => `… one deviation along PC ${component}`,
    pin: "Pin another path of the same model first (P).",
    compare: "+ Compare",
    other: "Another run of this puzzle",
    full: "Four runs are shown, and there is no room for more.",
    lend: "Needs another rollout: gv.explore(rollout, others={\"TRM\": trm})",
    cell: (name) => `PCA of ${name ?? "one cell"}`,
    plane: "Choose a cell on the board first.",
    rollout: "Needs the rollout: gv.explore(rollout)",
    kernel: "Needs a kernel: open the rollout in JupyterLab.",
    model: "Needs a model: gv.explore(rollout, rerun=gram.rerun)",
    beside: "This puzzle stands beside its answer.",
    asked: "Asking the kernel …",
    busy: "The model is at work; the page goes on when it is done.",
    silent: "No answer from the kernel. It may be busy.",
  },
  settledStep: (step, changed, before, after, ruled) =>
    `${step}: ${plural(changed, "cell")} changed` +
    (before === null ? "." : before === after ? `, ${words.faults(after, ruled)}.` : `, ${words.faults(2, ruled).slice(2)} ${before} to ${after}.`),
  keysHint: "? for keys",
  unknownKey: (key) => `The state has no key ${key}; it was left out.`,
  refused: (key) => `The saved view has a value of ${key} that no view can have; the opening view's was taken.`,
  clamped: (key) => `The saved view named ${key} that this rollout does not have; the nearest was taken.`,

  history: {
    title: (cell) => `Cell ${cell}`,
    unit: "share of paths",
    others: "others",
    spoken: (place, count, parts) => `History of ${place} over ${plural(count, "path")}; now ${joined(parts)}`,
  },
  lesson: {
    title: "Lesson",
    automatic: "Chapters from this rollout",
    presenter: "Presenter",
    back: "Back",
    next: "Next",
    of: (index, all) => `${index} of ${all}`,
    start: "Here every path starts. **Next** goes on.",
    part: (a, b) => `Here ${a} and ${b} part: from now on each is nearer to its own answer.`,
    correct: (name) => `Here ${name} is correct for the first time.`,
    end: "This is how it ends.",
    takeCell: "My answer is the chosen cell",
    takePath: "My answer is the focused path",
    again: "Not that one. Try once more.",
    right: "Right.",
    wrong: "It was {answer}.",
    none: "none",
    skipped: "Skipped.",
    locked: "Answer first, or press Esc to skip.",
    score: (hits, all) => `${hits} of ${all} right.`,
  },

  // export
  exports: {
    png: "Picture (PNG)",
    svg: "Drawing (SVG)",
    webm: "Film (WebM)",
    noVideo: "This browser cannot record video.",
    filming: (index, all) => `Recording picture ${index + 1} of ${all}. Esc stops.`,
    stopped: "The film was stopped; nothing was saved.",
    csv: "Data (CSV)",
    python: "Copy as Python",
    json: "Copy view (JSON)",
    movie: "GIF or WebP",
    needsPython: "Needs Python: gramviz movie ROLLOUT -o film.gif",
    copied: "Copied.",
    refused: "Press Ctrl+C",
    saved: (name) => `Saved ${name}.`,
  },
  /** What `?` shows: [keys, what they do]. */
  keyTable: (several, low, level) => [
    ["Space, K", "play or pause"],
    ["J / L, ← / →", "transition back or forward"],
    ["Shift+J / Shift+L", `${level} back or forward`],
    ...(low ? [[", / .", "low-level step back or forward"]] : []),
    ["Home / End", "init, last step"],
    ["N / Shift+N", "next, previous change"],
    ["F, H, W", "first correct, halt, where paths part"],
    ["[ / ]", "slower, faster"],
    ["U", "loop"],
    [several ? "A B C D" : "A", "focus a run; again: its next path"],
    ...(several ? [["Shift+A … D", "show or hide a run"]] : []),
    ["M, X", "board: all paths, A ≠ B"],
    ["R", "to the nearest path: fewest different cells at this step"],
    ["P, Shift+P", "pin the focused path; presenter"],
    ["PageUp / PageDown", "previous, next chapter of the lesson"],
    ["1-9, 0", "only this token; all"],
    ["Q / Shift+Q", "next, previous “Color by”"],
    ["G, O", "map: loss landscape; 3-D"],
    ["I", "explain this step of a Sudoku"],
    ["Shift+W", "answers: tree of partings"],
    ["Z, + / −", "map: fit, zoom"],
    ["Arrows", "inside board, map, list or tabs: move there"],
    ["Alt+↑ / Alt+↓", "on the name of a curve: move it up or down; Enter: three times as high"],
    ["Enter, Ctrl+Enter", "choose; add to the choice; Enter on the ruler: begin and end of a loop"],
    ["Ctrl+A", "choose all paths"],
    ["Esc", "one step back: sheet, lasso, cells, choice, filter"],
    ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"],
    ["V, E, T, ?", "view, export, table, keys"],
    ["S, Y", "speak the state; copy as Python"],
    ["Drag time", "scrub; Alt: low-level steps; Shift on the ruler: loop"],
    ["Drag map in 3-D, Shift+arrows", "turn it, and in 2-D the arrows move it; Fit or double-click: the front"],
    ["Drag map or lane", "with Shift: choose paths; Ctrl adds, Alt takes away; a lane by its name: order"],
  ],
  table: {
    title: "Table",
    page: (page, pages) => `Page ${page} of ${pages}`,
    previous: "Previous page",
    next: "Next page",
    columns: (faults) => ["Step", "Path", "Answer", "Certainty", faults, "Drift"],
  },
};
