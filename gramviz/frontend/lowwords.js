// What is said of low-level steps; a part of `words`.

export const lowWords = {
  low: "The answer is decoded from h; it changes at the end of the transition.",
  moved: "how far l moved",
  lowMost: (/** @type {string} */ place, /** @type {string} */ far) => `It moved most at ${place}, by ${far}.`,
  lowStep: (
    /** @type {string} */ name,
    /** @type {number} */ at,
    /** @type {number} */ all,
    /** @type {string} */ far,
  ) => `${name}, low-level step ${at} of ${all}: l moved by ${far}.`,
};
