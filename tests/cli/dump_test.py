"""`dump` and `load` in pipes and files, as a person uses them.

Usage: dump_test.py ASHLAR
"""
import resource
import subprocess
import unittest

from program import ASHLAR, WithDirectory, run, text_dump


class Dump(WithDirectory):
    def dump(self, directory, *arguments):
        dumped = run("dump", directory, *arguments)
        self.assertEqual(dumped.returncode, 0, dumped.stderr)
        return dumped.stdout

    def test_one_process_into_another(self):
        self.fill(3000)
        for form in ("text", "binary"):
            copy = self.folder / form
            with subprocess.Popen([ASHLAR, "dump", str(self.data), "--form", form],
                                  stdout=subprocess.PIPE) as source:
                loaded = run("load", copy, stdin=source.stdout)
            self.assertEqual((source.returncode, loaded.returncode), (0, 0), loaded.stderr)
            self.assertEqual(loaded.stdout, b"3000 rows loaded, 0 skipped that had expired\n")
            self.assertEqual(loaded.stderr, b"")
            self.assertEqual(self.dump(copy), self.dump(self.data))
            self.assertEqual(self.dump(copy, "--form=binary"),
                             self.dump(self.data, "--form=binary"))

    def test_files(self):
        self.fill(100)
        kept = self.folder / "kept"
        self.assertEqual(self.dump(self.data, "--output", kept), b"")
        self.assertEqual(run("load", self.folder / "b", "--input", kept).returncode, 0)
        self.assertEqual(self.dump(self.folder / "b"), kept.read_bytes())

    def test_dump_that_fails_leaves_the_older_one(self):
        self.fill(5000)
        kept = self.folder / "kept"
        kept.write_bytes(b"an older dump")

        def limit():  # Longer files cannot be written, as on a disk that is full.
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        failed = run("dump", self.data, "--output", kept, preexec_fn=limit, restore_signals=False)
        self.assertEqual(failed.returncode, 2)
        self.assertIn(f"{kept}: write: File too large".encode(), failed.stderr)
        self.assertEqual(kept.read_bytes(), b"an older dump")
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"data", "kept"})

    def test_dump_that_was_cut(self):
        self.fill(100)
        whole = self.dump(self.data)
        kept = self.folder / "kept"
        kept.write_bytes(whole[:-100])
        by_file = run("load", self.folder / "b", "--input", kept)
        self.assertEqual(by_file.returncode, 1)
        self.assertIn(b"0 rows had been loaded", by_file.stderr)
        self.assertFalse((self.folder / "b").exists())
        by_pipe = run("load", self.folder / "b", input=whole[:-100])
        self.assertEqual(by_pipe.returncode, 1)
        self.assertIn(b"standard input: line 101 is cut short", by_pipe.stderr)
        self.assertIn(b"99 rows had been loaded", by_pipe.stderr)

    def test_lines_can_be_compared(self):
        self.fill(50)
        before = set(self.dump(self.data).splitlines())
        run("load", self.data, input=text_dump(1, first=50))
        after = set(self.dump(self.data).splitlines())
        self.assertEqual(len(after - before), 2, "the new row and the closing line")

    def test_input_that_is_no_dump(self):
        refused = run("load", self.data, input=b"hello\n")
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"offset 0: this does not begin as a dump does", refused.stderr)

    def test_full_output(self):
        self.fill(5000)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([ASHLAR, "dump", str(self.data)], stdout=full,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"No space left on device", done.stderr)


if __name__ == "__main__":
    unittest.main()
