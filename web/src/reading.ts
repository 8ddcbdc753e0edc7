// Files to pictures. Browsers turn photos upright and convert them to sRGB.

import { Refused } from "./errors";
import type { Source } from "./orders";
import { fit, fromBytes, type Picture, resized } from "./picture";

const MOST_PIXELS = 1 << 24; // of a canvas on iPhones

/** A picture with at most this longer side; never enlarged. */
export async function read(source: Source, longSide: number): Promise<Picture> {
  const bitmap = source.image instanceof Blob ? await decode(source.image) : source.image;
  const { width, height } = bitmap;
  const share = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.floor(width * share)),
    Math.max(1, Math.floor(height * share)),
  );
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Refused("This browser gives the page no canvas to read the photo with");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const picture = fromBytes(bytes, canvas.width, canvas.height);
  if (picture.alpha?.every((value) => value === 0))
    throw new Refused("This picture is fully transparent: there is nothing to see");
  return resized(picture, ...fit(width, height, Math.min(longSide, Math.max(canvas.width, canvas.height))));
}

async function decode(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file);
  } catch {
    const name = file instanceof File ? file.name : "the file";
    const hint = /heic|heif|tiff/i.test(file.type) || /\.(heic|heif|tiff?|dng)$/i.test(name);
    throw new Refused(
      hint
        ? `This browser cannot read ${name}: save it as JPEG or PNG first`
        : `Cannot read ${name}: it is not a picture, or damaged`,
    );
  }
}
