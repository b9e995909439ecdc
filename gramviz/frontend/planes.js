// The geometry of the map: which planes are drawn, where, and where each state of each path falls. No drawing, no events.

const margin = (box) => Math.min(30, box.width / 12); // px kept free around the states, for halos and labels
const GAP = 10; // px between planes side by side
const FOOT = 18; // px below a plane for its axis

/** The bases of the chosen name, one plane each: several where runs have unrelated spaces. */
export function planesOf(payload, name) {
  const entries = payload.bases.filter((basis) => basis.name === name);
  return entries
    .map((basis) => ({ basis, runs: payload.runs.filter((run) => basis.runs.includes(run.letter) && run.maps[name]) }))
    .filter((plane) => plane.runs.length);
}

/** Whether a plane holds runs of different checkpoints in a space that only one of them knows. */
export function unrelated({ basis, runs }) {
  return basis.name !== "answers" && new Set(runs.map((run) => run.checkpoint ?? run.letter)).size > 1;
}

/** Places the planes side by side in width x height and projects every state through the camera. */
export function project(planes, name, camera, width, height) {
  const each = (width - GAP * (planes.length - 1)) / Math.max(1, planes.length);
  return planes.map((plane, index) => {
    const box = { x: index * (each + GAP), y: 0, width: each, height: height - FOOT };
    const bounds = boundsOf(plane, name);
    const zoom = camera?.k ?? 1;
    // One scale for both components: a distance means the same in every direction.
    const fit = Math.min((box.width - 2 * margin(box)) / bounds.width, (box.height - 2 * margin(box)) / bounds.height);
    const scale = fit * zoom;
    const x0 = box.x + box.width / 2 + (camera?.x ?? 0) * box.width;
    const y0 = box.y + box.height / 2 + (camera?.y ?? 0) * box.height;
    const toX = (value) => x0 + (value - bounds.x) * scale;
    const toY = (value) => y0 - (value - bounds.y) * scale;
    const runs = plane.runs.map((run) => {
      const { xyz, outside } = run.maps[name];
      const points = new Float32Array(run.n * run.steps * 2);
      for (let k = 0; k < run.n * run.steps; k += 1) {
        points[2 * k] = toX(xyz[3 * k]);
        points[2 * k + 1] = toY(xyz[3 * k + 1]);
      }
      return { run, points, outside };
    });
    return {
      ...plane,
      index,
      box,
      runs,
      scale,
      fromX: (x) => (x - x0) / scale + bounds.x,
      fromY: (y) => bounds.y - (y - y0) / scale,
      toX,
      toY,
    };
  });
}

function boundsOf({ runs }, name) {
  const [low, high] = [
    [Infinity, Infinity],
    [-Infinity, -Infinity],
  ];
  for (const run of runs) {
    const { xyz } = run.maps[name];
    for (let k = 0; k < xyz.length; k += 3)
      for (const axis of [0, 1]) {
        if (!Number.isFinite(xyz[k + axis])) continue;
        low[axis] = Math.min(low[axis], xyz[k + axis]);
        high[axis] = Math.max(high[axis], xyz[k + axis]);
      }
  }
  const size = [0, 1].map((axis) => Math.max(high[axis] - low[axis], 1e-6)); // a path that never moves is a point
  if (low[0] > high[0]) return { x: 0, y: 0, width: 1, height: 1 };
  return { x: (low[0] + high[0]) / 2, y: (low[1] + high[1]) / 2, width: size[0], height: size[1] };
}

/** Where the head of a path is: at the cursor, or on its way to the next transition. */
export function headAt({ run, points }, path, step, fraction = 0) {
  const now = 2 * (path * run.steps + run.held(step));
  const next = 2 * (path * run.steps + run.held(step + (fraction > 0 ? 1 : 0)));
  return [
    points[now] + fraction * (points[next] - points[now]),
    points[now + 1] + fraction * (points[next + 1] - points[now + 1]),
  ];
}

/** The nearest head, else the nearest state, within `reach` px: {run, path, step} or null. `allowed(run, path)` filters. */
export function nearest(planes, x, y, step, reach, allowed) {
  let best = null;
  let least = reach * reach;
  const offer = (run, path, at, px, py) => {
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least) [best, least] = [{ run, path, step: at }, distance];
  };
  for (const plane of planes)
    for (const part of plane.runs)
      for (let path = 0; path < part.run.n; path += 1) {
        if (allowed(part.run, path)) offer(part.run, path, part.run.held(step), ...headAt(part, path, step));
      }
  if (best) return best; // heads lie in front of the lines
  for (const plane of planes)
    for (const { run, points } of plane.runs)
      for (let path = 0; path < run.n; path += 1) {
        if (!allowed(run, path)) continue;
        const start = path * run.steps;
        for (let at = 0; at < run.steps; at += 1)
          offer(run, path, at, points[2 * (start + at)], points[2 * (start + at) + 1]);
      }
  return best;
}

/** The camera after zooming by `factor` around a point of a plane. */
export function zoomed(camera, box, x, y, factor) {
  const from = camera ?? { x: 0, y: 0, k: 1 };
  const k = Math.min(20, Math.max(0.5, from.k * factor));
  const ratio = k / from.k;
  const about = { x: (x - box.x) / box.width - 0.5, y: (y - box.y) / box.height - 0.5 };
  return { x: about.x - (about.x - from.x) * ratio, y: about.y - (about.y - from.y) * ratio, k };
}

/** The camera that shows the given points [[x, y], ...] of one plane large, or null for none. */
export function framed(camera, box, points) {
  if (!points.length) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const factor = Math.min(
    (box.width - 2 * margin(box)) / Math.max(right - left, 40),
    (box.height - 2 * margin(box)) / Math.max(bottom - top, 40),
  );
  const from = camera ?? { x: 0, y: 0, k: 1 };
  const k = Math.min(20, Math.max(0.5, from.k * factor));
  const about = {
    x: ((left + right) / 2 - box.x) / box.width - 0.5,
    y: ((top + bottom) / 2 - box.y) / box.height - 0.5,
  };
  return { x: ((from.x - about.x) * k) / from.k, y: ((from.y - about.y) * k) / from.k, k };
}
