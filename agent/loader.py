"""Starts a program of the package `agent` from text: `checker/remote.ts` passes this file to `python3 -c`.

The first line of stdin is JSON: {"program": module, "modules": {module: source}, "parameters": {...}}. So neither the
sources nor the parameters pass through a shell, and nothing is written to a disk.
"""

import json
import sys

ModuleSpec = type(
    sys.__spec__
)  # the class itself is in importlib.machinery, which takes longer to load than all of this

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


class SentModules:
    """Finds and loads the modules that were sent. PEP 451."""

    def __init__(self, sources: "dict[str, str]") -> None:
        self.sources = sources

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """The spec of one of our modules; None for any other, which is Python's own."""
        if name not in self.sources:
            return None
        return ModuleSpec(name, self, origin=name, is_package="." not in name)  # type: ignore[arg-type]

    def create_module(self, spec: "Any") -> None:
        """Python makes the module object."""

    def exec_module(self, module: "ModuleType") -> None:
        """Runs a module's text in it."""
        name = module.__name__
        exec(compile(self.sources[name], name, "exec"), module.__dict__)


def start() -> None:
    """Reads what was sent, and runs the program's `main`."""
    sent = json.loads(sys.stdin.readline())
    sys.meta_path.insert(0, SentModules(sent["modules"]))
    __import__(sent["program"])
    sys.modules[sent["program"]].main(sent["parameters"])


if __name__ == "__main__":
    start()
