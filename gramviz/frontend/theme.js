// Colors: two sets of tokens, and which of them the page around asks for.

import { contract } from "./contract.js";

/** @import { Mode, Rgb, State, Theme } from "./types.js" */

// cividis at nine points: legible without color vision, and in print.
const CIVIDIS = [
  [0, 32, 77],
  [0, 48, 111],
  [57, 71, 107],
  [87, 93, 109],
  [112, 113, 115],
  [138, 135, 121],
  [166, 157, 117],
  [196, 181, 108],
  [255, 234, 70],
];

/** @param {Mode} mode @param {number} value 0 to 1 */
function ramp(mode, value) {
  const [low, high] = contract.ramp[mode]; // the end that would vanish in the background is left out
  const at = (low + value * (high - low)) * (CIVIDIS.length - 1);
  const k = Math.min(CIVIDIS.length - 2, Math.floor(at));
  const mixed = CIVIDIS[k].map((part, index) => Math.round(part + (CIVIDIS[k + 1][index] - part) * (at - k)));
  return `rgb(${mixed.join(" ")})`;
}

/** The ten colors of ARC; they are the task's own and the same in both themes. */
export const ARC = contract.arc;

/** @param {string} text a CSS color @returns {Rgb | null} null where it is not opaque */
function rgb(text) {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (hex)
    return hex.length === 3
      ? /** @type {Rgb} */ ([...hex].map((digit) => 17 * parseInt(digit, 16)))
      : /** @type {Rgb} */ ([0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const parts = /^rgba?\(([^)]+)\)$/
    .exec(text.trim())?.[1]
    .split(/[\s,/]+/)
    .map(Number);
  return parts && (parts[3] ?? 1) > 0.99 ? /** @type {Rgb} */ (parts.slice(0, 3)) : null;
}

/** Relative luminance of WCAG 2. @param {Rgb} color */
function luminance(color) {
  const [r, g, b] = color.map((part) =>
    part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {Rgb} one @param {Rgb} other */
function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** The nearest opaque background behind an element, or null. @param {Element} element */
function backdrop(element) {
  /** @type {Element | undefined} */
  let at = element;
  while (at) {
    const color = rgb(getComputedStyle(at).backgroundColor);
    if (color) return color;
    const root = at.getRootNode();
    at = at.parentElement ?? (root instanceof ShadowRoot ? root.host : undefined);
  }
  return null;
}

const forced = () => matchMedia("(forced-colors: active)").matches;
/** @returns {Mode} */
const prefers = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

/** @param {State["theme"]} wanted @param {Element} host @param {boolean} frozen @returns {Mode} */
function modeOf(wanted, host, frozen) {
  if (forced()) return prefers(); // the reader's own colors stand under ours, whatever view and notebook want
  if (wanted !== "auto") return wanted;
  const lab = document.body.dataset.jpThemeLight;
  if (lab) return lab === "true" ? "light" : "dark";
  if (document.body.classList.contains("vscode-dark")) return "dark";
  // A frozen page takes its background from us, so asking the background would be asking ourselves.
  const behind = frozen ? null : backdrop(host);
  if (behind) return luminance(behind) > 0.4 ? "light" : "dark";
  return prefers();
}

/** The tokens to draw with: {mode, bg, ..., pick(color)}; `pick` takes a token name or a number on the ramp.
 * @param {State["theme"]} wanted @param {Element} host @param {boolean} frozen @returns {Theme} */
export function readTheme(wanted, host, frozen) {
  const mode = modeOf(wanted, host, frozen);
  const tokens = { ...contract.palettes[mode] };
  const lab = rgb(getComputedStyle(host).getPropertyValue("--jp-layout-color1"));
  // The notebook's own background, if our inks keep 4.5:1 on it; else ours.
  const inks = [tokens.ink, tokens.text3].map((ink) => /** @type {Rgb} */ (rgb(ink)));
  if (lab && !forced() && inks.every((ink) => contrast(ink, lab) >= 4.5)) tokens.bg = `rgb(${lab.join(" ")})`;
  return { ...tokens, mode, pick: (color) => (typeof color === "number" ? ramp(mode, color) : tokens[color]) };
}

/** Writes the tokens as custom properties, which the style sheet reads.
 * @param {Theme} theme @param {HTMLElement} root @param {HTMLElement} host */
export function applyTheme(theme, root, host) {
  for (const [name, value] of Object.entries(theme))
    if (typeof value === "string") root.style.setProperty(`--${name}`, value);
  root.style.colorScheme = theme.mode;
  host.dataset.gvTheme = theme.mode;
}
