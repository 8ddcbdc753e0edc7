"""Choosing the style: artworks for two of the methods, names of the gallery for the third."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app import library
from impasto.app.fields import upload
from impasto.app.pages.wiring import HIDDEN, picked
from impasto.app.uploads import Inbox
from impasto.errors import InputError
from impasto.image import Picture

SLOTS = 3
FIRST = "night-wind"


@dataclass(frozen=True)
class StyleFields:
    """The fields in which styles are chosen.

    Attributes:
        artworks: Uploads, the further ones hidden until they are asked for.
        names: Names of the gallery's styles.
        weights: How much each style counts.
    """

    artworks: Sequence[gr.Image]
    names: gr.Dropdown
    weights: Sequence[gr.Slider]

    @property
    def all(self) -> list[Any]:
        """All of them."""
        return [*self.artworks, self.names, *self.weights]

    def chosen(
        self, values: dict[Any, Any], method: str, inbox: Inbox
    ) -> tuple[list[Picture | str], list[Any]]:
        """The styles and their weights.

        Args:
            values: Of the fields.
            method: For which method.
            inbox: Of the uploads.

        Raises:
            InputError: If none was chosen, or one cannot be read.
        """
        weights = [values[field] for field in self.weights]
        if method == "fast":
            names = list(values[self.names] or [])
            if not names:
                raise InputError("no style yet: choose one of the gallery")
            return names, weights[: len(names)]
        given = [
            (path, weight)
            for field, weight in zip(self.artworks, weights, strict=True)
            if (path := values[field])
        ]
        if not given:
            raise InputError("no artwork yet: choose or upload one")
        pictures: list[Picture | str] = [inbox.read(path, "artwork") for path, _ in given]
        return pictures, [weight for _, weight in given]


def build(method: gr.Radio) -> StyleFields:
    """Lay out the fields and let them follow the method."""
    files, thumbs = library.artworks(), library.gallery_styles()
    with gr.Column(visible=True, elem_id="artworks") as artworks_part:
        with gr.Row():
            slots = [_slot(1, files[FIRST]), *(_slot(n) for n in range(2, SLOTS + 1))]
        shelf = _thumbnails(files, "Or one of these, drawn by Impasto", columns=5, id="shelf")
        more = gr.Button("Blend in another artwork", size="sm", elem_id="more")
    with gr.Column(visible=False, elem_id="gallery-styles") as gallery_part:
        names = gr.Dropdown(
            [(library.title(name), name) for name in thumbs],
            value=next(iter(thumbs)),
            multiselect=True,
            max_choices=SLOTS,
            label="Styles of the gallery",
            info=f"Up to {SLOTS} are blended.",
            elem_id="names",
        )
        shown = _thumbnails(thumbs, "The gallery", columns=4, id="gallery")
    with gr.Row(visible=False, elem_id="weights") as weights_part:
        weights = [_weight(number) for number in range(1, SLOTS + 1)]
    fields = StyleFields(slots, names, weights)
    _follow_method(method, artworks_part, gallery_part)
    _pick_artworks(shelf, list(files.values()), slots, more)
    _pick_names(shown, list(thumbs), names)
    _show_weights(fields, method, weights_part)
    return fields


def _slot(number: int, file: str | None = None) -> gr.Image:
    slot: gr.Image = upload(
        file,
        label="Artwork" if number == 1 else f"Artwork {number}",
        sources=["upload", "clipboard"],
        height=170,
        visible=number == 1,
        elem_id=f"artwork-{number}",
        buttons=[],
        min_width=110,
        alt_text=f"Artwork {number}",
    )
    return slot


def _weight(number: int) -> gr.Slider:
    label = f"Weight of style {number}"
    return gr.Slider(0, 5, 1, step=0.1, label=label, visible=number < 3, min_width=110)


def _thumbnails(files: dict[str, str], label: str, *, columns: int, id: str) -> gr.Gallery:
    gr.Markdown(label, elem_classes="hint")
    return gr.Gallery(
        [(path, library.title(name)) for name, path in files.items()],
        label=label,
        show_label=False,
        columns=columns,
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_classes="thumbs",
        elem_id=id,
    )


def _follow_method(method: gr.Radio, artworks: gr.Column, gallery: gr.Column) -> None:
    method.change(
        lambda value: (gr.update(visible=value != "fast"), gr.update(visible=value == "fast")),
        method,
        [artworks, gallery],
        **HIDDEN,
    )


def _pick_artworks(
    shelf: gr.Gallery, files: list[str], slots: Sequence[gr.Image], more: gr.Button
) -> None:
    """A thumbnail goes to the first empty slot that is shown, or else replaces the last one."""
    count = gr.State(1)

    def pick(event: gr.SelectData, shown: int, *values: str | None) -> list[Any]:
        empty = [i for i in range(shown) if not values[i]]
        target = empty[0] if empty else shown - 1
        return [picked(event, files) if i == target else gr.skip() for i in range(len(slots))]

    def add(shown: int) -> list[Any]:
        shown = min(shown + 1, SLOTS)
        slots = [gr.update(visible=i < shown) for i in range(SLOTS)]
        return [shown, gr.update(visible=shown < SLOTS), *slots]

    shelf.select(pick, [count, *slots], list(slots), **HIDDEN)
    more.click(add, count, [count, more, *slots], **HIDDEN)


def _pick_names(shown: gr.Gallery, known: list[str], names: gr.Dropdown) -> None:
    """A thumbnail is the style, or leaves or joins those of a blend."""

    def pick(event: gr.SelectData, chosen: list[str]) -> list[str]:
        name = picked(event, known)
        if name in chosen:
            return [other for other in chosen if other != name] or [name]
        return [*chosen, name] if 1 < len(chosen) < SLOTS else [name]

    shown.select(pick, names, names, **HIDDEN)


def _show_weights(fields: StyleFields, method: gr.Radio, row: gr.Row) -> None:
    """Weights are shown where there is more than one style."""

    def show(method: str, names: list[str], *artworks: str | None) -> list[Any]:
        used = [i < len(names or []) for i in range(SLOTS)]
        if method != "fast":
            used = [bool(path) for path in artworks]
        several = sum(used) > 1
        return [gr.update(visible=several), *(gr.update(visible=each) for each in used)]

    gr.on(
        [method.change, fields.names.change, *(slot.change for slot in fields.artworks)],
        show,
        [method, fields.names, *fields.artworks],
        [row, *fields.weights],
        **HIDDEN,
    )
