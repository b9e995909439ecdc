// The entry: decodes what the model holds, shows it, shows what follows it, and takes everything down again.

import { make } from "./dom.js";
import { focusedIn } from "./focus.js";
import { keptView, mount, report } from "./page.js";
import { readPayload } from "./payload.js";
import { styleText } from "./style.js";
import { words } from "./words.js";

/** @typedef {import("./kernel.js").Model} Model */
/** @typedef {HTMLElement & {gramviz?: import("./page.js").Handle}} Host */

/** @type {WeakMap<DataView, Promise<import("./types.js").Payload>>} */
const decoded = new WeakMap(); // the model's data -> its payload: views of one model share it

/** @param {Model} model */
function payloadOf(model) {
  const data = model.get("data");
  const found = decoded.get(data) ?? readPayload(model.get("meta"), data);
  decoded.set(data, found);
  return found;
}

/** The widget's element, alone in the shadow root of its host. @param {Host} host @param {HTMLElement} waiting */
function createRoot(host, waiting) {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styleText);
  shadow.adoptedStyleSheets = [sheet];
  host.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab: keys in here are ours
  const root = make("div", { class: "gv", role: "region", tabindex: "0" }, waiting);
  shadow.replaceChildren(root);
  return root;
}

export default {
  /** @param {{model: Model, el: Host, signal?: AbortSignal}} view */
  async render({ model, el: host, signal }) {
    const life = new AbortController();
    signal?.addEventListener("abort", () => life.abort());
    const waiting = make("p", { class: "trouble", role: "status" }, words.reading);
    const root = createRoot(host, waiting);
    /** @type {AbortController | undefined} */
    let shown; // ends what is shown of one payload; while a model runs, a longer one follows
    /** @type {ReturnType<typeof mount> | undefined} */
    let page;

    /** One sentence instead of a half-drawn widget. @param {any} error */
    function refuse(error) {
      shown?.abort();
      waiting.setAttribute("role", "alert");
      waiting.textContent = error.message;
      root.replaceChildren(waiting);
      report(model, error.stack ?? error.message);
    }

    async function show() {
      const data = model.get("data");
      try {
        const payload = await payloadOf(model);
        if (life.signal.aborted || model.get("data") !== data) return;
        const view = page && keptView(page, model.get("state"), payload);
        const { scrolled = {} } = page?.store.transient ?? {};
        const focused = Boolean(focusedIn(root));
        shown?.abort();
        shown = new AbortController();
        root.replaceChildren();
        root.setAttribute("aria-label", words.region(payload));
        page = mount(model, host, root, payload, shown.signal);
        host.gramviz = page.handle;
        if (view) page.store.set(view);
        page.store.poke({ scrolled });
        if (focused) root.focus({ preventScroll: true });
      } catch (error) {
        refuse(error);
      }
    }

    model.on("change:data", show);
    life.signal.addEventListener("abort", () => {
      model.off("change:data", show);
      shown?.abort();
      host.shadowRoot?.replaceChildren();
      delete host.gramviz;
    });
    await show();
    // Hosts end a view by their signal, by what render returned, or by both.
    return () => life.abort();
  },
};
