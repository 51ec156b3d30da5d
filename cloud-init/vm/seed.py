"""Runs cloud-init's local stage, `cloud-init init --local`, in two thirds of its time.

Most of that time is imports (seconds, without hardware acceleration), and some of them it can do without. Our seed is
written by a library and needs no validation by schema: cloud-init catches the ImportError. Nothing is fetched, so
nobody guesses the character set of a page; but requests (before 2.32) ends without a module that could.
Started as `python3 -I -S`: no site, no entry point lookup. Other arguments are cloud-init's own.
"""

import sys
import types
import warnings

sys.path.append("/usr/lib/python3/dist-packages")
for optional in ("jsonschema", "charset_normalizer"):
    sys.modules[optional] = None  # an import of it now raises ImportError
sys.modules["chardet"] = types.ModuleType("chardet")
sys.modules["chardet"].__version__ = "5.0.0"
warnings.simplefilter("ignore")  # requests looks at that version

from cloudinit.cmd.main import main  # noqa: E402

sys.exit(main(["cloud-init", *(sys.argv[1:] or ["init", "--local"])]))
