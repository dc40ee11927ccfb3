// The table of the tools that change each pixel by itself, by the formulas of `media/editing/tools.py`, `curves.py` and
// `colours.py`: what a slider shows while it moves. Looks are not computed here; their tables come from the server.

export const NODES = 33;
const TINY = 1e-6;
const LUMA = [0.2126, 0.7152, 0.0722];
const WARMTH = [0.5, 0, -0.8];
const TINT = [0.22, -0.32, 0.22];
const AXIS = Float64Array.from({ length: NODES }, (_, n) => n / (NODES - 1));

const decode = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const encode = (v) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);
const clamp = (v) => (v < 0 ? 0 : v > 1 ? 1 : v);
const colourful = (chroma, half) => (chroma * chroma) / (chroma * chroma + half * half);
const gain = (v, factor) => (v * factor) / (1 + (factor - 1) * v);

function smoothstep(low, high, v) {
  const part = clamp((v - low) / (high - low));
  return part * part * (3 - 2 * part);
}

function levels(black, white) {
  const [span, top] = [white - black, 1 - white];
  return (v) => {
    if (top > 0 && v > 1 - 2 * top) return 1 - (1 - v) ** 2 / (4 * top * span);
    if (black > 0 && v < 2 * black) return (v * v) / (4 * black * span);
    return (v - black) / span;
  };
}

function contrast(v, amount) {
  const steepness = 5.6 * Math.abs(amount);
  if (steepness < TINY) return v;
  const low = 1 / (1 + Math.exp(steepness / 2));
  if (amount > 0) return (1 / (1 + Math.exp(-steepness * (v - 0.5))) - low) / (1 - 2 * low);
  const part = low + v * (1 - 2 * low);
  return 0.5 + Math.log(part / (1 - part)) / steepness;
}

/** Returns levels, blacks, shadows, highlights, whites and contrast as one curve; null for the straight line. */
function toneCurve(adjust) {
  const amount = (name) => (adjust[name] ?? 0) / 100;
  const names = ["blacks", "shadows", "highlights", "whites", "contrast"];
  const [black, white] = adjust.levels ?? [0, 1];
  if (!names.some(amount) && black === 0 && white === 1) return null;
  const scaled = (name, up, down) => amount(name) * (amount(name) > 0 ? up : down);
  const blacks = scaled("blacks", 1.6, 0.9);
  const shadows = scaled("shadows", 1.9, 0.9);
  const highlights = scaled("highlights", 0.9, 1.5);
  const whites = scaled("whites", 0.9, 1.6);
  const stretch = levels(black, white);
  const steep = amount("contrast");
  return (value) => {
    let v = stretch(value);
    v += blacks * v * (1 - v) ** 6;
    v += shadows * v * (1 - v) ** 3;
    v += highlights * (1 - v) * v ** 3;
    v += whites * (1 - v) * v ** 6;
    return contrast(v, steep);
  };
}

/** Returns the 33 values of each channel after exposure and white balance. */
function exposed(adjust) {
  const [exposure, warmth, tint] = ["exposure", "warmth", "tint"].map((name) => (adjust[name] ?? 0) / 100);
  if (!exposure && !warmth && !tint) return [AXIS, AXIS, AXIS];
  const plain = WARMTH.map((stops, n) => 2 ** (stops * warmth + TINT[n] * tint));
  const sum = plain.reduce((total, factor, n) => total + factor * LUMA[n], 0);
  const more = 2 ** (exposure * (exposure > 0 ? 2.2 : 1.3));
  const less = 2 ** (0.9 * Math.min(exposure, 0));
  return plain.map((factor) => AXIS.map((v) => encode(gain(decode(v), (factor / sum) * more) * less)));
}

