"""The command line as a whole: speed of the help, exit codes, no traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

import impasto
from impasto.cli import main

HEAVY = {"torch", "numpy", "PIL", "matplotlib", "scipy", "tqdm"}


def test_help_and_package_import_nothing_heavy() -> None:
    code = (
        "import sys, impasto, impasto.cli\n"
        "try: impasto.cli.main(['stylize', '--help'])\n"
        "except SystemExit: pass\n"
        "print('LOADED', *sorted(name for name in sys.modules if '.' not in name))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rsplit("LOADED", 1)[1].split())
    assert not loaded & HEAVY
    assert "--style-weight" in done.stdout
    assert "--style_weight" not in done.stdout


def test_a_command_ends_without_a_search_for_garbage() -> None:
    code = (
        "import atexit, gc\n"
        "atexit.register(lambda: print('SPARED', gc.get_freeze_count() > 0))\n"
        "import impasto.cli\n"
        "impasto.cli.main(['weights', 'list'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("SPARED True\n")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.strip() == f"impasto {impasto.__version__}"


def test_an_unknown_command_is_exit_code_2() -> None:
    with pytest.raises(SystemExit) as end:
        main(["paint"])
    assert end.value.code == 2


def test_python_m_impasto_works() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "impasto", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("impasto ")


def test_every_public_name_exists() -> None:
    for name in impasto.__all__:
        assert getattr(impasto, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'styleize'"):
        _ = impasto.styleize
