// Every sentence that the explorer shows or speaks, in one table: read aloud in one place, translated in one place.

import { answerMapWords } from "./answerwords.js";
import { branchWords } from "./branchwords.js";
import { keyTable } from "./keytable.js";
import { explainWords } from "./explainwords.js";
import { lowWords } from "./lowwords.js";
import { puzzleWords } from "./puzzlewords.js";
import { stripWords } from "./stripwords.js";
import { joined, percent, plural } from "./text.js";

/** @import { AnswerSpace, Basis, Payload, Series } from "./types.js" */

export const words = {
  plural,
  joined,
  reading: "Reading the rollout …",
  foreign: (/** @type {number | undefined} */ format, /** @type {number} */ ours) =>
    (format ?? 0) > ours
      ? `This page was made by a newer gramviz (format ${format}). Update gramviz to open it.`
      : `This payload has format ${format ?? "unknown"}, this gramviz reads ${ours}. Pack the rollout again.`,
  damaged: "The data of this page is damaged (checksum).",
  failed: (/** @type {string} */ message) => `This part failed: ${message}. The others still work.`,
  region: (/** @type {Payload} */ { title, puzzle, index, series }) =>
    [
      `Explorer: ${title} puzzle ${words.puzzles.name(index ?? undefined, puzzle)}`,
      ...series.map((series) => `${series.letter} ${series.name} ${words.trajectories(series.n)}`),
    ].join(", "),
  ...puzzleWords,
  sorted: "Sorted by",
  provenance: (/** @type {Series} */ series) =>
    `${series.letter} ${series.name}: ${series.model}, ${words.trajectories(series.n)}, seed ${series.seed}, ` +
    `checkpoint ${String(series.checkpoint || "not named").slice(0, 12)}, rollout ${String(series.hash).slice(0, 12)}.`,
  trajectories: (/** @type {number} */ count) => plural(count, "trajectory", "trajectories"),
  correct: (/** @type {number} */ right, /** @type {number} */ all) => `${right} of ${all} correct`,
  ofDepth: (/** @type {Series} */ { depth, supervision_step: steps }) =>
    depth ? ` (step ${steps.at(-1)} of ${depth})` : "",
  seriesHint: (/** @type {Series} */ { name, depth, supervision_step: steps }, /** @type {boolean} */ several) =>
    (several ? `${name}: click to focus, Ctrl+click to hide or show` : name) +
    (depth ? `. ${steps.at(-1)} supervision steps; this model's configuration has ${depth}` : ""),
  transport: "Transport",
  answer: (/** @type {string | null | undefined} */ letter) => `answer ${letter ?? "of its own"}`,
  answerShare: (/** @type {number} */ count, /** @type {string | null | undefined} */ letter) =>
    `${count} answer ${letter ?? "of its own"}`,
  onePlaneEach: (/** @type {string} */ label) => `${label}, one plane per series`,
  oneBasis: (/** @type {string} */ label, /** @type {string[]} */ letters) =>
    `${label}, one basis for ${joined(letters)}`,
  tokenShare: (/** @type {string} */ label, /** @type {number} */ count, /** @type {number} */ all) =>
    `${label} in ${count} of ${all}`,
  tally: (
    /** @type {string | null | undefined} */ letter,
    /** @type {number | null} */ right,
    /** @type {number} */ all,
  ) => `${letter}: ${right === null ? words.trajectories(all) : words.correct(right, all)}`,
  described: (
    /** @type {string} */ title,
    /** @type {string} */ basis,
    /** @type {string[]} */ tallies,
    /** @type {string} */ more,
    /** @type {boolean} */ deep,
  ) => `${title}, ${basis}${deep ? ", in 3-D" : ""}. ${joined(tallies)}. ${more}`,
  ofAnswers: (/** @type {AnswerSpace} */ space, /** @type {string} */ reading) =>
    `Of ${words.map.ofAnswers(space, false)}. ${reading}`,
  within: (/** @type {number} */ share, /** @type {boolean} */ deep, /** @type {string} */ warning) =>
    `${percent(share)} of the variance is in this ${deep ? "space" : "plane"}. ${warning}`,
  trajectoryName: (/** @type {Series} */ series, /** @type {number} */ index) =>
    series.n === 1 ? series.letter : `${series.letter} #${index}`,

  // board
  givens: "No givens: the board is generated.",
  board: {
    title: "Board",
    differ: "A ≠ B",
    preview: (/** @type {string} */ name) => `preview ${name}`,
    all: (/** @type {number} */ count) => `All ${count}`,
    selected: (/** @type {number} */ count) => `${count} selected`,
  },
  legend: {
    given: "given",
    changed: "changed",
    conflict: "conflict",
    certainty: "certainty",
    doubt: "doubt",
  },
  noCertainty: "certainty not recorded",
  pair: {
    input: (/** @type {number} */ rows, /** @type {number} */ columns) => `input, ${rows} × ${columns}`,
    answer: (/** @type {number} */ rows, /** @type {number} */ columns) =>
      rows ? `answer, ${rows} × ${columns}` : "answer, no grid",
    wrong: "not as in the solution",
    agreement: (/** @type {number} */ count) => `bar: share of the ${count} trajectories that show this color`,
  },
  ...lowWords,
  distance: (/** @type {number} */ count, /** @type {string} */ one, /** @type {string} */ other) =>
    count ? `${one} and ${other} differ in ${plural(count, "cell")}` : `${one} and ${other} show the same board`,
  small: (/** @type {string} */ name) => `small: ${name}`,
  agreement: (/** @type {number} */ count) => `shade: agreement of ${count}`,

  // map
  map: {
    title: "Map",
    lasso: "Lasso",
    deep: "3-D",
    flat: "This map has fewer than three dimensions.",
    fit: "Fit",
    // What was drawn at random is no principal component.
    component: (/** @type {number} */ number, /** @type {Basis} */ { name }) =>
      `${name === "random" ? "Direction" : "PC"} ${number}`,
    axis: (/** @type {number} */ number, /** @type {number} */ share, /** @type {Basis} */ basis) =>
      `${words.map.component(number, basis)}   ${percent(share)} of variance`,
    axes: (/** @type {number[]} */ shares, /** @type {boolean} */ short, /** @type {Basis} */ basis) =>
      short
        ? shares.map((share) => percent(share)).join(", ")
        : shares.map((share, axis) => `${words.map.component(axis + 1, basis)} ${percent(share)}`).join(", ") +
          " of variance",
    ...answerMapWords,
    plane: (/** @type {number} */ share, /** @type {boolean} */ deep, /** @type {string | undefined} */ of) =>
      `In this ${deep ? "space" : "plane"} ${percent(share)}${of ? " of " : ""}${of ?? ""}`,
    cloud: "lines round 50 and 90 % of the density",
    here: (/** @type {number} */ share) => `here ${percent(share, 0)}`,
    outside: "much lies outside",
    halo: "halo: energy outside",
    apart: (/** @type {string[]} */ letters) =>
      `${joined(letters)} were trained apart: distances between them mean nothing.`,
    landscape: (/** @type {string} */ unit) => `loss in ${unit}, between recorded states; blank where none came near`,
    noLandscape: "No landscape for this plane.",
    noDepth: "No landscape in 3-D.",
    none: "This rollout has no such map.",
    lassoed: (/** @type {number} */ count, /** @type {string[]} */ parts) =>
      [words.trajectories(count), ...(parts.length ? [joined(parts)] : [])].join(": "),
    wheel: "Click the map, then zoom with the wheel.",
    narrow: "The map needs more room.",
    few: (/** @type {number} */ drawn, /** @type {number} */ all) =>
      `Drawing ${drawn} of ${all} trajectories, evenly chosen`,
  },

  // time
  time: {
    step: (/** @type {string} */ address) => (address === "init" ? "Init" : `Step ${address}`),
    of: (/** @type {string} */ level, /** @type {number} */ index, /** @type {number} */ last) =>
      `${level.toLowerCase()} ${index} of ${last}`,
    events: "Events",
    short: { events: "Events", supervision: "Step", transition: "Changes", low: "Low" },
    changed: (/** @type {string} */ level) => `${level}, cells changed`,
    one: "This rollout has one step.",
    noLow: "Low-level steps were not recorded.",
    speed: (/** @type {number} */ speed) => `${speed} per s`,
    loop: (/** @type {string} */ from, /** @type {string} */ to) => `Loop ${from} to ${to}`,
    from: (/** @type {string} */ address) =>
      `A loop begins at ${address}. Go to its end and press Enter; Esc forgets it.`,
    noLoop: "A loop that ends where it begins is none.",
    part: (/** @type {string} */ a, /** @type {string} */ b) => `${a} and ${b} part`,
    partAt: (/** @type {string} */ a, /** @type {string} */ b, /** @type {string} */ place) =>
      `${a} and ${b} part here; the first difference that lasts is at ${place}.`,
    same: (/** @type {string} */ a, /** @type {string} */ b) => `${a} and ${b} reach the same answer.`,
    correct: (/** @type {string} */ name) => `${name} first correct`,
    left: (/** @type {string} */ name) => `${name} right no more`,
    halts: (/** @type {string} */ name) => `${name} would halt`,
    ended: (/** @type {string | null | undefined} */ letter, /** @type {string} */ address) =>
      `${letter} ended at ${address}`,
    spoken: (
      /** @type {string} */ step,
      /** @type {string} */ place,
      /** @type {number} */ changed,
      /** @type {number | null} */ conflicts,
      /** @type {boolean} */ ruled,
    ) =>
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
    left: "Right no more",
    halt: "Halt",
    part: "Where trajectories part",
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
    correct: (/** @type {string} */ name) => `${name} never shows a correct answer.`,
    halt: (/** @type {string} */ name) => `${name} would not halt in this rollout.`,
    left: (/** @type {string} */ name) => `${name} stays right, or never was.`,
    part: "All trajectories end alike.",
  },

  // answers
  answers: {
    title: "Answers",
    final: "Final",
    at: (/** @type {string} */ address) => (address === "init" ? "At init" : `At ${address}`),
    right: "correct",
    other: "valid, not the given solution",
    conflicts: (/** @type {number} */ count, /** @type {boolean} */ ruled) =>
      count ? words.faults(count, ruled) : ruled ? "a given changed or a blank left" : "not valid",
    unfinished: "not finished",
    unknown: "outcome unknown",
    between: "on the way",
    others: (/** @type {number} */ count) => plural(count, "other"),
    sorted: (/** @type {number} */ count) => `${words.trajectories(count)}, sorted by answer`,
    some: (/** @type {number} */ drawn, /** @type {number} */ all) => `${drawn} of ${all} trajectories, evenly chosen`,
    chosen: "Chosen by",
    majority: "majority",
    value: "value",
    halt: "halt",
    any: "any",
    anyNote: "any knows which answers are right.",
    alone: (/** @type {string} */ name) => `${name} alone`,
    found: (/** @type {number} */ count, /** @type {number | null} */ known) =>
      known === 0
        ? "No solution exists."
        : known
          ? `Solutions found: ${count} of ${known}`
          : `Solutions found: ${count}`,
    same: (/** @type {number} */ count) => `All ${count} trajectories reach the same answer.`,
    all: (/** @type {number} */ count) => `${count} trajectories, ${count} answers`,
    noValid: "Outcome unknown: this rollout has no `valid`.",
    picture: "A picture is neither right nor wrong.",
  },
  explain: explainWords,
  outcomes: ["wrong", "correct", "not finished", "unknown", "drawn"],

  // curves: name, second line of the gutter
  /** @type {Record<string, [string, string]>} */
  curves: {
    certainty: ["Certainty", "mean over cells"],
    conflicts: ["Conflicts", "violated rules"],
    drift: ["Drift", "|h(t) − h(t−1)|"],
    changed: ["Cells changed", "per transition"],
    halt: ["Halt", "probability"],
    value: ["Value", "predicted to be right"],
    kl: ["KL", "nats"],
    spread: ["Spread", "from the center"],
    low: ["Low-level drift", "largest |l(k) − l(k−1)|"],
  },
  lane: "Drag it, or press Alt+↑ or Alt+↓: another place. Click: open it with its axis.",
  /** Of a board without rules a cell can only differ from the known answer. */
  faults: (/** @type {number} */ count, /** @type {boolean} */ ruled) =>
    plural(count, ruled ? "conflict" : "wrong cell"),
  curve: (
    /** @type {string} */ name,
    /** @type {Pick<Payload, "board" | "extra">} */ { board, extra },
    tick = "transition",
  ) =>
    name === "conflicts" && !board.ruled
      ? ["Wrong cells", "not as in the solution"]
      : (extra[name] ?? words.curves[name]).map((text) => text.replace("transition", tick)),
  ...stripWords,
  colors: {
    outcome: "Outcome",
    answer: "Answer",
    series: "Series",
    value: "Value",
    certainty: "Certainty",
    step: "Step",
    cell: (/** @type {string} */ place) => `Token of ${place}`,
  },
  layers: {
    halo: "Halos",
    labels: "Labels",
    landscape: "Loss landscape",
    cloud: "Cloud",
    hulls: "Answer outlines",
    trail: "Trail of changes",
    truth: "Show truth",
    explain: "Explain this step",
  },
  themes: { auto: "Auto", light: "Light", dark: "Dark" },
  view: {
    curves: "Curves",
    tall: "All open, with their axes",
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
    against: (/** @type {string} */ label) => `the answer has ${label} against the given`,
    now: (/** @type {string} */ place, /** @type {string} */ label) => `${place} is ${label}`,
    changed: (/** @type {string} */ place, /** @type {string} */ before, /** @type {string} */ after) =>
      `${place} changed ${before} to ${after}`,
    certainty: (/** @type {number} */ value) => `certainty ${value.toFixed(2)}`,
    next: (/** @type {string} */ label, /** @type {number} */ value) => `(next: ${label} at ${value.toFixed(2)})`,
    conflict: (/** @type {string[]} */ places) => `In conflict with ${joined(places)}.`,
    breaks: "Breaks a rule.",
    wrong: "Not as in the solution.",
    other: (/** @type {string} */ name, /** @type {string} */ label) => `${name} has ${label} here.`,
    truth: (/** @type {string} */ label) => `The given solution has ${label}.`,
    nearest: (/** @type {string} */ name, /** @type {number} */ count) =>
      `nearest ${name}, ${plural(count, "cell")} away`,
    share: (/** @type {string} */ place, /** @type {string[]} */ parts) => `${place}: ${parts.join(", ")}.`,
  },
  trajectory: {
    settled: "settled",
    wandering: "wandering",
    answer: (/** @type {string | null | undefined} */ letter, /** @type {string} */ label) =>
      `ends at ${letter ?? "an answer of its own"}, ${label}`,
  },
  edit: {
    title: "Model",
    puzzle: "Edit the puzzle",
    short: "Edit",
    put: (/** @type {number} */ count) =>
      `Choose a cell and type what is given there; Backspace takes it away. ${plural(count, "cell")} changed.`,
    how: (/** @type {number} */ count) =>
      `${words.edit.put(count)} Enter draws the series anew beside the original, Esc leaves.`,
    choose: "Choose a cell first.",
    none: "Nothing is changed yet.",
    blank: "blank",
    rerun: "Rerun",
    resume: (/** @type {string} */ name, /** @type {string} */ at) => `Resume ${name} from ${at}`,
    leave: "Leave",
    branch: (/** @type {string} */ name, /** @type {string} */ at) => `Branch ${name} from ${at}`,
    towards: (/** @type {string | null} */ name) => `… half way to ${name ?? "the pinned trajectory"}`,
    along: (/** @type {number} */ component) => `… one deviation along PC ${component}`,
    pin: "Pin another trajectory of the same model first (P).",
    compare: "+ Compare",
    other: "Another series of this puzzle",
    full: "Four series are shown, and there is no room for more.",
    lend: 'Needs another rollout: gv.explore(rollout, others={"TRM": trm})',
    cell: (/** @type {string | null} */ name) => `PCA of ${name ?? "one cell"}`,
    plane: "Choose a cell on the board first.",
    rollout: "Needs the rollout: gv.explore(rollout)",
    kernel: "Needs a kernel: open the rollout in JupyterLab.",
    model: "Needs a model: gv.explore(rollout, rerun=gram.rerun)",
    beside: "This puzzle stands beside its answer.",
    asked: "Asking the kernel …",
    busy: "The model is at work; the page continues when it is done.",
    silent: "No answer from the kernel. It may be busy.",
  },
  ...branchWords,
  settledStep: (
    /** @type {string} */ step,
    /** @type {number} */ changed,
    /** @type {number | null} */ before,
    /** @type {number | null} */ after,
    /** @type {boolean} */ ruled,
  ) =>
    `${step}: ${plural(changed, "cell")} changed` +
    (before === null
      ? "."
      : before === after
        ? `, ${words.faults(after, ruled)}.`
        : `, ${words.faults(2, ruled).slice(2)} ${before} to ${after}.`),
  keysHint: "? for keys",
  noState: "What was given as the view is none; the page opens as it is.",
  unknownKey: (/** @type {string} */ key) => `The state has no key ${key}; it was left out.`,
  refused: (/** @type {string} */ key) => `No view can have this value of ${key}; it was left out.`,
  clamped: (/** @type {string} */ key) =>
    `The saved view named ${key} that this rollout does not have; the nearest was taken.`,

  history: {
    title: (/** @type {string} */ cell) => `Cell ${cell}`,
    unit: "share of trajectories",
    others: "others",
    spoken: (/** @type {string} */ place, /** @type {number} */ count, /** @type {string[]} */ parts) =>
      `History of ${place} over ${words.trajectories(count)}; now ${joined(parts)}`,
  },
  lesson: {
    title: "Lesson",
    automatic: "Chapters from this rollout",
    presenter: "Presenter",
    back: "Back",
    next: "Next",
    of: (/** @type {number} */ index, /** @type {number} */ all) => `${index} of ${all}`,
    start: "Here every trajectory starts. **Next** continues.",
    part: (/** @type {string} */ a, /** @type {string} */ b) =>
      `Here ${a} and ${b} part: from now on each is nearer to its own answer.`,
    correct: (/** @type {string} */ name) => `Here ${name} is correct for the first time.`,
    end: "This is how it ends.",
    takeCell: "My answer is the chosen cell",
    takeTrajectory: "My answer is the focused trajectory",
    again: "Not that one. Try once more.",
    right: "Right.",
    wrong: "It was {answer}.",
    none: "none",
    skipped: "Skipped.",
    locked: "Answer first, or press Esc to skip.",
    score: (/** @type {number} */ hits, /** @type {number} */ all) => `${hits} of ${all} right.`,
  },

  // export
  exports: {
    png: "Picture (PNG)",
    svg: "Drawing (SVG)",
    webm: "Film (WebM)",
    noVideo: "This browser cannot record video.",
    filming: (/** @type {number} */ index, /** @type {number} */ all) =>
      `Recording picture ${index + 1} of ${all}. Esc stops.`,
    stopped: "The film was stopped; nothing was saved.",
    csv: "Data (CSV)",
    rollout: (/** @type {string} */ name) => `Rollout of ${name} (NPZ)`,
    python: "Copy as Python",
    json: "Copy view (JSON)",
    movie: "GIF or WebP",
    needsPython: "Needs Python: gramviz movie ROLLOUT -o film.gif",
    copied: "Copied.",
    refused: "Press Ctrl+C",
    saved: (/** @type {string} */ name) => `Saved ${name}.`,
  },
  keyTable,
  table: {
    title: "Table",
    page: (/** @type {number} */ page, /** @type {number} */ pages) => `Page ${page} of ${pages}`,
    previous: "Previous page",
    next: "Next page",
    columns: ["Step", "Trajectory", "Answer"],
  },
};
