"""`backup`, `verify` and `restore` as a person uses them.

Usage: backup_test.py ASHLAR
"""
import os
import subprocess
import unittest

from program import ASHLAR, WithDirectory, run


class Backup(WithDirectory):
    def setUp(self):
        super().setUp()
        self.copy = self.folder / "copy"
        self.restored = self.folder / "restored"

    def fill_on_disk(self, count):
        self.fill(count)
        converted = run("convert", self.data, "--to", "disk", "--output", self.folder / "tables")
        self.assertEqual(converted.returncode, 0, converted.stderr)
        self.data = self.folder / "tables"

    def expect(self, status, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_one_machine_to_another(self):
        for fill in (self.fill, self.fill_on_disk):
            with self.subTest(fill.__name__):
                fill(3000)
                copy = self.folder / f"copy of {fill.__name__}"
                elsewhere = self.folder / f"elsewhere {fill.__name__}"
                restored = self.folder / f"restored {fill.__name__}"
                self.expect(0, "backup", self.data, copy)
                subprocess.run(["cp", "-r", copy, elsewhere], check=True)
                self.expect(0, "verify", elsewhere)
                self.expect(0, "restore", elsewhere, restored)
                self.assertEqual(run("dump", restored).stdout, run("dump", self.data).stdout)
                self.expect(0, "check", restored)

    def test_tables_share_their_space(self):
        self.fill_on_disk(3000)
        self.expect(0, "backup", self.data, self.copy)
        tables = list(self.copy.glob("*.table"))
        self.assertGreater(len(tables), 0)
        for table in tables:
            self.assertTrue(table.samefile(self.data / "tables" / table.name))
        again = self.expect(0, "backup", self.data, self.copy)
        self.assertIn(f"{len(tables)} files were there, 0 are linked".encode(), again.stdout)
        # A restored database shares nothing with either.
        self.expect(0, "restore", self.copy, self.restored)
        for table in (self.restored / "tables").glob("*.table"):
            self.assertEqual(os.stat(table).st_nlink, 1)

    def test_damage_is_told(self):
        self.fill_on_disk(3000)
        self.expect(0, "backup", self.data, self.copy)
        table = next(self.copy.glob("*.table"))
        content = bytearray(table.read_bytes())
        content[1000] ^= 1
        table.unlink()  # It is a link: the database must not be damaged with it.
        table.write_bytes(content)
        told = self.expect(1, "verify", self.copy)
        self.assertRegex(told.stdout.decode(), rf"{table.name}: offset \d+: ")
        refused = self.expect(1, "restore", self.copy, self.restored)
        self.assertIn(b"`ashlar verify ", refused.stderr)
        self.assertFalse(self.restored.exists())
        self.expect(0, "check", self.data)

    def test_killed_at_any_moment(self):
        self.fill(20_000)
        last_number = 0
        for pause_ms in range(0, 400, 25):
            before = self.snapshot_of_copy()
            with subprocess.Popen([ASHLAR, "backup", str(self.data), str(self.copy)],
                                  stdout=subprocess.DEVNULL) as process:
                try:
                    process.wait(pause_ms / 1000)
                except subprocess.TimeoutExpired:
                    process.kill()
            if not self.copy.exists() or not list(self.copy.glob("*.backup")):
                self.assertEqual(before, [], "one that was finished is never lost")
                continue
            verified = self.expect(0, "verify", self.copy)
            number = int(verified.stdout.split(b"backup ")[1].split()[0])
            self.assertIn(number, (last_number, last_number + 1))
            last_number = number
        self.expect(0, "backup", self.data, self.copy)
        self.expect(0, "verify", self.copy)

    def snapshot_of_copy(self):
        return list(self.copy.glob("*.backup")) if self.copy.exists() else []

    def test_nothing_of_others_is_written_to(self):
        self.fill(10)
        self.expect(0, "backup", self.data, self.copy)
        mine = self.folder / "mine"
        mine.mkdir()
        (mine / "0000000001.table").write_text("dear")
        before = self.snapshot()
        self.expect(2, "backup", self.data, mine)
        self.expect(2, "backup", self.copy, self.folder / "more")
        self.expect(2, "restore", self.copy, mine)
        self.expect(2, "restore", self.copy, self.data)
        self.expect(2, "restore", self.copy, self.copy / "inside")
        self.expect(2, "restore", mine, self.restored)
        self.expect(2, "verify", mine)
        self.expect(2, "verify", self.data)
        self.assertEqual({**self.snapshot()}, before | self.locks())

    def locks(self):
        """What an opening writes to a database even when nothing else comes of it."""
        return {name: content for name, content in self.snapshot().items()
                if name.parts[0] == "data"}

    def test_what_was_stopped_is_not_complete(self):
        self.fill(10)
        self.expect(0, "backup", self.data, self.copy)
        next(self.copy.glob("*.backup")).unlink()
        told = self.expect(1, "verify", self.copy)
        self.assertIn(b"no backup in it was ever finished", told.stderr)
        self.expect(1, "restore", self.copy, self.restored)
        self.assertEqual(list(self.folder.glob("restored*")), [])


if __name__ == "__main__":
    unittest.main()
