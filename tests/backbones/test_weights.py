"""How the weights of the VGGs are found, downloaded, checked and cached."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from impasto.backbones import checkpoints, load_backbone
from impasto.backbones.checkpoints import load_convolutions
from impasto.backbones.fetch import fetch
from impasto.backbones.published import CHECKPOINTS
from impasto.backbones.weights import cache_folder, cached_path, download
from impasto.backbones.weights import import_weights as import_file
from impasto.errors import ImpastoError, InputError
from tests.backbones.checkpoint_server import CheckpointServer, narrow_vgg16, published, saved

THREE_WAYS = ("--weights", "IMPASTO_WEIGHTS", "impasto weights import FILE", "--backbone lite")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[CheckpointServer]:
    with published(monkeypatch, tmp_path / "cache") as server:
        yield server


@pytest.fixture
def state() -> dict[str, Tensor]:
    """The convolutions of narrow_vgg16, without its classifier."""
    return {key: value for key, value in narrow_vgg16().items() if key.startswith("features")}


def cached_files() -> set[str]:
    return {path.name for path in cache_folder().iterdir()}


def leave_partial_file(content: bytes) -> Path:
    part = cache_folder() / "vgg16-test.pth.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    return part


def assert_cached(state: dict[str, Tensor]) -> None:
    found = load_file(cached_path("vgg16"))
    assert found.keys() == state.keys()
    for key, value in state.items():
        assert torch.equal(found[key], value.half())


class TestPublished:
    @pytest.mark.parametrize("name", ["vgg16", "vgg19"])
    def test_the_registered_hash_is_the_one_in_torchvisions_file_name(self, name: str) -> None:
        checkpoint = CHECKPOINTS[name]
        match = re.fullmatch(rf"{name}-([0-9a-f]{{8}})\.pth", checkpoint.filename)
        assert match and checkpoint.sha256.startswith(match[1])
        assert re.fullmatch("[0-9a-f]{64}", checkpoint.sha256)


class TestDownload:
    def test_only_the_convolutions_are_kept_in_half_precision(
        self, server: CheckpointServer, state: dict[str, Tensor]
    ) -> None:
        seen: list[tuple[int, int]] = []
        path = download(CHECKPOINTS["vgg16"], lambda done, total: seen.append((done, total)))
        assert path == cached_path("vgg16")
        assert_cached(state)
        assert cached_files() == {"vgg16.safetensors", "vgg16.lock"}
        assert server.requests == [None]
        assert seen == sorted(seen) and len(seen) > 3
        assert seen[-1] == (len(server.body), len(server.body))
        with safe_open(path, "pt") as file:
            assert file.metadata() == {
                "format": "pt",
                "source": server.url,
                "sha256": hashlib.sha256(server.body).hexdigest(),
                "licence": "free",
            }

    def test_the_backbone_loads_from_it_and_then_from_the_cache(
        self, server: CheckpointServer, state: dict[str, Tensor]
    ) -> None:
        first = load_backbone("vgg16")
        again = load_backbone("vgg16", offline=True)
        assert len(server.requests) == 1
        assert first.layers[-1] == "relu5_3"
        for key, value in state.items():
            assert torch.equal(first.state_dict()[key], value.half().float())
            assert torch.equal(again.state_dict()[key], value.half().float())

    @pytest.mark.usefixtures("server")
    def test_whoever_may_read_other_files_may_read_the_cache(self, tmp_path: Path) -> None:
        (tmp_path / "other").touch()
        mode = download(CHECKPOINTS["vgg16"]).stat().st_mode
        assert mode == (tmp_path / "other").stat().st_mode

    def test_a_broken_connection_is_taken_up_where_it_broke(
        self, server: CheckpointServer, state: dict[str, Tensor]
    ) -> None:
        server.cuts = [5000, 2500]
        download(CHECKPOINTS["vgg16"])
        assert server.requests == [None, "bytes=5000-", "bytes=7500-"]
        assert_cached(state)

    def test_a_connection_that_brings_nothing_ends_it_and_a_later_call_resumes(
        self, server: CheckpointServer, state: dict[str, Tensor]
    ) -> None:
        server.cuts = [5000, 0]
        with pytest.raises(
            ImpastoError, match=r"`impasto weights download vgg16` goes on"
        ) as error:
            download(CHECKPOINTS["vgg16"])
        assert error.value.exit_code == 1
        assert cached_files() == {"vgg16-test.pth.part", "vgg16.lock"}
        download(CHECKPOINTS["vgg16"])
        assert server.requests == [None, "bytes=5000-", "bytes=5000-"]
        assert_cached(state)

    def test_a_server_without_ranges_sends_it_all_again(
        self, server: CheckpointServer, state: dict[str, Tensor]
    ) -> None:
        server.ranges = False
        server.cuts = [5000]
        download(CHECKPOINTS["vgg16"])
        assert server.requests == [None, "bytes=5000-"]
        assert_cached(state)

    def test_a_server_without_ranges_that_always_breaks_is_given_up(
        self, server: CheckpointServer
    ) -> None:
        server.ranges = False
        server.cuts = [5000] * 100
        with pytest.raises(ImpastoError, match=r"broke the connection"):
            download(CHECKPOINTS["vgg16"])
        assert len(server.requests) == 2

    @pytest.mark.parametrize("extra", [b"", b"and more"])
    def test_a_complete_or_overlong_partial_file_is_dealt_with(
        self, server: CheckpointServer, state: dict[str, Tensor], extra: bytes
    ) -> None:
        leave_partial_file(server.body + extra)
        download(CHECKPOINTS["vgg16"])
        assert server.requests == ([None] if extra else [])
        assert_cached(state)

    def test_an_original_that_was_not_converted_is_not_fetched_again(
        self, server: CheckpointServer, state: dict[str, Tensor]
    ) -> None:
        part = leave_partial_file(server.body)
        part.rename(part.with_suffix(""))
        download(CHECKPOINTS["vgg16"])
        assert server.requests == []
        assert_cached(state)

    def test_a_wrong_hash_is_refused_and_nothing_is_left_or_replaced(
        self, server: CheckpointServer
    ) -> None:
        old = cached_path("vgg16")
        old.parent.mkdir(parents=True)
        old.write_bytes(b"damaged, but not ours to remove")
        server.body = server.body[:-1] + bytes([server.body[-1] ^ 1])
        with pytest.raises(InputError, match=r"SHA-256 that is expected .* was removed"):
            download(CHECKPOINTS["vgg16"])
        assert cached_files() == {"vgg16.safetensors", "vgg16.lock"}
        assert old.read_bytes() == b"damaged, but not ours to remove"

    def test_an_intact_cache_is_not_downloaded_again_and_a_damaged_one_is(
        self, server: CheckpointServer, state: dict[str, Tensor]
    ) -> None:
        path = download(CHECKPOINTS["vgg16"])
        download(CHECKPOINTS["vgg16"])
        assert len(server.requests) == 1
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(InputError, match=r"truncated.*`impasto weights download vgg16` renews"):
            load_backbone("vgg16")
        download(CHECKPOINTS["vgg16"])
        assert_cached(state)

    def test_another_file_under_the_address_is_refused_and_the_partial_file_kept(
        self, server: CheckpointServer
    ) -> None:
        part = leave_partial_file(server.body[:5000])
        server.body = b"<html>Log in to the hotel's network</html>"
        server.ranges = False
        with pytest.raises(ImpastoError, match=r"is not the file that is expected"):
            download(CHECKPOINTS["vgg16"])
        assert part.stat().st_size == 5000

    @pytest.mark.parametrize(("status", "reason"), [(404, "404 Not Found"), (403, "403 Forbidden")])
    def test_a_refusing_server_is_quoted_with_the_ways_out(
        self, server: CheckpointServer, status: int, reason: str
    ) -> None:
        server.status = status
        with pytest.raises(InputError, match=rf"answered {reason}") as error:
            load_backbone("vgg16")
        assert all(way in str(error.value) for way in THREE_WAYS)

    @pytest.mark.usefixtures("server")
    def test_without_a_network_the_ways_out_are_named(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        checkpoint = replace(CHECKPOINTS["vgg16"], url=f"http://127.0.0.1:{port}/vgg16-test.pth")
        with pytest.raises(InputError, match=r"cannot be reached: Connection refused") as error:
            download(checkpoint)
        assert all(way in str(error.value) for way in THREE_WAYS)
        assert "\n" not in str(error.value)
        assert error.value.exit_code == 2

    def test_offline_nothing_is_asked_for(self, server: CheckpointServer) -> None:
        with pytest.raises(InputError, match=r"offline") as error:
            load_backbone("vgg16", offline=True)
        assert all(way in str(error.value) for way in THREE_WAYS)
        assert server.requests == []

    @pytest.mark.usefixtures("server")
    def test_a_cache_that_cannot_be_made_is_one_line(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "file"))
        with pytest.raises(InputError, match=r"cannot write to the cache .*IMPASTO_CACHE"):
            download(CHECKPOINTS["vgg16"])

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
    def test_a_disk_that_fills_up_is_one_line(self, server: CheckpointServer) -> None:
        leave_partial_file(b"").unlink()
        (cache_folder() / "vgg16-test.pth.part").symlink_to("/dev/full")
        with pytest.raises(InputError, match=r"cannot write to the cache .*No space left"):
            download(CHECKPOINTS["vgg16"])

    def test_a_disk_without_room_is_said_before_anything_is_downloaded(
        self, server: CheckpointServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = shutil.disk_usage("/")._replace(free=len(server.body) - 1)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(InputError, match=r"cannot write to the cache .*No space left"):
            download(CHECKPOINTS["vgg16"])
        assert server.requests == []

    def test_two_at_once_download_once(
        self, server: CheckpointServer, state: dict[str, Tensor]
    ) -> None:
        threads = [
            threading.Thread(target=download, args=(CHECKPOINTS["vgg16"],)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.requests == [None]
        assert_cached(state)

    def test_ctrl_c_keeps_what_arrived(
        self, server: CheckpointServer, state: dict[str, Tensor]
    ) -> None:
        def interrupt(done: int, _: int) -> None:
            if done > 3000:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            download(CHECKPOINTS["vgg16"], interrupt)
        download(CHECKPOINTS["vgg16"])
        assert server.requests == [None, "bytes=4000-"]
        assert_cached(state)

    def test_fetch_gives_the_bytes_as_they_are(
        self, server: CheckpointServer, tmp_path: Path
    ) -> None:
        checkpoint = CHECKPOINTS["vgg16"]
        fetch(server.url, tmp_path / "file", checkpoint.size, checkpoint.sha256)
        assert (tmp_path / "file").read_bytes() == server.body


@pytest.mark.usefixtures("server")
class TestFind:
    """An explicit file goes before IMPASTO_WEIGHTS, that before the cache, that before the web."""

    def test_each_place_hides_the_later_ones(
        self, state: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        marks = {}
        for mark, place in enumerate(["given", "environment", "cache"], start=1):
            marks[place] = tmp_path / f"{place}.safetensors"
            save_file({**state, "features.0.bias": torch.full((2,), float(mark))}, marks[place])

        def loaded(weights: Path | None = None) -> float:
            backbone = load_backbone("vgg16", weights=weights)
            return float(backbone.state_dict()["features.0.bias"][0])

        published = float(state["features.0.bias"][0].half())
        assert loaded() == published
        import_file(marks["cache"])
        assert loaded() == 3
        monkeypatch.setenv("IMPASTO_WEIGHTS", str(marks["environment"]))
        assert loaded() == 2
        assert loaded(marks["given"]) == 1

    @pytest.mark.parametrize("filename", ["vgg16.safetensors", "vgg16-test.pth"])
    def test_a_folder_is_searched_for_both_names(
        self,
        state: dict[str, Tensor],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        filename: str,
    ) -> None:
        path = tmp_path / filename
        if path.suffix == ".pth":
            path.write_bytes(saved(state))
        else:
            save_file(state, path)
        monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path))
        backbone = load_backbone("vgg16", offline=True)
        assert torch.equal(backbone.state_dict()["features.0.bias"], state["features.0.bias"])

    def test_a_folder_without_it_is_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path))
        assert load_backbone("vgg16").name == "vgg16"

    def test_a_place_that_does_not_exist_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path / "nowhere"))
        with pytest.raises(InputError, match=r"IMPASTO_WEIGHTS names .*nowhere, which does not"):
            load_backbone("vgg16")
        with pytest.raises(InputError, match=r"no weights file .*nowhere.pth"):
            load_backbone("vgg16", weights=tmp_path / "nowhere.pth")

    def test_the_cache_is_the_users_unless_told_otherwise(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import platformdirs

        monkeypatch.delenv("IMPASTO_CACHE")
        assert cache_folder() == platformdirs.user_cache_path("impasto") / "weights"


class Exploit:
    """Runs code when it is unpickled."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.victim),)


