// The photo's colours kept: lightness of the painting, chroma of the photo, in OkLab
// (Ottosson 2020). As "luminance" in impasto.color.

import type { Picture } from "./picture";

type Color = [number, number, number];

const HALVINGS = 14; // of the way to the border of the gamut
const SLACK = 1e-5; // of float32, around [0, 1]
const FAINT = 0.005; // a spread of lightness that cannot be seen must not be amplified

/** A painting with the photo's chroma; both of one size. */
export function keepColors(painting: Picture, photo: Picture): Picture {
  return recolored(painting, (lab, i, count) => {
    const kept = toOkLab(photo.rgb[i], photo.rgb[count + i], photo.rgb[2 * count + i]);
    return intoGamut([lab[0], kept[1], kept[2]], lab[0]);
  });
}

/** An artwork with the mean and spread of the photo's lightness, so that it is painted in them. */
export function matchLightness(artwork: Picture, photo: Picture): Picture {
  const [old, wanted] = [lightness(artwork), lightness(photo)];
  const gain = old.spread > FAINT ? wanted.spread / old.spread : 1;
  return recolored(artwork, (lab) => {
    const light = (lab[0] - old.mean) * gain + wanted.mean;
    return intoGamut([light, lab[1], lab[2]], Math.min(0.8, Math.max(0.2, light)));
  });
}

function recolored(
  picture: Picture,
  change: (lab: Color, pixel: number, count: number) => Color,
): Picture {
  const count = picture.width * picture.height;
  const rgb = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    const lab = toOkLab(picture.rgb[i], picture.rgb[count + i], picture.rgb[2 * count + i]);
    const linear = change(lab, i, count);
    for (let channel = 0; channel < 3; channel++)
      rgb[channel * count + i] = encoded(linear[channel]);
  }
  return { ...picture, rgb };
}

/** Mean and standard deviation of the lightness, pixels weighted by alpha. */
function lightness(picture: Picture): { mean: number; spread: number } {
  const count = picture.width * picture.height;
  let [total, first, second] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const weight = picture.alpha ? picture.alpha[i] : 1;
    const [light] = toOkLab(picture.rgb[i], picture.rgb[count + i], picture.rgb[2 * count + i]);
    total += weight;
    first += weight * light;
    second += weight * light * light;
  }
  const mean = first / total;
  return { mean, spread: Math.sqrt(Math.max(0, second / total - mean * mean)) };
}

function toOkLab(red: number, green: number, blue: number): Color {
  const [r, g, b] = [decoded(red), decoded(green), decoded(blue)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
  ];
}

/** OkLab to linear light, which may be out of [0, 1]. */
function toLinear([light, a, b]: Color): Color {
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** Linear light of a colour; one that sRGB lacks moves straight to a grey until sRGB has it. */
function intoGamut(lab: Color, grey: number): Color {
  const linear = toLinear(lab);
  if (isInside(linear)) return linear;
  const mixed = (share: number) =>
    toLinear([grey + share * (lab[0] - grey), share * lab[1], share * lab[2]]);
  let inner = 0;
  for (let step = 0.5, round = 0; round < HALVINGS; step /= 2, round++)
    if (isInside(mixed(inner + step))) inner += step;
  return mixed(inner);
}

const isInside = (linear: Color) =>
  linear.every((value) => Math.abs(value - 0.5) <= 0.5 + SLACK);

const decoded = (value: number) =>
  value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;

function encoded(linear: number): number {
  const value = Math.min(1, Math.max(0, linear));
  return value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
}
