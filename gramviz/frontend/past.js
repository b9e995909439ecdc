// The past of the map: what changes when the cursor does, and not in every frame between two steps.

import { drawTails } from "./answermap.js";
import { drawCloud } from "./cloud.js";
import { clipTo, lightness, strokeTrajectories } from "./trajectories.js";

/** @import { Pen, PlacedPlane, Scene } from "./types.js" */

/** The past of all trajectories, up to the cursor; on the answer map, where all is past soon, the last steps. Drawn
 * whole: 50 trajectories take under 2 ms, and there is no half-state to go stale.
 * @param {Pen} pen @param {PlacedPlane[]} planes @param {Scene} scene */
export function drawPast(pen, planes, scene) {
  for (const plane of planes)
    if (plane.basis.name === "answers") drawTails(pen, plane, scene);
    else
      clipTo(pen, plane.box, () => {
        const light = plane.basis.name === "river" ? lightness(plane) : 1;
        strokeTrajectories(pen, plane, scene, 0, scene.state.cursor.step, 0.6 * light);
        if (scene.state.layers.includes("cloud")) drawCloud(pen, plane, scene);
      });
}
