"""Somebody who talks to the app without its page, and without the weight of Gradio's client."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import httpx

from tests.app.server import Served

PATIENCE = 120.0  # seconds without an answer


class Visitor:
    """Somebody who talks to the app without its page."""

    def __init__(self, app: Served) -> None:
        self.http = httpx.Client(base_url=app.url, timeout=PATIENCE)
        self.session = secrets.token_hex(6)
        self.config = self.http.get("/config").json()
        self.values = {part["id"]: part["props"].get("value") for part in self.config["components"]}
        self.events = [event for event in self.config["dependencies"] if event["backend_fn"]]

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def upload(self, path: Path, name: str) -> dict[str, Any]:
        """Upload a file under any name."""
        answer = self.http.post("/gradio_api/upload", files={"files": (name, path.read_bytes())})
        return as_file(answer.json()[0])

    def defaults(self, event: dict[str, Any]) -> list[Any]:
        """What the page would send, freshly opened."""
        return [self.values.get(part) for part in event["inputs"]]

    def ask(self, event: dict[str, Any], data: list[Any], event_data: Any = None) -> dict[str, Any]:
        """Run an event or endpoint, and return its answer or error."""
        body = {
            "data": data,
            "fn_index": event["id"],
            "session_hash": self.session,
            "event_data": event_data,
        }
        if not event["queue"]:
            return dict(self.http.post("/gradio_api/run/predict", json=body).json())
        joined = self.http.post("/gradio_api/queue/join", json=body)
        if joined.status_code != 200:
            return dict(joined.json())
        listen = {"session_hash": self.session}
        with self.http.stream("GET", "/gradio_api/queue/data", params=listen) as answer:
            for line in answer.iter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    done = message["output"]
        return dict(done)

    def stylize(self, content: Any, **fields: Any) -> dict[str, Any]:
        """Ask the endpoint for a picture, small and quick where nothing else is said."""
        event = next(event for event in self.events if event["api_name"] == "stylize")
        given = {
            "content": content,
            "styles": [],
            "method": "fast",
            "gallery_styles": [],
            "style_weights": [],
            "preset": "default",
            "options": {},
            "mask": None,
            "format": "jpg",
            "strength_map": None,
            "stroke_map": None,
            "works": [],
            "print": None,
            "dpi": None,
            "variations": 0,
            "stroke_direction": None,
        }
        return self.ask(event, [{**given, **fields}[name] for name in given])


def as_file(path: str) -> dict[str, Any]:
    """A path as Gradio's client sends uploaded files."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}
