"""The loader starts a program from text alone."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

FOLDER = Path(__file__).parent
PROGRAMS = ("facts", "experiments", "trace", "capture", "watch")


def start(sent: object) -> "subprocess.CompletedProcess[str]":
    """Runs the loader as a lab host does: without the folder of this package."""
    return subprocess.run(
        [sys.executable, "-ISB", "-c", (FOLDER / "loader.py").read_text()],
        input=json.dumps(sent) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        cwd="/",
    )


class Loader(unittest.TestCase):
    """Modules come from what was sent, and from Python itself."""

    def test_a_program_gets_its_parameters_and_its_modules(self) -> None:
        """A module that was sent can import another."""
        modules = {
            "agent": "",
            "agent.words": "WORD = 'hello'",
            "agent.hello": "from agent.words import WORD\ndef main(parameters):\n    print(WORD, parameters['name'])",
        }
        done = start({"program": "agent.hello", "modules": modules, "parameters": {"name": "you"}})
        self.assertEqual((done.stdout, done.returncode), ("hello you\n", 0), done.stderr)

    def test_a_module_that_was_not_sent_is_missing(self) -> None:
        """The last line of stderr says which."""
        modules = {"agent": "", "agent.hello": "from agent.words import WORD"}
        done = start({"program": "agent.hello", "modules": modules, "parameters": {}})
        self.assertIn("No module named 'agent.words'", done.stderr.strip().splitlines()[-1])

    def test_no_program_loads_what_is_slow(self) -> None:
        """`typing` and `dataclasses` take longer to load than the modules that would use them."""
        sources = {f"agent.{path.stem}": path.read_text() for path in FOLDER.glob("*.py")}
        sources["agent"] = ""
        for program in PROGRAMS:
            sources["agent.probe"] = (
                f"import sys\nimport agent.{program}\ndef main(parameters):\n"
                "    print([name for name in ('typing', 'dataclasses', 'inspect', 'ssl') if name in sys.modules])"
            )
            done = start({"program": "agent.probe", "modules": sources, "parameters": {}})
            self.assertEqual(done.stdout, "[]\n", f"{program}: {done.stderr}")
