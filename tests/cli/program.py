"""What the tests of the command share: running it, and a directory to run it on."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ASHLAR = sys.argv.pop(1)


def run(*arguments, **settings):
    """Runs the command; its output is bytes."""
    return subprocess.run([ASHLAR, *map(str, arguments)], capture_output=True, timeout=120,
                          **settings)


def text_dump(count, first=0):
    """A dump of `count` rows, without its closing line."""
    rows = "".join(f'"key:{i:06}" "value {i} {"x" * 200}"\n' for i in range(first, first + count))
    return ("# ashlar dump 1 text\n" + rows).encode()


class WithDirectory(unittest.TestCase):
    """Each test has an empty folder; `fill` makes a database in it by loading rows."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ashlar-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data = self.folder / "data"

    def fill(self, count):
        """Rows that stay without the closing line: the load is refused, what came before stays."""
        loaded = run("load", self.data, "--durability=process", input=text_dump(count))
        self.assertEqual(loaded.returncode, 1, loaded.stderr)
        self.assertIn(f"{count} rows had been loaded".encode(), loaded.stderr)

    def flip(self, name, offset):
        path = self.data / name
        content = bytearray(path.read_bytes())
        content[offset] ^= 0x20
        path.write_bytes(content)

    def snapshot(self):
        """All files and their content."""
        return {path.relative_to(self.folder): path.read_bytes()
                for path in sorted(self.folder.rglob("*")) if path.is_file()}
