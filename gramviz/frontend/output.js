// The entry of an output (`gramviz.explorer.output`): puts the live view where a saved notebook shows the frozen page.

/** @typedef {{el: HTMLElement, remove: () => void, luminoWidget: {processMessage: (message: object) => void}}} View */
/** @typedef {{comm_live: boolean}} Child */
/** @typedef {{get_model: (id: string) => Promise<Child>, create_view: (model: Child) => Promise<View>}} Manager */
/** @typedef {HTMLElement & {view?: Promise<View>}} Place */

const TAG = "gramviz-output";

/** What Lumino tells a widget that it attaches itself. @param {View} view @param {"attach" | "detach"} what */
function tell(view, what) {
  for (const when of ["before", "after"]) view.luminoWidget.processMessage({ type: `${when}-${what}` });
}

/** @param {Place} place */
async function leave(place) {
  const view = await place.view;
  place.view = undefined;
  if (!view) return;
  tell(view, "detach");
  view.remove();
}

/** What is live in this page, by model; all outputs share it. @returns {Map<string, (place: Place) => void>} */
function livingHere() {
  if (!customElements.get(TAG)) customElements.define(TAG, PlaceElement);
  return /** @type {any} */ (customElements.get(TAG)).live;
}

class PlaceElement extends HTMLElement {
  static live = new Map();
  /** @type {Promise<View> | undefined} */
  view;

  connectedCallback() {
    PlaceElement.live.get(this.dataset.child)?.(this);
  }

  disconnectedCallback() {
    setTimeout(() => this.isConnected || leave(this), 500); // a cell that is moved comes back at once
  }
}

export default {
  /** @param {{model: {get: (key: string) => any, widget_manager: Manager}, signal: AbortSignal}} output */
  initialize({ model, signal }) {
    const id = model.get("child");
    const manager = model.widget_manager;

    /** @type {Place | undefined} */
    let last;

    /** @param {Child} child */
    function create(child) {
      if (child.comm_live) return manager.create_view(child);
      throw new Error("restored from the notebook, without a kernel: the frozen page can do more");
    }

    /** @param {Place} place */
    async function show(place) {
      if (place.view) return;
      const replaced = last?.isConnected === false ? last : undefined; // an output that Python has updated
      place.view = replaced?.view ?? manager.get_model(id).then(create);
      if (replaced) replaced.view = undefined;
      last = place;
      const frozen = [...place.childNodes];
      place.replaceChildren();
      try {
        const view = await place.view;
        place.replaceChildren(view.el);
        tell(view, "attach");
      } catch {
        place.view = undefined;
        place.replaceChildren(...frozen); // also where the model was closed
      }
    }

    const live = livingHere();
    live.set(id, show);
    for (const place of document.querySelectorAll(`${TAG}[data-child="${id}"]`)) show(/** @type {Place} */ (place));
    signal.addEventListener("abort", () => live.delete(id));
  },
};
