// Files to pictures. Browsers turn photos upright and convert them to sRGB.

import { Refused } from "./errors";
import type { Source } from "./orders";
import { fit, fromBytes, isOpaque, type Picture, resized } from "./picture";

const MOST_PIXELS = 1 << 24; // of a canvas on iPhones

/** A picture with at most this longer side; never enlarged. */
export async function read(source: Source, longSide: number): Promise<Picture> {
  const bitmap = source.image instanceof Blob ? await decode(source.image) : source.image;
  const { width, height } = bitmap;
  const pixels = drawn(bitmap);
  const bytes = isOpaque(pixels.data) ? null : unmultiplied(bitmap);
  bitmap.close();
  const picture = bytes
    ? fromBytes(bytes, width, height)
    : fromBytes(pixels.data, pixels.width, pixels.height);
  if (picture.alpha?.every((value) => value === 0))
    throw new Refused("This picture is fully transparent: there is nothing to see");
  const most = Math.min(longSide, Math.max(picture.width, picture.height));
  return resized(picture, ...fit(width, height, most));
}

/** The pixels, shrunk where a canvas could not hold them. */
function drawn(bitmap: ImageBitmap): ImageData {
  const share = Math.min(1, Math.sqrt(MOST_PIXELS / (bitmap.width * bitmap.height)));
  const [width, height] = [bitmap.width, bitmap.height].map((side) =>
    Math.max(1, Math.floor(side * share)),
  );
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Refused("This browser gives the page no canvas to read the photo with");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/**
 * The colours as the file has them, where the browser gives them. A 2D canvas holds them multiplied
 * by alpha, which loses those of faint pixels; a texture does not.
 */
function unmultiplied(bitmap: ImageBitmap): Uint8ClampedArray | null {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return null;
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  const [target, point] = [gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0];
  gl.bindFramebuffer(target, gl.createFramebuffer());
  gl.framebufferTexture2D(target, point, gl.TEXTURE_2D, texture, 0);
  const bytes = new Uint8Array(4 * width * height);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  const failed = gl.getError() !== gl.NO_ERROR;
  gl.getExtension("WEBGL_lose_context")?.loseContext(); // frees its memory
  return failed ? null : new Uint8ClampedArray(bytes.buffer);
}

async function decode(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { premultiplyAlpha: "none" });
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
