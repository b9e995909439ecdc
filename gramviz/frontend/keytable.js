// What the keys do: the sheet that `?` opens. What stands on the screen is quoted as it stands there.

/** A row, where it means something. @param {boolean} wanted @param {string[]} row */
const only = (wanted, ...row) => (wanted ? [row] : []);

const LESSON = "“Lesson”: “Back”, “Next”";

/** What `?` shows: [keys, what they do]; of several series, with low-level steps, of many puzzles, and the word of the
 * outer level.
 * @param {{ several: boolean, low: boolean, many: boolean }} has @param {string} level @returns {string[][]} */
export const keyTable = ({ several, low, many }, level) => [
  ["Space, K", "“Play” or “Pause”"],
  ["J / L, ← / →", "transition back or forward"],
  ["Shift+J / Shift+L", `${level} back or forward`],
  ...only(low, ", / .", "low-level step back or forward"),
  ["Home / End", "init, last step"],
  ["N / Shift+N", "“Next change”, the previous one"],
  ["F, H, W", "“First correct”, “Halt”, “Where trajectories part”"],
  ["[ / ]", "“Speed”: slower, faster"],
  ["U", "“Loop”"],
  [several ? "A B C D" : "A", "focus a series; again: its next trajectory"],
  ...only(several, "Shift+A … D", "show or hide a series"),
  ["M, X", "“Board”: all trajectories, “A ≠ B”"],
  ["R", "to the nearest trajectory: fewest different cells at this step"],
  ["P, Shift+P", "pin the focused trajectory; “Presenter”"],
  ["PageUp / PageDown", many ? "“Previous puzzle”, “Next puzzle”; in a “Lesson”: “Back”, “Next”" : LESSON],
  ...only(many, "Shift+T", "“Puzzles”: arrows move, Enter chooses"),
  ["Shift+S", "“Samples”: arrows move, Enter focuses, again: shows it large"],
  ["1-9, 0", "only this token; all"],
  ["Q / Shift+Q", "“Color by”: next, previous"],
  ["G, O", "“Map”: “Loss landscape”, “3-D”"],
  ["I", "“Explain this step”, of a Sudoku"],
  ["Z, + / −", "“Map”: “Fit”, zoom"],
  ["Arrows", "inside board, map, list or tabs: move there"],
  ["Alt+↑ / Alt+↓", "on the name of a curve: move it up or down; Enter: open it with its axis"],
  ["Enter, Ctrl+Enter", "choose; add to the choice; Enter on the ruler: begin and end of a loop"],
  ["Ctrl+A", "choose all trajectories"],
  ["Arrows on a divider", "more room for a panel; Enter: automatic"],
  ["Esc", "one step back: sheet, lasso, cells, choice, filter"],
  ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"],
  ["V, E, T, ?", "“View”, “Export”, “Table”, “Keys”"],
  ["S, Y", "speak the state; “Copy as Python”"],
  ["Drag time", "scrub; Alt: low-level steps; Shift on the ruler: loop"],
  ["Drag map in 3-D, Shift+arrows", "turn it, and in 2-D the arrows move it; “Fit” or double-click: the front"],
  ["Drag map or lane", "with Shift: choose trajectories; Ctrl adds, Alt takes away; a lane by its name: order"],
];
