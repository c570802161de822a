"""`check`, `repair` and `info` as a person runs them: exit statuses, words, and what they leave.

Usage: tools_test.py ASHLAR
"""
import json
import subprocess
import unittest

from program import ASHLAR, WithDirectory, run

SEGMENT = "log/0000000001.log"


class Tools(WithDirectory):
    def check(self):
        return run("check", self.data)

    def forget_ring(self):
        """As a power cut does: the ring otherwise has a second copy of what is in the segment."""
        ring = self.data / "log" / "ring"
        ring.write_bytes(bytes(ring.stat().st_size))

    def repair_and_check(self):
        repaired = run("repair", self.data)
        self.assertEqual(repaired.returncode, 0, repaired.stderr)
        checked = self.check()
        self.assertEqual(checked.returncode, 0, checked.stdout)
        again = run("repair", self.data)
        self.assertIn(b"nothing is damaged, nothing to do", again.stdout)
        return repaired.stdout.decode()

    def rows(self):
        dumped = run("dump", self.data)
        self.assertEqual(dumped.returncode, 0, dumped.stderr)
        return dumped.stdout.count(b"\n") - 2

    def test_check_changes_nothing(self):
        self.fill(1000)
        before = self.snapshot()
        checked = self.check()
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertRegex(checked.stdout.decode(), r"no checkpoint, 2 frames of the log behind it, "
                         r"\d+ bytes checked: all is well\n$")
        self.assertEqual(run("info", self.data).returncode, 0)
        self.assertEqual(run("repair", "--dry-run", self.data).returncode, 0)
        self.assertEqual(self.snapshot(), before)

    def test_damaged_frame(self):
        self.fill(5000)
        self.flip(SEGMENT, 4096 + 300_000)
        self.forget_ring()
        checked = self.check()
        self.assertEqual(checked.returncode, 1)
        self.assertRegex(checked.stdout.decode(),
                         r"0000000001\.log: offset \d+: a frame is damaged that was durable")
        opened = run("dump", self.data)
        self.assertEqual(opened.returncode, 1)
        self.assertIn(f"`ashlar repair {self.data}`".encode(), opened.stderr)
        said = self.repair_and_check()
        self.assertIn(f"put aside: {SEGMENT} -> {self.data}/0000000001.aside\n", said)
        self.assertIn("later frames", said)
        self.assertEqual(self.rows(), 1000, "the batch before the damaged one")

    def heal(self, command):
        """Damages a frame that the ring has too, and has `command` mend it."""
        self.fill(5000)
        self.flip(SEGMENT, 4096 + 300_000)
        checked = self.check()
        self.assertEqual(checked.returncode, 1, "all is not well")
        self.assertRegex(checked.stdout.decode(),
                         r"0000000001\.log: offset \d+: .* the ring has it whole")
        healed = run(command, self.data)
        self.assertEqual(healed.returncode, 0, healed.stderr)
        self.assertEqual(self.check().returncode, 0)
        self.assertEqual(self.rows(), 5000)
        return healed.stdout

    def test_repair_puts_back_what_the_ring_has(self):
        self.assertNotIn(b"lost:", self.heal("repair"))

    def test_opening_puts_back_what_the_ring_has(self):
        self.assertEqual(self.heal("dump").count(b"\n"), 5002)

    def test_damaged_header_loses_nothing(self):
        self.fill(1000)
        self.flip(SEGMENT, 50)
        self.assertEqual(self.check().returncode, 1)
        self.repair_and_check()
        self.assertEqual(self.rows(), 1000)
        self.assertTrue((self.data / "0000000001.aside" / "REPORT").is_file())

    def test_segment_cut_short(self):
        self.fill(5000)
        with open(self.data / SEGMENT, "r+b") as file:
            file.truncate(4096 + 300_000)
        checked = self.check()
        self.assertEqual(checked.returncode, 1)
        self.assertIn(b"offset 304096: the file ends here", checked.stdout)
        self.repair_and_check()
        self.assertEqual(self.rows(), 5000, "the ring has the rest")
        with open(self.data / SEGMENT, "r+b") as file:
            file.truncate(4096 + 300_000)
        self.forget_ring()
        self.repair_and_check()
        self.assertEqual(self.rows(), 1000)

    def test_segment_missing(self):
        self.fill(1000)
        (self.data / SEGMENT).unlink()
        self.assertEqual(self.check().returncode, 1)
        self.repair_and_check()
        self.assertEqual(self.rows(), 0)

    def test_format_damaged_or_missing(self):
        self.fill(100)
        self.flip("FORMAT", 0)
        checked = self.check()
        self.assertEqual(checked.returncode, 1)
        self.assertIn(b"FORMAT: offset 0: says nothing that is a format", checked.stdout)
        self.repair_and_check()
        (self.data / "FORMAT").unlink()
        self.assertEqual(self.check().returncode, 1)
        self.repair_and_check()
        self.assertEqual(self.rows(), 100)

    def test_ring_of_no_length(self):
        self.fill(100)
        with open(self.data / "log" / "ring", "r+b") as file:
            file.truncate(5000)
        checked = self.check()
        self.assertEqual(checked.returncode, 1)
        self.assertIn(b"ring: offset 5000: ", checked.stdout)
        self.repair_and_check()
        self.assertEqual(self.rows(), 100)

    def test_torn_end_is_normal(self):
        self.fill(5000)
        bytes_ = (self.data / SEGMENT).read_bytes()
        self.forget_ring()
        info = json.loads(run("info", "--json", self.data).stdout)
        # From the middle of the last commit on all is as if it had never been written.
        end = 4096 + info["log"]["end_position"]
        (self.data / SEGMENT).write_bytes(bytes_[:end - 2000] + bytes(len(bytes_) - end + 2000))
        checked = self.check()
        self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_info_for_machines(self):
        self.fill(2500)
        info = json.loads(run("info", "--json", self.data).stdout)
        self.assertEqual(info["format"], "ashlar directory 1")
        self.assertEqual(info["damage_count"], 0)
        self.assertIsNone(info["checkpoint"])
        self.assertEqual(info["log"]["frames_behind_checkpoint"], 4, "three batches and the close")
        self.assertTrue(info["log"]["was_closed"])
        self.assertEqual(info["log"]["bytes_behind_checkpoint"], info["log"]["end_position"])

    def test_what_is_no_database(self):
        self.data.mkdir()
        (self.data / "letter").write_text("dear")
        for command in ("check", "repair", "info", "dump"):
            refused = run(command, self.data)
            self.assertEqual(refused.returncode, 2, command)
            self.assertIn(b"is not the directory of a database", refused.stderr)
            self.assertEqual(refused.stdout, b"")

    def test_directory_without_a_name(self):
        for command in ("check", "repair", "info", "dump", "load"):
            refused = run(command, "", input=b"")
            self.assertEqual(refused.returncode, 2, command)
            self.assertIn(b"DIR: an empty name leads nowhere", refused.stderr)
            self.assertEqual(refused.stdout, b"")

    def test_answer_that_cannot_be_written(self):
        self.fill(1)
        for command in ("check", "info"):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([ASHLAR, command, str(self.data)], stdout=full,
                                      stderr=subprocess.PIPE, timeout=60, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"standard output: write: No space left on device", done.stderr)

    def test_usage(self):
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run("check").returncode, 2)
        self.assertEqual(run("--help").returncode, 0)
        self.assertRegex(run("--version").stdout, rb"^ashlar \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
