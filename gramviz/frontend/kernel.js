// The kernel behind the page: it shares the state, and answers what only a model can. A frozen page has none.

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
 * @property {(event: string, content: any) => void} [emit] of a page that answers itself
 */
/** @typedef {ReturnType<typeof createKernel>} Kernel */

/**
 * What both halves remember.
 * @typedef {object} Memory
 * @property {any} agreed what the kernel knows of the state; while it is asked, what it knew when the question came
 * @property {boolean} asking
 */
/** @typedef {import("./store.js").Store} Store */

/**
 * The state, both ways.
 * @param {Model} model
 * @param {Memory} memory
 */
function createLink(model, memory) {
  const data = model.get("data");
  // Else the next payload is being read, whose view resumes from this one.
  const isCurrent = () => model.get("data") === data;
  return {
    /** Hands a settled state to the kernel. @param {import("./types.js").State} state */
    save(state) {
      if (!isCurrent()) return;
      if (!memory.asking) memory.agreed = state;
      model.set("heard", model.get("turn") ?? 0);
      model.set("state", state);
      model.save_changes();
    },
    /** @param {Store} store @param {AbortSignal} signal */
    connect(store, signal) {
      function load() {
        const state = model.get("state");
        if (!isCurrent() || JSON.stringify(state) === JSON.stringify(store.state)) return; // our own
        Object.assign(memory, { asking: false, agreed: state });
        store.load(state);
      }
      model.on("change:state", load);
      signal.addEventListener("abort", () => model.off("change:state", load));
    },
  };
}

/**
 * What the kernel keeps beside the payload, as transient keys.
 * @param {Model} model
 * @param {Store} store
 * @param {AbortSignal} signal
 */
function follow(model, store, signal) {
  const load = () => {
    const effect = model.get("effect");
    store.poke({ tree: model.get("tree") ?? [], effect: effect?.values ? effect : null });
  };
  for (const key of ["change:tree", "change:effect"]) {
    model.on(key, load);
    signal.addEventListener("abort", () => model.off(key, load));
  }
  load();
}

/**
 * Questions, and the answers to them.
 * @param {Model} model
 * @param {Memory} memory
 */
function createQuestions(model, memory) {
  /** @type {string | null} */
  let asked = null; // the id of the last question
  let reading = false; // whether that needs no model
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Store} */
  let store;
  /** @type {(text: string) => void} */
  let say;

  /** @param {{id?: string, busy?: boolean, ok?: boolean, say?: string}} [answer] */
  function hear(answer) {
    if (answer?.say && answer.id === undefined) return say(clean(answer.say, 400)); // unasked
    if (asked === null || answer?.id !== asked) return;
    clearTimeout(timer);
    if (answer.busy) return say(reading ? words.puzzles.reading : words.edit.busy);
    if (answer.ok && answer.say === undefined) return; // the payload that it comes with may still be on its way
    Object.assign(memory, { asking: false, agreed: model.get("state") });
    say(clean(answer.say, 400));
  }

  return {
    /** @param {Store} theStore @param {(text: string) => void} theSay @param {AbortSignal} signal */
    connect(theStore, theSay, signal) {
      store = theStore;
      say = theSay;
      model.on("msg:custom", hear);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        model.off("msg:custom", hear);
      });
    },
    /**
     * @param {{ask: string, [key: string]: unknown}} question such as `{ask: "branch", series: "A", trajectory: 3,
     *   step: 7}`
     */
    ask(question) {
      store.flush();
      memory.asking = true;
      asked = `${Math.random()}`;
      reading = question.ask === "puzzle";
      say(words.edit.asked);
      clearTimeout(timer);
      timer = setTimeout(() => say(words.edit.silent), SILENCE);
      model.send({ ...question, id: asked });
    },
  };
}

/** @param {Model} model */
export function createKernel(model) {
  /** @type {Memory} */
  const memory = { agreed: model.get("state"), asking: false };
  const link = createLink(model, memory);
  const questions = createQuestions(model, memory);
  return {
    /** What the kernel knows of the state. */
    agreed: () => memory.agreed,
    save: link.save,
    ask: questions.ask,
    /**
     * Listens to the kernel until the signal ends.
     * @param {Store} store
     * @param {(text: string) => void} say
     * @param {AbortSignal} signal
     */
    connect(store, say, signal) {
      link.connect(store, signal);
      follow(model, store, signal);
      questions.connect(store, say, signal);
    },
    /** Takes the effect of a patch off the board, here and in the kernel. @param {Store} store */
    clearEffect(store) {
      store.poke({ effect: null });
      model.set("effect", {});
      model.save_changes();
    },
    /** Why the kernel cannot be asked for this, or null. @param {string} what @returns {string | null} */
    refusal(what) {
      const asks = model.get("asks");
      if (!asks) return words.edit.kernel;
      return asks.includes(what) ? null : words.edit.model;
    },
    /** Why another puzzle cannot be shown, or null: a frozen page holds those that it was frozen with.
     * @param {number} puzzle @returns {string | null} */
    refusalOf(puzzle) {
      if (!model.frozen) return model.get("asks")?.includes("puzzle") ? null : words.edit.rollout;
      const held = model.get("held") ?? [];
      return held.includes(puzzle) ? null : words.puzzles.held(held.length);
    },
    /** The names of the rollouts that the kernel can add to this comparison. @returns {string[]} */
    others: () => (!model.frozen && model.get("others")) || [],
  };
}
