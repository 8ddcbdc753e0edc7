// Pictures dropped or pasted: onto the left half as the photo, onto the right as the artwork.

import { byId } from "./page";

type Taker = (file: File) => void;

export function listen(photo: Taker, artwork: Taker): void {
  const zones = byId("drop");
  const hide = () => {
    zones.hidden = true;
  };
  window.addEventListener("dragenter", (event) => {
    if (event.dataTransfer?.types.includes("Files")) zones.hidden = false;
  });
  window.addEventListener("dragover", (event) => {
    event.preventDefault();
    for (const zone of zones.children) zone.classList.toggle("over", zone === event.target);
  });
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) hide();
  });
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    hide();
    const zone = (event.target as Element).closest<HTMLElement>("[data-drop]");
    const file = event.dataTransfer?.files[0];
    if (file) (zone?.dataset.drop === "artwork" ? artwork : photo)(file);
  });
  window.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (file) photo(file);
  });
}
