// The camera: frames, one after the other as fast as they are painted.

import { byId } from "./page";

const video = byId<HTMLVideoElement>("video");
let stream: MediaStream | null = null;

export const isPossible = (): boolean => !!navigator.mediaDevices?.getUserMedia;

export const isOn = (): boolean => stream !== null;

/** Start it; the error is a line for a person. */
export async function start(): Promise<void> {
  const wanted = { video: { facingMode: "environment", width: { ideal: 1280 } } };
  try {
    stream = await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    const refused = error instanceof DOMException && error.name === "NotAllowedError";
    throw new Error(refused ? "The camera was not allowed" : "There is no camera to be used");
  }
  video.srcObject = stream;
  await video.play();
}

export function stop(): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.srcObject = null;
}

/** What it sees now. */
export function frame(): Promise<ImageBitmap> {
  return createImageBitmap(video);
}

/** The same as a file. */
export async function photo(): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("No picture"))), "image/png");
  });
}
