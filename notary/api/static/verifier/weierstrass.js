// Points of short Weierstrass curves, y² = x³ + ax + b, in Jacobian coordinates (x/z², y/z³).
//
// BigInt arithmetic takes a time that depends on the numbers. That is right here and only here: everything that a
// verifier computes with is public, so there is nothing that the time could tell. Never sign with it.

const INFINITY = { x: 1n, y: 1n, z: 0n };

export function mod(value, modulus) {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

export function power(base, exponent, modulus) {
  let result = 1n;
  let square = mod(base, modulus);
  for (let bits = exponent; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

// The inverse modulo a prime; of 0 it is 0.
export function inverse(value, prime) {
  let [low, high] = [mod(value, prime), prime];
  let [one, two] = [1n, 0n];
  while (low > 1n) {
    const times = high / low;
    [low, high] = [high % low, low];
    [one, two] = [two - times * one, one];
  }
  return low === 0n ? 0n : mod(one, prime);
}

export const isOnCurve = ({ p, a, b }, { x, y }) => x >= 0n && x < p && y >= 0n && y < p && mod(y * y - (x * x + a) * x - b, p) === 0n;

// The y of a parity for an x, or null where there is no point.
export function liftX(curve, x, odd) {
  const { p, a, b } = curve;
  if (x >= p) return null;
  let y = power((x * x + a) * x + b, (p + 1n) / 4n, p);
  if ((y & 1n) !== (odd ? 1n : 0n)) y = mod(-y, p);
  return isOnCurve(curve, { x, y }) && (y & 1n) === (odd ? 1n : 0n) ? { x, y } : null;
}

function double({ p, a }, { x, y, z }) {
  if (z === 0n || y === 0n) return INFINITY;
  const yy = (y * y) % p;
  const s = (4n * x * yy) % p;
  const zz = (z * z) % p;
  const m = (3n * x * x + (a === 0n ? 0n : ((a * zz) % p) * zz)) % p;
  const nx = mod(m * m - 2n * s, p);
  return { x: nx, y: mod(m * (s - nx) - 8n * yy * yy, p), z: (2n * y * z) % p };
}

function add(curve, one, two) {
  if (one.z === 0n) return two;
  if (two.z === 0n) return one;
  const { p } = curve;
  const z1 = (one.z * one.z) % p;
  const z2 = (two.z * two.z) % p;
  const u1 = (one.x * z2) % p;
  const s1 = (((one.y * z2) % p) * two.z) % p;
  const h = mod(two.x * z1 - u1, p);
  const r = mod(((two.y * z1) % p) * one.z - s1, p);
  if (h === 0n) return r === 0n ? double(curve, one) : INFINITY;
  const hh = (h * h) % p;
  const hhh = (hh * h) % p;
  const v = (u1 * hh) % p;
  const x = mod(r * r - hhh - 2n * v, p);
  return { x, y: mod(r * (v - x) - s1 * hhh, p), z: (((one.z * two.z) % p) * h) % p };
}

// u·P + v·Q as x and y, or null for infinity; two bits of each at once.
export function combine(curve, u, p, v, q) {
  const table = [INFINITY];
  const [one, two] = [p, q].map(({ x, y }) => ({ x, y, z: 1n }));
  for (let i = 1; i < 16; i++) table.push(i < 4 ? add(curve, table[i - 1], one) : add(curve, table[i - 4], two));
  let sum = INFINITY;
  for (let bit = curve.n.toString(2).length & ~1; bit >= 0; bit -= 2) {
    sum = double(curve, double(curve, sum));
    const at = BigInt(bit);
    const which = Number((u >> at) & 3n) + 4 * Number((v >> at) & 3n);
    if (which) sum = add(curve, sum, table[which]);
  }
  if (sum.z === 0n) return null;
  const inverted = inverse(sum.z, curve.p);
  const squared = (inverted * inverted) % curve.p;
  return { x: (sum.x * squared) % curve.p, y: (((sum.y * squared) % curve.p) * inverted) % curve.p };
}
