// The artworks and the gallery, as one group of radio buttons.

import { catalogue } from "./catalogue";
import type { Style } from "./orders";
import { byId } from "./page";

/** A style that can be chosen, and what the file of a painting in it is called. */
export interface Choice {
  name: string;
  title: string;
  learnt: boolean;
  style(): Promise<Style>;
}

type Listener = (choice: Choice) => void;

const artworks = byId("artworks");
const gallery = byId("gallery");
let own = 0;

export function fill(listener: Listener): void {
  for (const { name, title, by, thumb, file } of catalogue.artworks) {
    const style = async () => ({ artwork: { id: name, image: await fetched(file) } });
    artworks.append(tile({ name, title, learnt: false, style }, by, thumb, listener));
  }
  catalogue.gallery.forEach(({ name, title, by, thumb }, place) => {
    const style = async () => ({ learnt: place });
    gallery.append(tile({ name, title, learnt: true, style }, by, thumb, listener));
  });
}

/** Put an artwork of the user's on the shelf, and choose it. */
export function add(file: File, listener: Listener): void {
  const id = `own-${++own}`;
  const title = file.name.replace(/\.\w+$/, "") || "Your artwork";
  const style = async () => ({ artwork: { id, image: file } });
  const choice = { name: title, title, learnt: false, style };
  const made = tile(choice, file.name, URL.createObjectURL(file), listener);
  artworks.insertBefore(made, artworks.children[2] ?? null);
  pick(made);
}

/** Choose the style of this name, as if it had been clicked. */
export function choose(name: string): void {
  const found = document.querySelector<HTMLInputElement>(`input[name=style][value="${name}"]`);
  if (found?.parentElement) pick(found.parentElement);
}

function pick(tile: HTMLElement): void {
  const radio = tile.querySelector("input") as HTMLInputElement;
  radio.checked = true;
  radio.dispatchEvent(new Event("change"));
}

function tile(choice: Choice, by: string, thumb: string, listener: Listener): HTMLElement {
  const label = document.createElement("label");
  label.className = "tile";
  label.title = by;
  const radio = document.createElement("input");
  Object.assign(radio, { type: "radio", name: "style", value: choice.name });
  radio.addEventListener("change", () => listener(choice));
  const image = document.createElement("img");
  Object.assign(image, { src: thumb, alt: "", loading: "lazy", width: 100, height: 100 });
  const name = document.createElement("b");
  name.textContent = choice.title;
  label.append(radio, image, name);
  return label;
}

/** A picture that comes with the page. */
export async function fetched(url: string): Promise<Blob> {
  const response = await fetch(url).catch(() => null);
  if (!response?.ok) throw new Error("This example could not be loaded: check the connection");
  return response.blob();
}
