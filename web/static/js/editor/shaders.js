// The programs of the renderer, by the formulas of `media/editing/effects.py`, `noise.py` and `table.py`.
// Between passes, row 0 is the top of the picture; only the canvas counts its rows from below.

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler3D;
`;

export const CORNERS = `#version 300 es
void main() {
  gl_Position = vec4(float((gl_VertexID & 1) * 4 - 1), float((gl_VertexID >> 1) * 4 - 1), 0, 1);
}`;

/** Turns, mirrors, straightens, corrects and crops: the cubic of Pillow, which cuts off what is behind the point. */
export const SHAPE = `${HEAD}
uniform sampler2D source;
uniform mat3 map;
uniform int mode; // 0: pixel by pixel, 1: cubic, 2: smaller, from mipmaps
out vec4 colour;
vec3 at(ivec2 p, ivec2 size) { return round(texelFetch(source, clamp(p, ivec2(0), size - 1), 0).rgb * 255.); }
vec3 cubic(vec3 a, vec3 b, vec3 c, vec3 d, float t) {
  return b + t * (c - a + t * (2. * (a - b) + c - d + t * (b - a - c + d)));
}
void main() {
  ivec2 size = textureSize(source, 0);
  vec3 found = map * vec3(gl_FragCoord.xy, 1);
  vec2 p = found.xy / found.z;
  if (mode == 2) { colour = vec4(texture(source, p / vec2(size)).rgb, 1); return; }
  if (mode == 0) { colour = vec4(at(ivec2(floor(p)), size) / 255., 1); return; }
  p -= .5;
  ivec2 i = ivec2(floor(p));
  vec2 t = p - vec2(i);
  vec3 rows[4];
  for (int k = 0; k < 4; k++) {
    ivec2 q = i + ivec2(0, k - 1);
    rows[k] = cubic(at(q - ivec2(1, 0), size), at(q, size), at(q + ivec2(1, 0), size), at(q + ivec2(2, 0), size), t.x);
  }
  colour = vec4(floor(clamp(cubic(rows[0], rows[1], rows[2], rows[3], t.y), 0., 255.) + .002) / 255., 1);
}`;

const LUMA = "float luma(vec3 c) { return dot(c, vec3(.2126, .7152, .0722)); }\n";

const COLOURS = `
uniform sampler2D base;
uniform sampler3D first, second;
uniform bvec2 has;
uniform float strength, fade;
${LUMA}
vec3 look_up(sampler3D table, vec3 c) {
  vec3 p = clamp(c, 0., 1.) * 32.;
  ivec3 i = ivec3(min(floor(p), 31.));
  vec3 f = p - vec3(i), sum = vec3(0);
  for (int k = 0; k < 8; k++) {
    ivec3 o = ivec3(k & 1, k >> 1 & 1, k >> 2 & 1);
    vec3 w = mix(1. - f, f, vec3(o));
    sum += w.x * w.y * w.z * texelFetch(table, i + o, 0).rgb;
  }
  return sum;
}
vec3 coloured(ivec2 p) {
  vec3 c = texelFetch(base, p, 0).rgb;
  if (has.x) c = look_up(first, c);
  if (has.y) c += strength * (look_up(second, c) - c);
  if (fade > 0.) {
    c += fade * (.16 * (1. - c) * (1. - c) - .04 * c * c);
    c = luma(c) + (c - luma(c)) * (1. - .2 * fade);
  }
  return clamp(c, 0., 1.);
}
`;

/** Averages brightness over the width of each cell of clarity. */
export const NARROW = `${HEAD}${COLOURS}
uniform float cells;
out vec4 colour;
void main() {
  ivec2 p = ivec2(gl_FragCoord.xy);
  int width = textureSize(base, 0).x;
  float per = float(width) / cells, from = float(p.x) * per, to = from + per, sum = 0.;
  for (int x = int(from); x < min(width, int(ceil(to))); x++)
    sum += luma(coloured(ivec2(x, p.y))) * (min(to, float(x + 1)) - max(from, float(x)));
  colour = vec4(sum / per, 0, 0, 1);
}`;

/** Averages that over the height of each cell. */
export const LOWER = `${HEAD}
uniform sampler2D base;
uniform float cells;
out vec4 colour;
void main() {
  ivec2 p = ivec2(gl_FragCoord.xy);
  int height = textureSize(base, 0).y;
  float per = float(height) / cells, from = float(p.y) * per, to = from + per, sum = 0.;
  for (int y = int(from); y < min(height, int(ceil(to))); y++)
    sum += texelFetch(base, ivec2(p.x, y), 0).r * (min(to, float(y + 1)) - max(from, float(y)));
  colour = vec4(sum / per, 0, 0, 1);
}`;

const BLURRED = `
uniform float sigma;
float blurred(sampler2D plane, ivec2 p, ivec2 step) {
  ivec2 last = textureSize(plane, 0) - 1;
  int radius = int(ceil(3. * sigma - 1e-4));
  float sum = 0., total = 0.;
  for (int k = -radius; k <= radius; k++) {
    float weight = exp(-.5 * float(k * k) / (sigma * sigma));
    sum += weight * VALUE(texelFetch(plane, clamp(p + k * step, ivec2(0), last), 0));
    total += weight;
  }
  return sum / total;
}
`;

/** Blurs a plane along one axis; with \`isPicture\`, the brightness of a picture. */
export const blur = (isPicture) => `${HEAD}${LUMA}
#define VALUE(texel) ${isPicture ? "luma((texel).rgb)" : "(texel).r"}
${BLURRED}
uniform sampler2D base;
uniform ivec2 direction;
out vec4 colour;
void main() { colour = vec4(blurred(base, ivec2(gl_FragCoord.xy), direction), 0, 0, 1); }`;

const GRAIN = `
uniform float grain;
uniform uint seed;
float noise(ivec2 q, uint seed) {
  uint n = uint(q.x) * 0x9E3779B9u + uint(q.y) * 0xC0356F07u + seed * 0xD6E48651u;
  n = (n ^ (n >> 16)) * 0xE4E23BB1u;
  n = (n ^ (n >> 15)) * 0xA3056CDDu;
  n = n ^ (n >> 16);
  return float((n & 0xFFFFu) + (n >> 16)) / 65535. - 1.;
}
float layer(vec2 place, vec2 size, float cells, uint seed) {
  float longest = max(size.x, size.y);
  vec2 p = place * cells / longest;
  ivec2 i = ivec2(floor(p));
  vec2 f = p - vec2(i), after = f * inversesqrt(f * f + (1. - f) * (1. - f)), before = (1. - f) * inversesqrt(f * f + (1. - f) * (1. - f));
  float sum = 0.;
  for (int k = 0; k < 4; k++) {
    ivec2 o = ivec2(k & 1, k >> 1);
    vec2 w = mix(before, after, vec2(o));
    sum += w.x * w.y * noise(i + o, seed);
  }
  return sum * min(1., longest / cells);
}
vec3 grained(vec3 c, vec2 place, vec2 size) {
  if (grain == 0.) return c;
  float y = luma(c), field = .8 * layer(place, size, 1600., seed) + .45 * layer(place, size, 700., seed + 1u);
  return clamp(c + .13 * grain * (.2 + 3.2 * y * (1. - y)) * field, 0., 1.);
}
`;

/** The canvas counts from below, and shows the photo as it was left of \`split\`. */
const PLACE = `
uniform bool is_last;
uniform float split;
ivec2 place_of(ivec2 size) {
  ivec2 p = ivec2(gl_FragCoord.xy);
  return is_last ? ivec2(p.x, size.y - 1 - p.y) : p;
}
`;

/** Colours, clarity, vignette, and grain where nothing comes after. */
export const DEVELOP = `${HEAD}${COLOURS}${GRAIN}${PLACE}
uniform sampler2D cells;
uniform float clarity, vignette;
out vec4 colour;
float around(vec2 place, vec2 size) {
  vec2 count = vec2(textureSize(cells, 0)), p = clamp(place * count / size - .5, vec2(0), count - 1.);
  ivec2 i = ivec2(min(floor(p), count - 2.));
  vec2 f = p - vec2(i);
  float a = texelFetch(cells, i, 0).r, b = texelFetch(cells, i + ivec2(1, 0), 0).r;
  float c = texelFetch(cells, i + ivec2(0, 1), 0).r, d = texelFetch(cells, i + ivec2(1, 1), 0).r;
  return mix(mix(a, b, f.x), mix(c, d, f.x), f.y);
}
void main() {
  ivec2 whole = textureSize(base, 0), p = place_of(whole);
  vec2 size = vec2(whole), place = vec2(p) + .5;
  if (is_last && place.x < split) { colour = vec4(texelFetch(base, p, 0).rgb, 1); return; }
  vec3 c = coloured(p);
  if (clarity != 0.) {
    float y = luma(c), d = y - around(place, size);
    d /= 1. + abs(d) / .15;
    d *= clarity > 0. ? .9 * clarity * 4. * y * (1. - y) : .45 * clarity;
    c = clamp(c + d, 0., 1.);
  }
  if (vignette != 0.) {
    vec2 n = 2. * place / size - 1.;
    float m = 1. - .65 * abs(vignette) * smoothstep(.3, 1.05, length(n) / sqrt(2.));
    c = vignette > 0. ? c * m : 1. - (1. - c) * m;
  }
  if (is_last) c = grained(c, place, size);
  colour = vec4(c, 1);
}`;

/** Sharpens a developed picture, whose brightness was blurred down its columns, and adds grain. */
export const SHARPEN = `${HEAD}${LUMA}
#define VALUE(texel) (texel).r
${BLURRED}${GRAIN}${PLACE}
uniform sampler2D developed, columns, base;
uniform float sharpen;
out vec4 colour;
void main() {
  ivec2 whole = textureSize(developed, 0), p = place_of(whole);
  if (float(p.x) + .5 < split) { colour = vec4(texelFetch(base, p, 0).rgb, 1); return; }
  vec3 c = texelFetch(developed, p, 0).rgb;
  float d = luma(c) - blurred(columns, p, ivec2(1, 0));
  d = d * d * d / (d * d + .012 * .012);
  d /= 1. + abs(d) / .12;
  c = clamp(c + 1.6 * sharpen * d, 0., 1.);
  colour = vec4(grained(c, vec2(p) + .5, vec2(whole)), 1);
}`;
