// What every part is given. Parts share the state of the store and these services, and know nothing of each other.

/**
 * @typedef {object} Context made once for each payload, by `page.js`
 * @property {import("./types.js").Payload} payload what is shown
 * @property {import("./store.js").Store} store the state (saved) and the transient state (hover, playing, ...)
 * @property {HTMLElement} root the widget's element
 * @property {AbortSignal} signal ends with the view
 * @property {import("./types.js").Theme} theme the colors to draw with; changes with the key "theme"
 * @property {import("./layout.js").Sizes} size the sizes to draw at; change with the key "layout"
 * @property {import("./actions.js").Actions} actions what buttons and keys both do
 * @property {import("./lesson.js").Lesson} lesson the chapters and their quizzes
 * @property {import("./kernel.js").Kernel} kernel what only a model can answer
 * @property {import("./clock.js").Clock} clock
 * @property {(text: string) => void} say shows a sentence in the details line, and has it read aloud
 * @property {() => void} paint draws what has changed, at once
 * @property {() => void} redraw draws everything anew, at once
 * @property {() => void} fit measures the widget anew
 */

export {};
