// The board as numbers: what changed, who conflicts with whom, how a set of paths divides over tokens.

/** The positions whose token differs from the step before. */
export function changedCells(run, path, step) {
  if (step <= 0 || step >= run.steps) return [];
  const now = run.tokens(path, step);
  const before = run.tokens(path, step - 1);
  const found = [];
  for (let position = 0; position < now.length; position += 1)
    if (now[position] !== before[position]) found.push(position);
  return found;
}

/** The positions that break a rule together with this one: same exclusive token, same group. */
export function opponents(board, tokens, position) {
  const token = tokens[position];
  if (!board.exclusive.includes(token)) return [];
  const found = new Set();
  for (const group of board.groupsOf[position])
    for (const other of group) if (other !== position && tokens[other] === token) found.add(other);
  return [...found].sort((a, b) => a - b);
}

/** Counts [position * tokens + token] over paths [[run, path], ...] at a step. */
export function distribution(payload, paths, step) {
  const kinds = payload.board.tokens.length;
  const counts = new Uint16Array(payload.board.size * kinds);
  for (const [run, path] of paths) {
    const tokens = run.tokens(path, step);
    for (let position = 0; position < tokens.length; position += 1) counts[position * kinds + tokens[position]] += 1;
  }
  return counts;
}

/** The tokens of one position, most frequent first: [[token, count], ...], zero counts left out. */
export function ranked(counts, position, kinds) {
  const found = [];
  for (let token = 0; token < kinds; token += 1)
    if (counts[position * kinds + token]) found.push([token, counts[position * kinds + token]]);
  return found.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

/** The name of a position in words, as gram.board.Board.place says it. */
export function placeName(board, position) {
  if (board.kind === "graph") return `node ${position + 1}`;
  return `row ${Math.floor(position / board.width) + 1}, column ${(position % board.width) + 1}`;
}

/** The short name of a position, `r4c6` or `n3`: what `select_cells([...])` takes in Python. */
export function cellName(board, position) {
  if (board.kind === "graph") return `n${position + 1}`;
  return `r${Math.floor(position / board.width) + 1}c${(position % board.width) + 1}`;
}

/** Whether a token is drawn as nothing: it means "not given", or it has no symbol. */
export const quiet = (board, token) => board.blank.includes(token) || !board.tokens[token].symbol;

/** What to call a token: its label, which is its digit or its name. */
export const tokenLabel = (board, token) => board.tokens[token]?.label ?? String(token);