@pytest.mark.usefixtures("server")
class TestFiles:
    def test_every_tolerated_form_gives_the_same_parameters(
        self, state: dict[str, Tensor], tmp_path: Path
    ) -> None:
        wrapped = {"state_dict": {f"module.{key}": value for key, value in state.items()}, "n": 3}
        forms = {
            "plain.pth": saved(state),
            "legacy.pth": saved(state, legacy=True),
            "classifier.pt": saved(narrow_vgg16()),
            "wrapped.pth": saved(wrapped),
        }
        for name, content in forms.items():
            (tmp_path / name).write_bytes(content)
        save_file(narrow_vgg16(), tmp_path / "full.safetensors")
        for name in (*forms, "full.safetensors"):
            network, found = load_convolutions(tmp_path / name)
            assert network == "vgg16"
            assert found.keys() == state.keys()
            assert all(torch.equal(found[key], state[key]) for key in state), name

    def test_a_short_file_ends_early_and_is_imported_with_what_it_says(
        self, state: dict[str, Tensor], tmp_path: Path
    ) -> None:
        short = {key: value for key, value in state.items() if int(key.split(".")[1]) <= 24}
        path = tmp_path / "short.safetensors"
        save_file(short, path, {"origin": "Oxford, CC BY 4.0"})
        assert import_file(path) == cached_path("vgg16")
        assert load_backbone("vgg16", offline=True).layers[-1] == "relu5_1"
        with safe_open(cached_path("vgg16"), "pt") as file:
            metadata = file.metadata()
        assert metadata["licence"] == "Oxford, CC BY 4.0"
        assert metadata["source"] == "short.safetensors"
        assert metadata["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_the_published_file_is_recognised_by_its_hash(
        self, server: CheckpointServer, tmp_path: Path
    ) -> None:
        (tmp_path / "renamed.pth").write_bytes(server.body)
        with safe_open(import_file(tmp_path / "renamed.pth"), "pt") as file:
            assert file.metadata()["source"] == server.url
            assert file.metadata()["licence"] == "free"

    def test_a_file_that_fits_both_networks_asks_which(
        self, state: dict[str, Tensor], tmp_path: Path
    ) -> None:
        path = tmp_path / "short.safetensors"
        save_file({k: v for k, v in state.items() if int(k.split(".")[1]) <= 10}, path)
        with pytest.raises(InputError, match=r"too short to tell vgg16 from vgg19"):
            load_convolutions(path)
        assert load_convolutions(path, "vgg19")[0] == "vgg19"

    def test_the_wrong_network_is_named(self, state: dict[str, Tensor], tmp_path: Path) -> None:
        save_file(state, tmp_path / "vgg16.safetensors")
        with pytest.raises(InputError, match=r"vgg16.safetensors holds vgg16, not vgg19"):
            load_backbone("vgg19", weights=tmp_path / "vgg16.safetensors")

    @pytest.mark.parametrize("filename", ["vgg16.safetensors", "vgg16.pth", "legacy.pth"])
    @pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
    def test_a_truncated_file_is_refused(
        self, state: dict[str, Tensor], tmp_path: Path, filename: str, share: float
    ) -> None:
        path = tmp_path / filename
        if path.suffix == ".pth":
            path.write_bytes(saved(state, legacy=filename == "legacy.pth"))
        else:
            save_file(state, path)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=r"truncated|damaged") as error:
            load_convolutions(path)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("legacy", [False, True])
    def test_code_in_a_pickle_is_never_run(self, tmp_path: Path, legacy: bool) -> None:
        path, victim = tmp_path / "evil.pth", tmp_path / "victim"
        path.write_bytes(saved({"features.0.weight": Exploit(victim)}, legacy=legacy))
        with pytest.raises(InputError, match=r"holds code and not only weights"):
            load_convolutions(path)
        assert not victim.exists()

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("other.pth", saved({"fc.weight": torch.zeros(2, 2)}), "not hold the convolutions"),
            ("empty.pth", saved({}), "does not hold the convolutions"),
            ("list.pth", saved([1, 2]), "holds a list, not a table"),
            ("tensor.pth", saved(torch.zeros(3)), "holds a Tensor, not a table"),
            ("text.pth", b"hello", "damaged|truncated"),
            ("text.safetensors", b"hello there", "not a safetensors file"),
            ("weights.onnx", b"", "is not a weights file: .safetensors, .pth and .pt"),
        ],
    )
    def test_foreign_files_are_refused(
        self, tmp_path: Path, name: str, content: bytes, message: str
    ) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message) as error:
            load_convolutions(tmp_path / name)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        ("bias", "message"),
        [
            (torch.tensor([1.0, float("nan")]), "features.0.bias holds values that are not finite"),
            (torch.tensor([1, 2]), "features.0.bias is not a dense tensor of floating-point"),
            (torch.eye(2)[0].to_sparse(), "features.0.bias is not a dense tensor"),
        ],
    )
    def test_unusable_numbers_are_refused(
        self, state: dict[str, Tensor], tmp_path: Path, bias: Tensor, message: str
    ) -> None:
        path = tmp_path / "odd.pth"
        path.write_bytes(saved({**state, "features.0.bias": bias}))
        with pytest.raises(InputError, match=message):
            load_convolutions(path)

    def test_what_half_precision_cannot_hold_is_used_but_not_cached(
        self, state: dict[str, Tensor], tmp_path: Path
    ) -> None:
        path = tmp_path / "large.pth"
        path.write_bytes(saved({**state, "features.2.bias": torch.tensor([1.0, 7e4])}))
        with pytest.raises(InputError, match=r"features.2.bias has values beyond half precision"):
            import_file(path)
        assert not cached_path("vgg16").exists()
        backbone = load_backbone("vgg16", weights=path)
        assert backbone.state_dict()["features.2.bias"][1] == 7e4


