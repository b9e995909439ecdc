// Colours: two sets of tokens, and which of them the page around asks for.

const TOKENS = {
  light: {
    bg: "#FFFFFF",
    sunk: "#F4F6F9",
    given: "#EAEEF3",
    line: "#D5DBE3",
    edge: "#7C8798",
    ink: "#16202E",
    ink2: "#46536A",
    ink3: "#5E6B7F",
    right: "#0072B2",
    wrong: "#C04A00",
    green: "#005433",
    pink: "#914471",
    gold: "#C17C00",
    other: "#7C8798",
    land: ["#F7F9FB", "#EFF3F7", "#E6ECF2", "#DCE4EC", "#D1DBE6"],
  },
  dark: {
    bg: "#12171F",
    sunk: "#1B222D",
    given: "#252E3B",
    line: "#333D4B",
    edge: "#7A8799",
    ink: "#F2F5F9",
    ink2: "#B9C4D2",
    ink3: "#93A0B2",
    right: "#4FB0E8",
    wrong: "#FF8A3D",
    green: "#4DDAAB",
    pink: "#FFC2EE",
    gold: "#B07C00",
    other: "#6F7C8E",
    land: ["#151B24", "#19212B", "#1E2733", "#232E3B", "#293544"],
  },
};

// cividis at nine points: legible without colour vision, and in print.
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
const SHARE = { light: [0, 0.85], dark: [0.15, 1] }; // the end that would vanish in the background is left out

function ramp(mode, value) {
  const [low, high] = SHARE[mode];
  // Dark on light and light on dark: a high value is always the stronger mark.
  const at = (mode === "light" ? high - value * (high - low) : low + value * (high - low)) * (CIVIDIS.length - 1);
  const k = Math.min(CIVIDIS.length - 2, Math.floor(at));
  const mixed = CIVIDIS[k].map((part, index) => Math.round(part + (CIVIDIS[k + 1][index] - part) * (at - k)));
  return `rgb(${mixed.join(" ")})`;
}

/** The ten colours of ARC; they are the task's own and the same in both themes. */
export const ARC = [
  "#000000",
  "#0074D9",
  "#FF4136",
  "#2ECC40",
  "#FFDC00",
  "#AAAAAA",
  "#F012BE",
  "#FF851B",
  "#7FDBFF",
  "#870C25",
];

function rgb(text) {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (hex)
    return hex.length === 3
      ? [...hex].map((digit) => 17 * parseInt(digit, 16))
      : [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const parts = /^rgba?\(([^)]+)\)$/
    .exec(text.trim())?.[1]
    .split(/[\s,/]+/)
    .map(Number);
  return parts && (parts[3] ?? 1) > 0.99 ? parts.slice(0, 3) : null;
}

/** Relative luminance of WCAG 2. */
function luminance(colour) {
  const [r, g, b] = colour.map((part) =>
    part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** The nearest opaque background behind an element, as [r, g, b], or null. */
function backdrop(element) {
  for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) {
    const colour = rgb(getComputedStyle(at).backgroundColor);
    if (colour) return colour;
  }
  return null;
}

const forced = () => matchMedia("(forced-colors: active)").matches;
const prefers = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

function modeOf(wish, host, frozen) {
  if (forced()) return prefers(); // the reader's own colours stand under ours, whatever view and notebook wish
  if (wish !== "auto") return wish;
  const lab = document.body.dataset.jpThemeLight;
  if (lab) return lab === "true" ? "light" : "dark";
  if (document.body.classList.contains("vscode-dark")) return "dark";
  // A frozen page takes its background from us, so asking the background would be asking ourselves.
  const behind = frozen ? null : backdrop(host);
  if (behind) return luminance(behind) > 0.4 ? "light" : "dark";
  return prefers();
}

/** The tokens to draw with: {mode, bg, ..., pick(colour)}; `pick` takes a token name or a number on the ramp. */
export function readTheme(wish, host, frozen) {
  const mode = modeOf(wish, host, frozen);
  const tokens = { ...TOKENS[mode] };
  const lab = rgb(getComputedStyle(host).getPropertyValue("--jp-layout-color1"));
  // The notebook's own background, if our inks keep 4.5:1 on it; else ours.
  if (lab && !forced() && [tokens.ink, tokens.ink3].every((ink) => contrast(rgb(ink), lab) >= 4.5))
    tokens.bg = `rgb(${lab.join(" ")})`;
  return { ...tokens, mode, pick: (colour) => (typeof colour === "number" ? ramp(mode, colour) : tokens[colour]) };
}

/** Writes the tokens as custom properties, which the style sheet reads. */
export function applyTheme(theme, root, host) {
  for (const name of Object.keys(TOKENS.light).filter((name) => name !== "land")) root.style.setProperty(`--${name}`, theme[name]);
  root.style.colorScheme = theme.mode;
  host.dataset.gvTheme = theme.mode;
}
