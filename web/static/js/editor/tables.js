// Tables of colours: the exact ones of the server, and the chain that stands in for one while a slider moves.

import * as recipes from "./recipe.js";
import { build } from "./tools_table.js";

const MOST = 12; // 0.4 MB each
const tables = new Map();
const coming = new Map();
let tools = { key: "", table: null };

const lookOnly = (look) => ({ ...recipes.neutral(), look });

async function fetchTable(key) {
  const answer = await fetch(`/photos/table?recipe=${encodeURIComponent(key)}`);
  if (!answer.ok) throw new Error(`a table was refused: ${answer.status}`);
  const table = new Float32Array(await answer.arrayBuffer());
  tables.set(key, table);
  if (tables.size > MOST) tables.delete(tables.keys().next().value);
  return table;
}

/** Loads a table, once for all who ask meanwhile. */
function load(recipe) {
  const key = recipes.spell(recipe);
  if (tables.has(key)) return tables.get(key);
  if (!coming.has(key)) coming.set(key, fetchTable(key).finally(() => coming.delete(key)));
  return coming.get(key);
}

/** Loads the exact table of a recipe's colours. */
export const loadExact = (recipe) => load(recipes.coloursOnly(recipe));

export const loadLook = (look) => load(lookOnly(look));

export const knowsLook = (look) => !look || tables.has(recipes.spell(lookOnly(look)));

export const isExact = (recipe) => recipes.isNeutral(recipes.coloursOnly(recipe)) || tables.has(recipes.spell(recipes.coloursOnly(recipe)));

/** Returns what the renderer needs: the exact table if it is here, or one of the tools and that of the look. */
export function coloursOf(recipe) {
  const colours = recipes.coloursOnly(recipe);
  if (recipes.isNeutral(colours)) return {};
  const exact = tables.get(recipes.spell(colours));
  if (exact) return { first: exact };
  const second = colours.look ? tables.get(recipes.spell(lookOnly(colours.look))) : undefined;
  const withFade = !second;
  const key = `${withFade}${JSON.stringify(colours.adjust)}`;
  if (tools.key !== key) tools = { key, table: build(colours.adjust, { withFade }) };
  return { first: tools.table, second, strength: colours.strength / 100, fade: withFade ? 0 : (colours.adjust.fade ?? 0) / 100 };
}