def test_the_real_shapes_are_those_of_torchvision() -> None:
    """The fixtures above make the network narrow; here are the widths of the papers."""
    widths = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}
    vgg19 = {0: 1, 2: 1, 5: 2, 7: 2} | {10: 3, 12: 3, 14: 3, 16: 3} | {19: 4, 21: 4, 23: 4, 25: 4}
    state, channels = {}, 3
    for index, block in (vgg19 | {28: 5, 30: 5, 32: 5, 34: 5}).items():
        state[f"features.{index}.weight"] = torch.zeros(1).expand(widths[block], channels, 3, 3)
        state[f"features.{index}.bias"] = torch.zeros(1).expand(widths[block])
        channels = widths[block]
    from impasto.backbones.checkpoints import recognize

    assert recognize(state) == ["vgg19"]
    assert recognize({**state, "features.36.weight": torch.zeros(1)}) == []


@pytest.mark.usefixtures("server")
class TestConventions:
    """Weights for torchvision's input and for Caffe's: BGR, 0 to 255, less a mean."""

    @pytest.fixture
    def caffe(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Convolutions whose first layer has the scale that values up to 255 call for."""
        return state | {"features.0.weight": state["features.0.weight"] / 58}

    def test_caffes_are_converted(
        self, caffe: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        torch.save(caffe, tmp_path / "vgg.pth")
        _, found = load_convolutions(tmp_path / "vgg.pth", "vgg16")
        rgb = torch.rand(1, 3, 9, 9)
        bgr = rgb.flip(1) * 255 - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
        mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
        outputs = [
            F.conv2d(image, weights["features.0.weight"], weights["features.0.bias"])
            for image, weights in ((bgr, caffe), ((rgb - mean) / std, found))
        ]
        torch.testing.assert_close(*outputs, atol=1e-3, rtol=1e-3)
        assert "Caffe" in caplog.text

    def test_caffes_are_known_by_their_hash(
        self, state: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        torch.save(state, tmp_path / "vgg.pth")
        monkeypatch.setattr(checkpoints, "file_sha256", lambda path: "d01eb7cb" + 56 * "0")
        _, found = load_convolutions(tmp_path / "vgg.pth", "vgg16")
        assert not torch.equal(found["features.0.weight"], state["features.0.weight"])

    def test_unknown_ones_are_told_of_once(
        self, state: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        torch.save(state, tmp_path / "mine.pth")
        path = import_file(tmp_path / "mine.pth", "vgg16")
        assert caplog.text.count("is unknown") == 1
        _, found = load_convolutions(path, "vgg16")
        assert caplog.text.count("is unknown") == 1
        torch.testing.assert_close(found, {k: v.half().float() for k, v in state.items()})
