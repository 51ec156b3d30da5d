"""Runs cloud-init's local stage, `cloud-init init --local`, in two thirds of its time.

Most of that time is imports (seconds, without hardware acceleration), and some of them cloud-init can do without: it
and requests catch their ImportError. Our seed is written by a library and needs no validation by schema.
Started as `python3 -I -S`: no site, no entry point lookup. Other arguments are cloud-init's own.
"""

import sys
import warnings

sys.path.append("/usr/lib/python3/dist-packages")
for optional in ("jsonschema", "chardet", "charset_normalizer"):
    sys.modules[optional] = None  # an import of it now raises ImportError
warnings.simplefilter("ignore")  # requests misses its character detection

from cloudinit.cmd.main import main  # noqa: E402

sys.exit(main(["cloud-init", *(sys.argv[1:] or ["init", "--local"])]))
