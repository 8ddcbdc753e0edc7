"""What Gradio leaves undone in the browser: names, tooltips, clicks and where the keyboard is."""

from __future__ import annotations

SCRIPT = r"""<script>
(() => {
  // Where a job was begun: its button gives way to another, and the keyboard is not to get lost.
  let held = null;
  const inRow = node => node.closest?.(".go") ?? null;
  document.addEventListener("click", event => { held = inRow(event.target); });
  document.addEventListener("focusin", event => { held = inRow(event.target); });

  // A picture is chosen by a click on it or on its button, or dropped on the one before.
  const CHOOSE = ".source-selection button:first-child";
  const input = node => node.closest(".picture")?.querySelector("input[type=file]");
  document.addEventListener("click", event => {
    if (event.target.closest?.(`.picture .image-frame, .picture ${CHOOSE}`))
      input(event.target)?.click();
  });
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, event => {
    const shown = event.target.closest?.(".picture")?.querySelector(".image-frame");
    if (!shown) return;
    event.preventDefault();
    if (kind === "dragover" || !event.dataTransfer.files.length) return;
    input(shown).files = event.dataTransfer.files;
    input(shown).dispatchEvent(new Event("change", {bubbles: true}));
  });

  // The tooltip of a field tells the option's name, as on the command line.
  document.addEventListener("mouseover", event => {
    const field = event.target.closest?.("[class*=option-]");
    const option = field?.className.match(/option-(\w+)/)?.[1];
    if (option) field.title = "--" + option.replaceAll("_", "-");
  });

  const change = (node, name, value) => {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  };
  const mend = () => {
    for (const item of document.querySelectorAll(".thumbnail-item")) {
      const name = item.querySelector(".caption-label")?.textContent.trim();
      if (!name) continue;
      change(item, "aria-label", name);
      change(item.querySelector("img"), "alt", "");
    }
    for (const button of document.querySelectorAll(".picture " + CHOOSE)) {
      const name = button.closest("#content") ? "Choose a photo" : "Choose an artwork";
      change(button, "aria-label", name);
      change(button, "data-label", name);
    }
    // Names that contradict what is written there, and a button around another one.
    for (const area of document.querySelectorAll("button.upload-container"))
      area.removeAttribute("aria-label");
    for (const header of document.querySelectorAll(".toast-header[role]"))
      for (const name of ["role", "tabindex"]) header.removeAttribute(name);
    // Plots are scrolled on a phone, by the keyboard too.
    for (const plot of document.querySelectorAll(".plot .image-frame"))
      change(plot, "tabindex", "0");
    if (held?.isConnected && document.activeElement === document.body)
      held.querySelector("button")?.focus({preventScroll: true});
  };
  const watch = () => new MutationObserver(mend).observe(document.body,
    {childList: true, subtree: true, attributeFilter: ["aria-label"]});
  if (document.body) watch();
  else addEventListener("DOMContentLoaded", watch);
})();
</script>"""
