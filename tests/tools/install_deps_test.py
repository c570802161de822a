"""The promise: deps installs what is missing, says what, and is silent when nothing is."""
import os
import subprocess
import unittest

from planted import ROOT, PlantedTree


class InstallDeps(PlantedTree):
    def setUp(self):
        super().setUp()
        self.plant("tools/packages.txt", "# one\none build why\ntwo build why\nthree check why\n"
                   "four bench why\n")
        self.plant("tools/install_deps.sh", (ROOT / "tools/install_deps.sh").read_text())
        self.fake("id", "echo 0")
        self.fake("apt-get", f'echo "$@" >>{self.root}/apt.log')

    def fake(self, name, body):
        self.plant("bin/" + name, f"#!/bin/sh\n{body}\n")
        (self.root / "bin" / name).chmod(0o755)

    def deps(self, *groups, installed=(), path_after="/usr/bin:/bin"):
        answers = "; ".join(f"echo {name} installed" for name in installed)
        self.fake("dpkg-query", (answers + "; " if answers else "") + "exit 1")
        run = subprocess.run(["/bin/bash", str(self.root / "tools/install_deps.sh"), *groups],
                             env={**os.environ, "PATH": f"{self.root}/bin:{path_after}"},
                             capture_output=True, text=True)
        return run

    def apt_calls(self):
        log = self.root / "apt.log"
        return log.read_text().splitlines() if log.exists() else []

    def test_nothing_missing_is_silent_and_calls_nothing(self):
        run = self.deps(installed=("one", "two", "three"))
        self.assertEqual((run.returncode, run.stdout), (0, ""))
        self.assertEqual(self.apt_calls(), [])

    def test_what_is_missing_is_named_and_installed(self):
        run = self.deps(installed=("two",))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("installing one three", run.stdout)
        self.assertEqual(self.apt_calls()[0].split()[0], "update")
        self.assertTrue(self.apt_calls()[1].endswith("one three"), self.apt_calls())

    def test_a_group_leaves_the_others_out(self):
        run = self.deps("build", installed=("one",))
        self.assertIn("installing two\n", run.stdout)

    def test_what_only_the_bench_needs_is_installed_for_it_alone(self):
        run = self.deps("bench", installed=("one",))
        self.assertIn("installing four\n", run.stdout)
        run = self.deps("all")
        self.assertIn("installing one three two\n", run.stdout)

    def test_without_rights_the_packages_are_named(self):
        self.fake("id", "echo 1000")
        for tool in ("awk", "comm", "sort", "dirname"):
            self.fake(tool, f'exec /usr/bin/{tool} "$@"')
        run = self.deps(installed=("one", "two"), path_after=f"{self.root}/none")
        self.assertEqual(run.returncode, 1)
        self.assertIn("three", run.stderr)
        self.assertEqual(self.apt_calls(), [])


if __name__ == "__main__":
    unittest.main()
