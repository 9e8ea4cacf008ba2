// The result as JSON text. Sizes and indexes above 2^53 are BigInt in it, and written with all their digits.

export const exact = (number) => (number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : number);

// As JSON.stringify(value, null, indent), and BigInt too. Args: what `verify` gives; spaces a level, 0 for one line.
export function textOfResult(value, indent = 0, margin = "") {
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = margin + " ".repeat(indent);
  const within = (item) => textOfResult(item, indent, inner);
  const named = ([key, item]) => `${JSON.stringify(key)}:${indent > 0 ? " " : ""}${within(item)}`;
  const [open, close, items] = Array.isArray(value) ? ["[", "]", value.map(within)] : ["{", "}", Object.entries(value).map(named)];
  if (items.length === 0 || indent === 0) return `${open}${items.join(",")}${close}`;
  return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${margin}${close}`;
}
