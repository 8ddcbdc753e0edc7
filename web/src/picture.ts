// Pictures as the networks take them, and transparency; as in impasto.image.

import { BILINEAR, resample } from "./resample";

/** RGB in [0, 1], sRGB-encoded, plane after plane; alpha likewise, null where all is opaque. */
export interface Picture {
  width: number;
  height: number;
  rgb: Float32Array;
  alpha: Float32Array | null;
}

/** Bytes of a canvas, RGBA, to a picture whose hidden colours are those around them. */
export function fromBytes(bytes: Uint8ClampedArray, width: number, height: number): Picture {
  const count = width * height;
  const rgb = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    rgb[i] = bytes[4 * i] / 255;
    rgb[count + i] = bytes[4 * i + 1] / 255;
    rgb[2 * count + i] = bytes[4 * i + 2] / 255;
  }
  if (isOpaque(bytes)) return { width, height, rgb, alpha: null };
  const alpha = Float32Array.from({ length: count }, (_, i) => bytes[4 * i + 3] / 255);
  fillHidden(rgb, alpha, width, height);
  return { width, height, rgb, alpha };
}

export function isOpaque(bytes: Uint8ClampedArray): boolean {
  for (let i = 3; i < bytes.length; i += 4) if (bytes[i] < 255) return false;
  return true;
}

export function toBytes(picture: Picture): Uint8ClampedArray<ArrayBuffer> {
  const count = picture.width * picture.height;
  const bytes = new Uint8ClampedArray(4 * count); // rounds and clamps by itself
  for (let i = 0; i < count; i++) {
    for (let channel = 0; channel < 3; channel++)
      bytes[4 * i + channel] = picture.rgb[channel * count + i] * 255;
    bytes[4 * i + 3] = picture.alpha ? picture.alpha[i] * 255 : 255;
  }
  return bytes;
}

/** (1, 4, H, W): RGB, and how much each pixel counts. */
export function counted(picture: Picture): Float32Array {
  const count = picture.width * picture.height;
  const planes = new Float32Array(4 * count);
  planes.set(picture.rgb);
  if (picture.alpha) planes.set(picture.alpha, 3 * count);
  else planes.fill(1, 3 * count);
  return planes;
}

/** A size scaled down to a longer side; Python rounds halves to even. */
export function fit(width: number, height: number, longSide: number): [number, number] {
  const longest = Math.max(width, height);
  if (longest <= longSide) return [width, height];
  const [w, h] = [width, height].map((side) => Math.max(1, halfEven((side * longSide) / longest)));
  return [w, h];
}

function halfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

const FAINT = 1e-3; // below this coverage dividing by alpha only amplifies rounding

/** Bicubic with antialiasing; colours are weighted by alpha where there is any. */
export function resized(picture: Picture, width: number, height: number): Picture {
  if (width === picture.width && height === picture.height) return picture;
  const size = picture.width * picture.height;
  const count = width * height;
  const shrink = (plane: Float32Array) =>
    resample(plane, picture.width, picture.height, width, height);
  const alpha = picture.alpha && shrink(picture.alpha);
  const rgb = new Float32Array(3 * count);
  for (let channel = 0; channel < 3; channel++) {
    const plane = picture.rgb.subarray(channel * size, (channel + 1) * size);
    const out = rgb.subarray(channel * count, (channel + 1) * count);
    out.set(shrink(plane));
    if (!picture.alpha || !alpha) continue;
    const cover = picture.alpha;
    const weighted = shrink(plane.map((value, i) => value * cover[i]));
    for (let i = 0; i < count; i++)
      if (alpha[i] >= FAINT) out[i] = Math.min(1, weighted[i] / alpha[i]);
  }
  return { width, height, rgb, alpha };
}

/** Spread visible colours over transparent pixels, in place: push-pull (Gortler et al. 1996). */
function fillHidden(rgb: Float32Array, alpha: Float32Array, width: number, height: number): void {
  if (!alpha.includes(0)) return;
  if (alpha.every((value) => value === 0)) {
    rgb.fill(0.5);
    return;
  }
  const coarse = halved(rgb, alpha, width, height);
  fillHidden(coarse.rgb, coarse.alpha, coarse.width, coarse.height);
  const count = width * height;
  const small = coarse.width * coarse.height;
  for (let channel = 0; channel < 3; channel++) {
    const plane = coarse.rgb.subarray(channel * small, (channel + 1) * small);
    const spread = resample(plane, coarse.width, coarse.height, width, height, BILINEAR);
    for (let i = 0; i < count; i++) if (alpha[i] === 0) rgb[channel * count + i] = spread[i];
  }
}

/** Means of 2 x 2 pixels weighted by alpha; the alpha is summed up, at most 1. */
function halved(rgb: Float32Array, alpha: Float32Array, wide: number, high: number) {
  const [width, height] = [(wide + 1) >> 1, (high + 1) >> 1];
  const [count, size] = [width * height, wide * high];
  const total = new Float32Array(3 * count);
  const weight = new Float32Array(count);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [from, to] = [y * wide + x, (y >> 1) * width + (x >> 1)];
      weight[to] += alpha[from];
      for (let channel = 0; channel < 3; channel++)
        total[channel * count + to] += rgb[channel * size + from] * alpha[from];
    }
  }
  for (let i = 0; i < 3 * count; i++) if (weight[i % count] > 0) total[i] /= weight[i % count];
  return { width, height, rgb: total, alpha: weight.map((value) => Math.min(1, value)) };
}
