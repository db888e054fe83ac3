"""`python -m tests.proofs NAME …` runs one of the proofs beside this file."""

import runpy
import sys
from pathlib import Path

names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
if len(sys.argv) < 2 or sys.argv[1] not in names:
    sys.exit(f"usage: python -m tests.proofs NAME …, where NAME is one of: {', '.join(names)}")
name = sys.argv.pop(1)
runpy.run_module(f"tests.proofs.{name}", run_name="__main__", alter_sys=True)
