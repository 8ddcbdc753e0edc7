"""Choosing the style: artworks for two of the methods, names of the gallery for the third."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app import library
from impasto.app.fields import files as file_field
from impasto.app.fields import upload
from impasto.app.pages.wiring import HIDDEN, picked
from impasto.app.tasks import Style
from impasto.app.uploads import MOST_WORKS, Inbox
from impasto.errors import InputError
from impasto.stylizers.body.pack import SUFFIX

SLOTS = 3
PICTURE_HEIGHT = 210
FIRST = "orphic-discs"


@dataclass(frozen=True)
class StyleFields:
    """The fields in which styles are chosen.

    Attributes:
        artworks: Uploads, the further ones hidden until they are asked for.
        works: Uploads of a body of work, which takes their place.
        names: Names of the gallery's styles.
        weights: How much each style counts.
        count: How many uploads are shown.
        more: Adds one.
        less: Removes the last.
    """

    artworks: Sequence[gr.Image]
    works: gr.File
    names: gr.Dropdown
    weights: Sequence[gr.Slider]
    count: gr.State
    more: gr.Button
    less: gr.Button

    @property
    def all(self) -> list[Any]:
        """All of them."""
        return [*self.artworks, self.works, self.names, *self.weights]

    @property
    def slots(self) -> list[Any]:
        """What changes with the number of uploads that are shown."""
        return [self.count, self.more, self.less, *self.artworks]

    def shown(self, count: int) -> dict[Any, Any]:
        """Show so many uploads."""
        return {
            self.count: count,
            self.more: gr.update(visible=count < SLOTS),
            self.less: gr.update(visible=count > 1),
            **{slot: gr.update(visible=n < count) for n, slot in enumerate(self.artworks)},
        }

    def restored(self, fields: Mapping[Any, Any], method: str) -> dict[Any, Any]:
        """Show as many uploads as were used, given what the fields held; none for "fast"."""
        used = max([1, *(n for n, slot in enumerate(self.artworks, 1) if fields[slot])])
        filled = {
            slot: gr.update(value=fields[slot], visible=n < used and method != "fast")
            for n, slot in enumerate(self.artworks)
        }
        return {**self.shown(used), **filled}

    def chosen(
        self, values: dict[Any, Any], method: str, inbox: Inbox
    ) -> tuple[list[Style], list[Any] | None]:
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
        if values[self.works]:
            return [inbox.read_body(values[self.works])], None
        given = [
            (path, weight)
            for field, weight in zip(self.artworks, weights, strict=True)
            if (path := values[field])
        ]
        if not given:
            raise InputError("no artwork yet: choose or upload one")
        pictures: list[Style] = [inbox.read(path, "artwork") for path, _ in given]
        return pictures, [weight for _, weight in given]


def build(method: gr.Radio, pictures: gr.Row, examples: gr.Row, more: gr.Column) -> StyleFields:
    """Lay out the fields and let them follow the method.

    Args:
        method: What they follow.
        pictures: Where the uploads go.
        examples: Where the buttons go that add and remove an upload.
        more: Where the body of work goes.
    """
    files, thumbs = library.artworks(), library.gallery_styles()
    with examples, gr.Column(elem_id="blend") as blend:
        add = gr.Button("Blend in another artwork", size="sm", elem_id="add-artwork")
        less = gr.Button("Remove the last", size="sm", visible=False, elem_id="remove-artwork")
    with pictures:
        slots = [_slot(1, files[FIRST]), *(_slot(n) for n in range(2, SLOTS + 1))]
    with gr.Column(visible=True, elem_id="artworks") as artworks_part:
        shelf = thumbnails(files, "Artworks, drawn by Impasto", id="shelf")
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
        shown = thumbnails(thumbs, "The gallery", id="gallery")
    with gr.Row(visible=False, elem_id="weights") as weights_part:
        weights = [_weight(number) for number in range(1, SLOTS + 1)]
    with more, gr.Accordion("A body of work as style", open=False, elem_id="works-part") as body:
        works = _works()
    fields = StyleFields(slots, works, names, weights, gr.State(1), add, less)
    _follow_method(method, fields, [artworks_part, blend, body], gallery_part)
    _pick_artworks(shelf, list(files.values()), fields)
    _change_count(fields)
    _pick_names(shown, list(thumbs), names)
    _show_weights(fields, method, weights_part)
    return fields


def _slot(number: int, file: str | None = None) -> gr.Image:
    slot: gr.Image = upload(
        file,
        label="Artwork" if number == 1 else f"Artwork {number}",
        sources=["upload", "clipboard"],
        height=PICTURE_HEIGHT,
        visible=number == 1,
        elem_id=f"artwork-{number}",
        buttons=[],
        min_width=110,
        elem_classes="picture",
        alt_text=f"Artwork {number}",
    )
    return slot


def _works() -> gr.File:
    works: gr.File = file_field(
        file_count="multiple",
        file_types=["image", SUFFIX],
        label=f"Up to {MOST_WORKS} artworks, or a style pack ({SUFFIX})",
        height=160,
        elem_id="works",
    )
    gr.Markdown(
        "They count as one style, in place of the artworks above. `impasto style pack` makes a "
        "style pack of a folder.",
        elem_classes="hint",
    )
    return works


def _weight(number: int) -> gr.Slider:
    label = f"Weight of style {number}"
    return gr.Slider(0, 5, 1, step=0.1, label=label, visible=number < 3, min_width=110)


def thumbnails(files: dict[str, str], label: str, *, id: str) -> gr.Gallery:
    """Pictures to choose from, by name."""
    return gr.Gallery(
        [(path, library.title(name)) for name, path in files.items()],
        label=label,
        show_label=False,
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_classes="thumbs",
        elem_id=id,
    )


def _follow_method(
    method: gr.Radio, fields: StyleFields, artworks: list[Any], gallery: gr.Column
) -> None:
    def show(value: str, count: int) -> list[Any]:
        named = value == "fast"
        slots = [gr.update(visible=not named and n < count) for n in range(SLOTS)]
        return [*(gr.update(visible=not named) for _ in artworks), gr.update(visible=named), *slots]

    outputs = [*artworks, gallery, *fields.artworks]
    method.change(show, [method, fields.count], outputs, **HIDDEN)


def _pick_artworks(shelf: gr.Gallery, files: list[str], fields: StyleFields) -> None:
    """A thumbnail goes to the first empty slot that is shown, or else replaces the last one."""
    slots = list(fields.artworks)

    def pick(event: gr.SelectData, shown: int, *values: str | None) -> list[Any]:
        empty = [i for i in range(shown) if not values[i]]
        target = empty[0] if empty else shown - 1
        return [picked(event, files) if i == target else gr.skip() for i in range(len(slots))]

    shelf.select(pick, [fields.count, *slots], slots, **HIDDEN)


def _change_count(fields: StyleFields) -> None:
    """Buttons that add an empty slot, or remove the last one with what is in it."""

    def add(count: int) -> dict[Any, Any]:
        return fields.shown(min(count + 1, SLOTS))

    def remove(count: int) -> dict[Any, Any]:
        left = max(count - 1, 1)
        gone = {slot: gr.update(value=None, visible=False) for slot in fields.artworks[left:]}
        return {**fields.shown(left), **gone}

    fields.more.click(add, fields.count, fields.slots, **HIDDEN)
    fields.less.click(remove, fields.count, fields.slots, **HIDDEN)


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
