// Where the focus is. The page lives in a shadow root, whose own active element is the one that counts.

/** The element that has the focus, if it is in the same tree as `node`. @param {Node} node @returns {any} */
export const focusedIn = (node) => /** @type {Document | ShadowRoot} */ (node.getRootNode()).activeElement;

/** The name of the place in a part that an element belongs to, such as "board" or "lane-drift". @param {any} element */
export const placeOf = (element) => element?.closest?.("[data-part]")?.dataset.part ?? "";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** [dx, dy] of an arrow key, else undefined. @param {KeyboardEvent} event @returns {number[] | undefined} */
export const arrowOf = ({ key }) => ARROWS[/** @type {keyof typeof ARROWS} */ (key)];

/** Whether Ctrl, or the command key of a Mac, is held. @param {KeyboardEvent | PointerEvent | MouseEvent} event */
export const withCommand = (event) => event.ctrlKey || event.metaKey;
