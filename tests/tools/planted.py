"""A small tree in a temporary folder, for tests of the tools."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))


class PlantedTree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()

    def plant(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run_tool(self, name, *arguments, **options):
        """The exit status and all output of tools/NAME run on the planted tree."""
        run = subprocess.run([sys.executable, "-B", str(ROOT / "tools" / name),
                              *(arguments or (str(self.root),))],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        return run.returncode, run.stdout
