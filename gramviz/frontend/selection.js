// A selection of trajectories is {letter of a series: [index, ...]}.

/** A selection changed by `paths` [[letter, index], ...]: replaced, added to, or taken from. */
export function changeSelection(selected, paths, { add = false, remove = false }) {
  const next = {};
  const touched = new Set(paths.map(([letter, path]) => `${letter} ${path}`));
  if (add || remove)
    for (const [letter, list] of Object.entries(selected))
      next[letter] = list.filter((path) => !(remove && touched.has(`${letter} ${path}`)));
  if (!remove) for (const [letter, path] of paths) next[letter] = [...(next[letter] ?? []), path];
  return next;
}
