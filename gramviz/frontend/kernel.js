// The kernel behind the page: the state travels both ways, and it answers what only a model can. A frozen page has none.

import { clean } from "./text.js";
import { words } from "./words.js";

const SILENCE = 10_000; // ms until it is said that a kernel has not even confirmed a question

/**
 * The model of anywidget, as far as this page uses it; the shim of a frozen page has `frozen: true`.
 * @typedef {object} Model
 * @property {(key: string) => any} get
 * @property {(key: string, value: any) => void} set
 * @property {(event: string, listener: (content?: any) => void) => void} on
 * @property {(event: string, listener: (content?: any) => void) => void} off
 * @property {() => void} save_changes
 * @property {(content: object) => void} send
 * @property {boolean} [frozen]
 */
/** @typedef {ReturnType<typeof createKernel>} Kernel */

/** @param {Model} model */
export function createKernel(model) {
  const data = model.get("data");
  const current = () => model.get("data") === data; // else the next payload is being read, whose view resumes from this one
  let agreed = model.get("state"); // what the kernel knows; while it is asked, what it knew when the question came
  let asking = false;
  /** @type {string | null} */
  let asked = null; // the id of the last question
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {import("./store.js").Store} */
  let store;
  /** @type {(text: string) => void} */
  let say;

  function loadState() {
    if (!current()) return;
    const state = model.get("state");
    if (JSON.stringify(state) === JSON.stringify(store.state)) return; // our own
    asking = false;
    agreed = state;
    store.load(state);
  }

  /** @param {{id?: string, busy?: boolean, ok?: boolean, say?: string}} [answer] */
  function hear(answer) {
    if (asked === null || answer?.id !== asked) return;
    clearTimeout(timer);
    if (answer.busy) return say(words.edit.busy);
    if (answer.ok) return; // what it comes with may still be on its way
    asking = false;
    agreed = model.get("state");
    say(clean(answer.say, 400));
  }

  return {
    /** What the kernel knows of the state. */
    get agreed() {
      return agreed;
    },
    /** Hands a settled state to the kernel. @param {import("./types.js").State} state */
    save(state) {
      if (!current()) return;
      if (!asking) agreed = state;
      model.set("heard", model.get("turn") ?? 0);
      model.set("state", state);
      model.save_changes();
    },
    /**
     * Listens to the kernel until the signal ends.
     * @param {import("./store.js").Store} theStore
     * @param {(text: string) => void} theSay
     * @param {AbortSignal} signal
     */
    connect(theStore, theSay, signal) {
      store = theStore;
      say = theSay;
      model.on("change:state", loadState);
      model.on("msg:custom", hear);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        model.off("change:state", loadState);
        model.off("msg:custom", hear);
      });
    },
    /** @param {object} question such as `{ask: "branch", run: "A", path: 3, step: 7}` */
    ask(question) {
      store.flush();
      asking = true;
      asked = `${Math.random()}`;
      say(words.edit.asked);
      clearTimeout(timer);
      timer = setTimeout(() => say(words.edit.silent), SILENCE);
      model.send({ ...question, id: asked });
    },
    /** Why the kernel cannot be asked for this, or null. @param {string} what @returns {string | null} */
    refusal: (what) =>
      model.frozen || !model.get("asks") ? words.edit.kernel : model.get("asks").includes(what) ? null : words.edit.model,
    /** The names of the rollouts that the kernel can add to this comparison. @returns {string[]} */
    others: () => (!model.frozen && model.get("others")) || [],
  };
}
