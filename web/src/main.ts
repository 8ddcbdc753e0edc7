// The page: what is chosen becomes an order, and what was painted is shown.

import * as camera from "./camera";
import { catalogue } from "./catalogue";
import { listen } from "./dropping";
import { sentence } from "./errors";
import { keepEverything, takeOver } from "./offline";
import type { Order, Painted, Source } from "./orders";
import { byId } from "./page";
import { Painter } from "./painter";
import * as photopea from "./photopea";
import * as shelf from "./shelf";
import * as stage from "./stage";

const LIVE_SIZE = 256;
const FIRST = { photo: "cat", style: "night-wind" };

const strength = byId<HTMLInputElement>("strength");
const brush = byId<HTMLInputElement>("brush");
const size = byId<HTMLSelectElement>("size");
const keep = byId<HTMLInputElement>("keep");
const cameraButton = byId<HTMLButtonElement>("camera");
const shutter = byId<HTMLButtonElement>("shutter");

let painter: Painter;
let photo: (Source & { name: string }) | null = null;
let choice: shelf.Choice | null = null;
let wanted = 0;
let ordered = 0;
let taken = 0;
let shown: Order | null = null;
let runtime = "";

/** Run what may fail, and say in one line if it does. */
async function attempt(work: () => Promise<void>): Promise<void> {
  stage.complain("");
  try {
    await work();
  } catch (error) {
    stage.complain(sentence(error));
  }
}

/** Paint a photo as soon as it is there, unless another one was chosen meanwhile. */
async function takePhoto(coming: Blob | Promise<Blob>, name: string): Promise<void> {
  const turn = ++wanted;
  const image = await coming;
  if (turn !== wanted) return;
  photo = { id: `photo-${++taken}`, image, name };
  stopCamera();
  paint();
}

const takeFile = (file: File) => void takePhoto(file, file.name.replace(/\.\w+$/, ""));

function paint(): void {
  const turn = ++ordered;
  if (!choice || !photo || camera.isOn()) return;
  const [source, { style }] = [asSource(photo), choice];
  void attempt(async () => {
    const order = { ...settings(), photo: source, style: await style() };
    if (turn === ordered) painter.order(order);
  });
}

const asSource = ({ id, image }: Source): Source => ({ id, image });

function settings() {
  return {
    size: Number(size.value),
    strength: strength.valueAsNumber / 100,
    styleSize: brush.valueAsNumber,
    keepColors: keep.checked,
  };
}

// The camera

async function startCamera(): Promise<void> {
  wanted++;
  await camera.start();
  stage.setLive(true);
  shutter.hidden = false;
  cameraButton.textContent = "Stop";
  await paintFrame();
}

function stopCamera(): void {
  if (!camera.isOn()) return;
  camera.stop();
  stage.setLive(false);
  shutter.hidden = true;
  cameraButton.textContent = "Camera";
}

async function paintFrame(): Promise<void> {
  if (!choice) return;
  const style = await choice.style();
  const source = { id: `photo-${++taken}`, image: await camera.frame() };
  painter.order({ ...settings(), size: LIVE_SIZE, photo: source, style });
}

// What the painter tells

const watcher = {
  loading(received: number, total: number): void {
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
    if (received < total) {
      stage.progress(received / total);
      stage.say(`Loading the painter: ${megabytes(received)} of ${megabytes(total)} MB`);
      return;
    }
    stage.progress(null);
    stage.say("Starting the painter …");
  },
  ready(name: string): void {
    runtime = name;
    byId("runtime").textContent = `Painted by ${runtime}.`;
    if (!painter.busy) rest();
  },
  painting(): void {
    if (!camera.isOn()) stage.progress(null);
    if (runtime && !camera.isOn()) stage.say("Painting …");
  },
  painted(painted: Painted, order: Order): void {
    shown = order;
    stage.show(painted);
    stage.progress();
    for (const id of ["png", "jpeg", "to-photopea"]) byId<HTMLButtonElement>(id).disabled = false;
    const { width, height, seconds } = painted;
    if (camera.isOn()) {
      stage.say(`Live: ${(1 / seconds).toFixed(1)} pictures a second`);
      void attempt(paintFrame);
      return;
    }
    stage.say(`${width} x ${height} px in ${seconds.toFixed(1)} s`);
    afterFirst();
  },
  failed(message: string): void {
    stopCamera();
    rest();
    stage.complain(message);
  },
};

function rest(): void {
  stage.progress();
  stage.say(shown ? "" : "Choose a photo and an artwork");
}

/** What can wait for the first painting: the GPU, and what is still lacking offline. */
let afterFirst = (): void => {
  afterFirst = () => undefined;
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (connection?.saveData) return;
  painter.useGpu();
  void keepEverything().then(() => {
    byId("runtime").textContent = `Painted by ${runtime}. Ready for use offline.`;
    document.documentElement.dataset.offline = "ready";
  });
};

// The page's parts

async function download(type: "image/png" | "image/jpeg", ending: string): Promise<void> {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await stage.saved(type));
  link.download = `${photo?.name ?? "camera"}-${choice?.name}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function onClick(id: string, work: () => Promise<void>): void {
  byId(id).addEventListener("click", () => void attempt(work));
}

function onFile(id: string, take: (file: File) => void): void {
  byId<HTMLInputElement>(id).addEventListener("change", ({ target }) => {
    const input = target as HTMLInputElement;
    if (input.files?.[0]) take(input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
}

function choose(chosen: shelf.Choice): void {
  choice = chosen;
  strength.disabled = brush.disabled = chosen.learnt;
  paint();
}

function layPhotos(): void {
  for (const { name, title, by, thumb, file } of catalogue.photos) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", title: by });
    const image = document.createElement("img");
    Object.assign(image, { src: thumb, alt: title, width: 52, height: 52 });
    button.append(image);
    const take = () => takePhoto(shelf.fetched(file), name);
    button.addEventListener("click", () => void attempt(take));
    byId("photos").append(button);
  }
}

function wire(): void {
  const artwork = (file: File) => shelf.add(file, choose);
  onFile("photo-file", takeFile);
  onFile("artwork-file", artwork);
  listen(takeFile, artwork);
  for (const control of [strength, brush, size, keep]) control.addEventListener("change", paint);
  onClick("png", () => download("image/png", "png"));
  onClick("jpeg", () => download("image/jpeg", "jpg"));
  cameraButton.hidden = !camera.isPossible();
  onClick("camera", async () => {
    if (!camera.isOn()) return startCamera();
    stopCamera();
    paint();
  });
  onClick("shutter", async () => takePhoto(camera.photo(), "camera"));
  byId<HTMLAnchorElement>("photopea").href = photopea.editorUrl();
  for (const id of ["from-photopea", "to-photopea"]) byId(id).hidden = !photopea.isPlugin();
  onClick("from-photopea", async () => takePhoto(photopea.takePicture(), "photopea"));
  onClick("to-photopea", async () => photopea.putPicture(await stage.saved("image/png")));
}

async function begin(): Promise<void> {
  await takeOver();
  shelf.fill(choose);
  layPhotos();
  wire();
  const makers = [...catalogue.photos, ...catalogue.gallery].map(({ by }) => by);
  byId("credits").textContent = `Photos and the gallery's artworks: ${makers.join("; ")}.`;
  painter = new Painter(watcher);
  const first = catalogue.photos.find(({ name }) => name === FIRST.photo);
  shelf.choose(FIRST.style);
  if (first) await takePhoto(shelf.fetched(first.file), first.name);
}

void attempt(begin);
