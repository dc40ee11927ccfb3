// Draws an edited photo with WebGL2: shape, then colours and effects, as `media/editing` does on the server.

import * as geometry from "./geometry.js";
import { NODES } from "./tools_table.js";
import * as shaders from "./shaders.js";

const CLARITY_CELLS = 256;
const CLARITY_SIGMA = 0.02;

export class Renderer {
  /** Throws where WebGL2, or drawing into floats, is missing. */
  constructor(canvas) {
    const options = { alpha: false, antialias: false, depth: false, powerPreference: "high-performance", premultipliedAlpha: false };
    const gl = canvas.getContext("webgl2", options);
    if (!gl?.getExtension("EXT_color_buffer_float")) throw new Error("no WebGL2");
    this.canvas = canvas;
    this.gl = gl;
    this.programs = {};
    this.targets = {};
    this.tables = [null, null];
    this.shapeKey = "";
    this.vertices = gl.createVertexArray();
    const sources = { shape: shaders.SHAPE, narrow: shaders.NARROW, lower: shaders.LOWER, develop: shaders.DEVELOP, sharpen: shaders.SHARPEN };
    sources.cells = shaders.blur(false);
    sources.columns = shaders.blur(true);
    for (const [name, source] of Object.entries(sources)) this.programs[name] = this.compile(source);
    this.tableTextures = [0, 1].map(() => this.texture(gl.TEXTURE_3D));
  }

