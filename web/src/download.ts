// Files that the build packed with gzip, so that hosts that do not compress transfer no more.

import { Refused } from "./errors";
import type { Asset } from "./catalogue";

/** Called with the bytes of all files that came so far. */
export type Progress = (asset: Asset, received: number) => void;

/** The unpacked bytes of a file. */
export async function download(asset: Asset, progress?: Progress): Promise<Uint8Array<ArrayBuffer>> {
  const packed = await received(asset, progress);
  const isPacked = packed[0] === 0x1f && packed[1] === 0x8b; // a host may have unpacked it
  if (!isPacked) return packed;
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

async function received(asset: Asset, progress?: Progress): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(asset.url).catch(() => null);
  if (!response?.ok || !response.body)
    throw new Refused("A part of the page could not be loaded: check the connection, try again");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let count = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    count += value.length;
    progress?.(asset, count);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
