"""The demo as a user runs it: it ends well on a good catalogue, and it finds a planted difference.

Usage: demo_test.py DEMO CATALOGUE
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

DEMO, CATALOGUE = sys.argv[1:3]


def run(*arguments):
    return subprocess.run([DEMO, *arguments], capture_output=True, text=True, timeout=120)


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.good = run("--catalogue", CATALOGUE)

    def shows(self, pattern):
        self.assertRegex(self.good.stdout, pattern)

    def test_ends_well(self):
        self.assertEqual(self.good.returncode, 0, self.good.stdout + self.good.stderr)
        self.assertEqual(self.good.stderr, "")
        self.shows(r"\nAll good\n")

    def test_counts_what_the_source_has(self):
        self.shows(r"\n  records +9\n")
        self.shows(r"\n  same key as a later one +1\n")
        self.shows(r"\n  left out, no name +1\n")
        self.shows(r"\n  forward +3 rows")

    def test_loses_a_process_and_no_record(self):
        self.shows(r"\n  acknowledged by then +[4-6] records\n")
        self.shows(r"good  all [4-6] acknowledged records are there, byte for byte")

    def test_makes_a_checkpoint_and_opens_it(self):
        self.shows(r"\n  checkpoint +\d+\.\d+ MiB, \d+ % of it, compressed\n")
        self.shows(r"\n  closed and opened again +\d")

    def test_removes_its_directory(self):
        path = re.search(r"\n  directory +(/\S+), removed in the end\n", self.good.stdout)[1]
        self.assertFalse(pathlib.Path(path).exists())

    def test_keeps_a_directory_that_was_named_and_takes_no_full_one(self):
        with tempfile.TemporaryDirectory() as home:
            directory = home + "/kept"
            self.assertEqual(run("--catalogue", CATALOGUE, "--directory", directory).returncode, 0)
            self.assertTrue(pathlib.Path(directory, "FORMAT").exists())
            again = run("--catalogue", CATALOGUE, "--directory", directory)
            self.assertEqual(again.returncode, 1)
            self.assertIn("InvalidArgument: " + directory + ": is not empty", again.stderr)

    def test_verifies_each_key_in_two_ways(self):
        self.shows(r"good  8 records are equal byte for byte, by point reads")
        self.shows(r"good  8 records are equal byte for byte, by one ordered scan")

    def test_shows_snapshot_and_removed_keys(self):
        self.shows(r"pkg:libcourse\S* +Package: libcourse +\(removed\)")
        self.shows(r"pkg:libc-stone:\S* +Package: libc-stone +rewritten: pkg:libc-stone")
        self.shows(r"good  the snapshot is unchanged")

    def test_shows_keys_going(self):
        self.shows(r"session:ada  given 0.30 s, found gone after \d")
        self.shows(r"session:carl  given 0.90 s, found gone after \d")

    def test_shows_refusals(self):
        self.shows(r"key too long +InvalidArgument: ")
        self.shows(r"value too long +InvalidArgument: ")
        self.shows(r"one more +OutOfSpace: ")

    def test_writes_plain_lines_into_a_pipe(self):
        self.assertNotIn("\x1b", self.good.stdout)
        self.assertNotIn("\r", self.good.stdout)

    def test_finds_a_planted_difference_and_names_the_record(self):
        bad = run("--catalogue", CATALOGUE, "--corrupt-one")
        self.assertEqual(bad.returncode, 1)
        self.assertRegex(bad.stderr, r"Corruption: pkg:libc\S+: differs from the source at byte")
        self.assertNotIn("All good", bad.stdout)

    def test_fails_without_a_catalogue(self):
        bad = run("--catalogue", CATALOGUE + ".absent")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("cannot be opened", bad.stderr)

    def test_refuses_an_unknown_argument(self):
        self.assertEqual(run("--what").returncode, 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
