// Recipes, as `media/editing/recipes.py` reads them: what was done to a photo, and nothing that is neutral when spelt.

export const WHOLE = [0, 0, 1, 1];
export const MIN_CROP = 0.02;
const EFFECTS = ["clarity", "vignette", "sharpen", "grain"];

export const neutral = () => ({
  turn: 0,
  flip: false,
  straighten: 0,
  vertical: 0,
  horizontal: 0,
  crop: [...WHOLE],
  adjust: {},
  look: "",
  strength: 100,
  seed: 1,
});

export function read(data) {
  const { version, ...found } = structuredClone(data ?? {});
  return { ...neutral(), ...found };
}

const rounded = (value, decimals) => Number(value.toFixed(decimals)) + 0;
const isWhole = (crop) => crop.every((part, n) => part === WHOLE[n]);

/** Returns what is sent and stored: sorted, rounded, without what changes nothing. */
export function toJson(recipe) {
  const { look, strength, seed } = recipe;
  const plain = {
    ...recipe,
    straighten: rounded(recipe.straighten, 1),
    crop: recipe.crop.map((part) => rounded(part, 5)),
    adjust: sorted(Object.entries(recipe.adjust).filter(([name, value]) => (name === "levels" ? value[0] || value[1] !== 1 : value))),
    look: strength ? look : "",
    strength: look && strength ? strength : 100,
    seed,
  };
  const known = neutral();
  const kept = Object.entries(plain).filter(([name, value]) => {
    if (name === "crop") return !isWhole(value);
    if (name === "adjust") return Object.keys(value).length > 0;
    return value !== known[name];
  });
  return sorted([...kept, ["version", 1]]);
}

const sorted = (entries) => Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));

export const spell = (recipe) => JSON.stringify(toJson(recipe));

/** Returns whether two recipes give the same photo: without any edit, the seed of the grain does not count. */
export function areSame(one, other) {
  const [a, b] = [one, other].map((recipe) => spell({ ...recipe, seed: isNeutral(recipe) ? 1 : recipe.seed }));
  return a === b;
}

export const isNeutral = (recipe) => spell({ ...recipe, seed: 1 }) === '{"version":1}';

const only = (adjust, isKept) => Object.fromEntries(Object.entries(adjust).filter(([name]) => isKept(name)));

/** Returns what decides the table of colours. */
export const coloursOnly = ({ adjust, look, strength }) => ({
  ...neutral(),
  adjust: only(adjust, (name) => !EFFECTS.includes(name)),
  look,
  strength,
});

/** Returns what decides the shape. */
export const shapeOnly = (recipe) => ({ ...recipe, adjust: {}, look: "", strength: 100, seed: 1 });

/** Returns what shows in swatches: the shape, and the colours without the look. */
export const swatchesOnly = (recipe) => ({
  ...shapeOnly(recipe),
  adjust: only(recipe.adjust, (name) => !EFFECTS.includes(name)),
});

/** Returns how one photo looks once the colours of another are copied to it; its own shape and grain stay. */
export const withColoursOf = (recipe, { adjust, look, strength }) => ({
  ...recipe,
  adjust: structuredClone(adjust),
  look,
  strength,
});

/** Returns clarity, vignette, sharpen and grain (−1…1): those of the tools and of the look together. */
export function effects(recipe, looks) {
  const look = looks[recipe.look];
  const found = {};
  for (const name of EFFECTS) {
    const low = name === "sharpen" || name === "grain" ? 0 : -1;
    const own = (recipe.adjust[name] ?? 0) / 100;
    const added = look ? ((recipe.strength / 100) * look[name]) / 100 : 0;
    found[name] = Math.min(1, Math.max(low, own + added));
  }
  return found;
}

/** Returns the photo as it stands there, turned clockwise by a quarter. */
export function turned(recipe) {
  const [left, top, right, bottom] = recipe.crop;
  return {
    ...recipe,
    turn: (recipe.turn + (recipe.flip ? 270 : 90)) % 360,
    vertical: recipe.horizontal,
    horizontal: -recipe.vertical + 0,
    crop: [1 - bottom, left, 1 - top, right],
  };
}

/** Returns the photo as it stands there, mirrored left to right. */
export function mirrored(recipe) {
  const [left, top, right, bottom] = recipe.crop;
  return {
    ...recipe,
    flip: !recipe.flip,
    straighten: -recipe.straighten + 0,
    horizontal: -recipe.horizontal + 0,
    crop: [1 - right, top, 1 - left, bottom],
  };
}
