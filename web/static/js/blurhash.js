// Paints a photo's blurhash behind it, so that its box is never empty. The string is the one described at blurha.sh.

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
const number = (text) => [...text].reduce((sum, digit) => sum * 83 + digits.indexOf(digit), 0);
const linear = (value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
};
const encoded = (value) => {
  const share = Math.min(1, Math.max(0, value));
  return 255 * (share <= 0.0031308 ? share * 12.92 : 1.055 * share ** (1 / 2.4) - 0.055);
};
const signedSquare = (value) => Math.sign(value) * value * value;

function pixels(hash, width, height) {
  const size = number(hash[0]);
  const across = (size % 9) + 1;
  const down = Math.floor(size / 9) + 1;
  if (hash.length !== 4 + 2 * across * down) return null;
  const maximum = (number(hash[1]) + 1) / 166;
  const colours = [];
  for (let n = 0; n < across * down; n++) {
    if (n === 0) {
      const value = number(hash.slice(2, 6));
      colours.push([linear(value >> 16), linear((value >> 8) & 255), linear(value & 255)]);
    } else {
      const value = number(hash.slice(4 + n * 2, 6 + n * 2));
      const parts = [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19];
      colours.push(parts.map((part) => signedSquare((part - 9) / 9) * maximum));
    }
  }
  const out = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0];
      for (let j = 0; j < down; j++) {
        for (let i = 0; i < across; i++) {
          const basis = Math.cos((Math.PI * x * i) / width) * Math.cos((Math.PI * y * j) / height);
          const colour = colours[i + j * across];
          for (let c = 0; c < 3; c++) sum[c] += colour[c] * basis;
        }
      }
      const at = 4 * (x + y * width);
      for (let c = 0; c < 3; c++) out[at + c] = encoded(sum[c]);
      out[at + 3] = 255;
    }
  }
  return new ImageData(out, width, height);
}

/** Until a photo is loaded, its blurhash lies exactly where it will be, and nowhere else. */
export function paintPlaceholder(box) {
  const hash = box.dataset.blurhash;
  box.removeAttribute("data-blurhash");
  const image = box.querySelector("img");
  if (!hash || image?.complete) return;
  const whole = image && !box.matches(".cell");
  const ratio = whole ? image.getAttribute("width") / image.getAttribute("height") : 1;
  const [width, height] = ratio > 1 ? [32, Math.max(2, Math.round(32 / ratio))] : [Math.max(2, Math.round(32 * ratio)), 32];
  const data = pixels(hash, width, height);
  if (!data) return;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.setAttribute("aria-hidden", "true");
  canvas.getContext("2d").putImageData(data, 0, 0);
  box.prepend(canvas);
  image?.addEventListener("load", () => canvas.remove(), { once: true });
}