function skinMask(r, g, b) {
  const [x, y, z] = [decode(r), decode(g), decode(b)];
  const l = Math.cbrt(0.4122214708 * x + 0.5363325363 * y + 0.0514459929 * z);
  const m = Math.cbrt(0.2119034982 * x + 0.6806995451 * y + 0.1073969566 * z);
  const s = Math.cbrt(0.0883024619 * x + 0.2817188376 * y + 0.6299787005 * z);
  const across = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const down = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  const hue = (Math.atan2(down, across) * 180) / Math.PI;
  const chroma = Math.hypot(across, down);
  return (
    smoothstep(15, 38, hue) * (1 - smoothstep(75, 105, hue)) * smoothstep(0.008, 0.028, chroma) * (1 - smoothstep(0.13, 0.19, chroma))
  );
}

/** Changes the saturation of one colour of `table` in place. */
function saturate(table, at, amount, isVibrance) {
  const r = table[at];
  const g = table[at + 1];
  const b = table[at + 2];
  const high = Math.max(r, g, b);
  const low = Math.min(r, g, b);
  const saturation = clamp(1 - low / Math.max(high, TINY));
  let strength = amount > 0 ? 1.6 * amount * colourful(high - low, 0.06) : amount;
  if (isVibrance) {
    strength *= (1 - saturation) ** 1.5 * (1 - 0.55 * skinMask(r, g, b));
    if (amount > 0) strength *= 1.4;
  }
  if (amount > 0) {
    const factor = (1 + strength) / (1 + strength * saturation);
    for (let n = 0; n < 3; n++) table[at + n] = high - (high - table[at + n]) * factor;
  } else {
    const y = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b;
    const factor = 1 + Math.max(strength, -1);
    for (let n = 0; n < 3; n++) table[at + n] = y + (table[at + n] - y) * factor;
  }
}

/** Applies the curve to one colour without turning its hue; its channels through the curve are `r2`, `g2` and `b2`. */
function tone(table, at, r2, g2, b2, atBlack) {
  const r = table[at];
  const g = table[at + 1];
  const b = table[at + 2];
  const high = Math.max(r, g, b);
  const low = Math.min(r, g, b);
  if (high - low < TINY) {
    table[at] = r2;
    table[at + 1] = g2;
    table[at + 2] = b2;
    return;
  }
  const newHigh = high === r ? r2 : high === g ? g2 : b2;
  const kept = 0.8 * colourful(high - low, 0.08);
  const through = low === r ? r2 : low === g ? g2 : b2;
  const newLow = (1 - kept) * through + kept * (atBlack + (low * (newHigh - atBlack)) / Math.max(high, TINY));
  const slope = (newHigh - newLow) / (high - low);
  for (let n = at; n < at + 3; n++) table[n] = newLow + (table[n] - low) * slope;
}

/** Returns the table: three values a node, red fastest. Without `withFade` it ends before fade, which follows a look. */
export function build(adjust, { withFade = true } = {}) {
  const table = new Float64Array(NODES ** 3 * 3);
  const channels = exposed(adjust);
  const curve = toneCurve(adjust);
  const curves = curve && channels.map((values) => values.map(curve));
  const atBlack = curve && curve(0);
  const [vibrance, saturation, fade] = ["vibrance", "saturation", "fade"].map((name) => (adjust[name] ?? 0) / 100);
  let at = 0;
  for (let b = 0; b < NODES; b++) {
    for (let g = 0; g < NODES; g++) {
      for (let r = 0; r < NODES; r++, at += 3) {
        table[at] = channels[0][r];
        table[at + 1] = channels[1][g];
        table[at + 2] = channels[2][b];
        if (curve) tone(table, at, curves[0][r], curves[1][g], curves[2][b], atBlack);
        if (vibrance) saturate(table, at, vibrance, true);
        if (saturation) saturate(table, at, saturation, false);
        if (withFade && fade) {
          for (let n = at; n < at + 3; n++) table[n] += fade * (0.16 * (1 - table[n]) ** 2 - 0.04 * table[n] ** 2);
          saturate(table, at, -0.2 * fade, false);
        }
      }
    }
  }
  const rounded = new Float32Array(table.length);
  for (let n = 0; n < table.length; n++) rounded[n] = clamp(table[n]);
  return rounded;
}
