// From an order to a painting: what `impasto stylize --method arbitrary` and `fast` do.

import { keepColors, matchLightness } from "./color";
import { blend, type Code, type Networks } from "./networks";
import type { Order, Source } from "./orders";
import { fit, type Picture, resized } from "./picture";
import { read } from "./reading";

const PICTURES = 4; // that are remembered: they are large
const CODES = 16;

/** Paints orders, and remembers what it looked at. */
export class Studio {
  private readonly pictures = new Memory<Picture>(PICTURES);
  private readonly codes = new Memory<Code>(CODES);

  constructor(public networks: Networks) {}

  /** The photo at the size of the result, and its painting. */
  async paint(order: Order): Promise<[Picture, Picture]> {
    const photo = await this.picture(order.photo, order.size);
    const painted =
      "learnt" in order.style
        ? await this.networks.paintLearnt(photo, order.style.learnt)
        : await this.networks.paint(photo, await this.code(order, order.style.artwork, photo));
    return [photo, order.keepColors ? keepColors(painted, photo) : painted];
  }

  picture(source: Source, size: number): Promise<Picture> {
    return this.pictures.get(`${source.id}@${size}`, () => read(source, size));
  }

  /** Of the artwork, mixed with that of the photo where it is to be weaker. */
  private async code(order: Order, artwork: Source, photo: Picture): Promise<Code> {
    const { strength, styleSize, keepColors } = order;
    const seen = `${order.photo.id}@${order.size}`;
    const key = `${artwork.id}@${styleSize}${keepColors ? ` as ${seen}` : ""}`;
    const code = await this.codes.get(key, async () => {
      const plain = await this.picture(artwork, styleSize);
      return this.networks.encode(keepColors ? matchLightness(plain, photo) : plain);
    });
    if (strength === 1) return code;
    const own = await this.codes.get(`${seen} at ${styleSize}`, () =>
      this.networks.encode(resized(photo, ...fit(photo.width, photo.height, styleSize))),
    );
    return blend(own, code, strength);
  }
}

/** The latest values by key; the one not asked for longest goes first. */
class Memory<T> {
  private readonly values = new Map<string, T>();

  constructor(private readonly most: number) {}

  async get(key: string, make: () => Promise<T>): Promise<T> {
    const value = this.values.get(key) ?? (await make());
    this.values.delete(key);
    this.values.set(key, value);
    for (const oldest of this.values.keys()) {
      if (this.values.size <= this.most) break;
      this.values.delete(oldest);
    }
    return value;
  }
}
