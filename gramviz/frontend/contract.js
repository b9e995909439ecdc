// What Python and the page both must know, from the file that gramviz.contract reads; and what its schemas mean.

import data from "../contract.json" with { type: "json" };

/** @import { ColorToken, Hue, Mode, Pair, Palette, Schema } from "./types.js" */

/**
 * @typedef {object} Colors what the compiler reads in JSON as any text
 * @property {Record<keyof typeof data.roles, ColorToken>} roles
 * @property {Hue[]} categories
 * @property {Record<keyof typeof data.named, Hue>} named
 * @property {Record<Mode, Palette>} palettes
 * @property {Record<Mode, Pair>} ramp
 */
export const contract = /** @type {Omit<typeof data, keyof Colors> & Colors} */ (data);

/** @type {Record<string, Schema>} */
const defs = data.defs;

/** @type {Record<string, (value: unknown) => boolean>} */
const CHECKS = {
  null: (value) => value === null,
  string: (value) => typeof value === "string",
  integer: Number.isSafeInteger,
  number: Number.isFinite,
  array: Array.isArray,
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

/** Whether a JSON value is as a schema of the contract says; as gramviz.contract.fits; both are checked
 * against tests/vectors/state.json.
 * @param {unknown} value @param {Schema} schema @returns {boolean} */
export function fits(value, schema) {
  if (schema.$ref) return fits(value, defs[schema.$ref.replace("#/defs/", "")]);
  if (schema.anyOf) return schema.anyOf.some((one) => fits(value, one));
  if (schema.enum) return schema.enum.includes(value);
  if (!schema.type || !CHECKS[schema.type](value)) return false;
  if (schema.minimum !== undefined && Number(value) < schema.minimum) return false;
  if (schema.pattern) return new RegExp(schema.pattern).test(String(value));
  if (Array.isArray(value)) {
    const { minItems = 0, maxItems = Infinity, items = {}, prefixItems = [] } = schema;
    return (
      minItems <= value.length &&
      value.length <= maxItems &&
      value.every((item, k) => fits(item, prefixItems[k] ?? items))
    );
  }
  if (!schema.properties) return true;
  const { properties, required = [] } = schema;
  const entries = new Map(Object.entries(/** @type {object} */ (value)));
  return (
    required.every((key) => entries.has(key)) &&
    [...entries].every(([key, item]) => Object.hasOwn(properties, key) && fits(item, properties[key]))
  );
}