  compile(source) {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, shaders.CORNERS], [gl.FRAGMENT_SHADER, source]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      const log = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader));
      throw new Error(`a program does not link: ${gl.getProgramInfoLog(program)} ${log.join(" ")}`);
    }
    const places = new Map();
    for (let n = 0; n < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); n++) {
      const { name, type } = gl.getActiveUniform(program, n);
      places.set(name, [gl.getUniformLocation(program, name), type]);
    }
    return { program, places };
  }

  texture(kind, filter = this.gl.NEAREST) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(kind, texture);
    gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, filter === gl.NEAREST ? filter : gl.LINEAR_MIPMAP_LINEAR);
    gl.texParameteri(kind, gl.TEXTURE_MAG_FILTER, filter);
    for (const axis of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(kind, axis, gl.CLAMP_TO_EDGE);
    return texture;
  }

  /** Takes the upright photo: an image, or its pixels as RGBA bytes, `{data, width, height}`. */
  setSource(image) {
    const { gl } = this;
    gl.deleteTexture(this.source);
    this.source = this.texture(gl.TEXTURE_2D, gl.LINEAR);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    const { data, width, height } = image;
    this.size = [width, height];
    if (data) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, data);
    else gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, image);
    gl.generateMipmap(gl.TEXTURE_2D);
    this.shapeKey = "";
  }

  setTable(place, table) {
    if (this.tables[place] === table) return;
    const { gl } = this;
    this.tables[place] = table;
    if (!table) return;
    gl.bindTexture(gl.TEXTURE_3D, this.tableTextures[place]);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGB32F, NODES, NODES, NODES, 0, gl.RGB, gl.FLOAT, table);
  }

  /** Returns a texture to draw into, made anew when its size changes. */
  target(name, [width, height], format) {
    const { gl } = this;
    const known = this.targets[name];
    if (known?.width === width && known.height === height) return known;
    if (known) {
      gl.deleteTexture(known.texture);
      gl.deleteFramebuffer(known.buffer);
    }
    const texture = this.texture(gl.TEXTURE_2D);
    gl.texStorage2D(gl.TEXTURE_2D, 1, format, width, height);
    const buffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, buffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    return (this.targets[name] = { texture, buffer, width, height });
  }

  /** Runs a program over a target, or over the canvas where there is none. */
  run(name, target, values) {
    const { gl } = this;
    const { program, places } = this.programs[name];
    gl.useProgram(program);
    gl.bindVertexArray(this.vertices);
    let unit = 0;
    for (const [key, [place, type]] of places) {
      const value = values[key];
      if (type === gl.SAMPLER_2D || type === gl.SAMPLER_3D) {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(type === gl.SAMPLER_3D ? gl.TEXTURE_3D : gl.TEXTURE_2D, value ?? null);
        gl.uniform1i(place, unit++);
      } else if (type === gl.FLOAT) gl.uniform1f(place, value ?? 0);
      else if (type === gl.UNSIGNED_INT) gl.uniform1ui(place, value);
      else if (type === gl.INT_VEC2) gl.uniform2iv(place, value);
      else if (type === gl.BOOL_VEC2) gl.uniform2iv(place, value);
      else if (type === gl.FLOAT_MAT3) gl.uniformMatrix3fv(place, true, value.flat());
      else gl.uniform1i(place, Number(value ?? 0));
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, target?.buffer ?? null);
    gl.viewport(0, 0, target?.width ?? this.canvas.width, target?.height ?? this.canvas.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Draws the recipe's shape to `base`, unless it is there already. */
  drawShape(recipe, out) {
    const { gl } = this;
    const { turn, flip, straighten, vertical, horizontal, crop } = recipe;
    const base = this.target("base", out, gl.RGBA8);
    const key = JSON.stringify([out, turn, flip, straighten, vertical, horizontal, crop]);
    if (key === this.shapeKey) return base;
    const cropped = geometry.croppedSize(recipe, this.size);
    const isSmaller = Math.max(...cropped) > Math.max(...out);
    const mode = isSmaller ? 2 : geometry.isWarped(recipe) ? 1 : 0;
    this.run("shape", base, { source: this.source, map: geometry.map(recipe, this.size, out), mode });
    this.shapeKey = key;
    return base;
  }

  /**
   * Draws a recipe, in the size `out` or that of the crop. `colours` are `{first, second, strength, fade}`: a table, and
   * one that is chained to it; `effects` the amounts of clarity, vignette, sharpen and grain. What is left of `split`
   * (0…1) is shown without colours and effects.
   */
  draw(recipe, { colours, effects, out, split = 0 }) {
    const { gl } = this;
    const size = out ?? geometry.croppedSize(recipe, this.size);
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) [this.canvas.width, this.canvas.height] = size;
    this.setTable(0, colours.first ?? null);
    this.setTable(1, colours.second ?? null);
    const [width, height] = size;
    const long = Math.max(width, height);
    const values = {
      base: this.drawShape(recipe, size).texture,
      first: this.tableTextures[0],
      second: this.tableTextures[1],
      has: [Number(Boolean(colours.first)), Number(Boolean(colours.second))],
      strength: colours.strength ?? 1,
      fade: colours.fade ?? 0,
      seed: recipe.seed,
      split: split * width,
      ...effects,
    };
    if (effects.clarity) values.cells = this.measure(values, size);
    if (!effects.sharpen) return this.run("develop", null, { ...values, is_last: true });
    const developed = this.target("developed", size, gl.RGBA16F);
    this.run("develop", developed, { ...values, split: 0 });
    const sigma = Math.max(0.5, 0.0006 * long);
    const columns = this.target("columns", size, gl.R32F);
    this.run("columns", columns, { base: developed.texture, sigma, direction: [0, 1] });
    this.run("sharpen", null, { ...values, developed: developed.texture, columns: columns.texture, sigma, is_last: true });
  }

  /** Returns the brightness around each place: a copy of 256 cells, blurred. */
  measure(values, [width, height]) {
    const { gl } = this;
    const scale = Math.min(1, CLARITY_CELLS / Math.max(width, height));
    const [across, down] = [width, height].map((side) => Math.max(2, Math.round(side * scale)));
    const narrow = this.target("narrow", [across, height], gl.R32F);
    const [cells, other] = ["cells", "other"].map((name) => this.target(name, [across, down], gl.R32F));
    const sigma = CLARITY_SIGMA * Math.max(across, down);
    this.run("narrow", narrow, { ...values, cells: across });
    this.run("lower", cells, { base: narrow.texture, cells: down });
    this.run("cells", other, { base: cells.texture, sigma, direction: [0, 1] });
    this.run("cells", cells, { base: other.texture, sigma, direction: [1, 0] });
    return cells.texture;
  }

  /** Returns what was drawn just now, as RGBA bytes from the top left on. */
  read() {
    const { gl, canvas } = this;
    const rows = new Uint8Array(canvas.width * canvas.height * 4);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, rows);
    const pixels = new Uint8Array(rows.length);
    const length = canvas.width * 4;
    for (let y = 0; y < canvas.height; y++) pixels.set(rows.subarray((canvas.height - 1 - y) * length, (canvas.height - y) * length), y * length);
    return pixels;
  }
}
