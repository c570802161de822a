"""The promise: .ci/run closes with the number of tests over all steps, and its status agrees."""
import os
import subprocess
import unittest

from planted import ROOT, PlantedTree


class CiRun(PlantedTree):
    def ci(self, make_output, make_status):
        self.plant(".ci/run", (ROOT / ".ci/run").read_text())
        self.plant("tools/install_deps.sh", "#!/bin/sh\n")
        self.plant("make_output", make_output)
        self.plant("bin/make", f"#!/bin/sh\ncat {self.root}/make_output\nexit {make_status}\n")
        for name in ("tools/install_deps.sh", "bin/make"):
            (self.root / name).chmod(0o755)
        run = subprocess.run(["bash", str(self.root / ".ci/run")], capture_output=True, text=True,
                             env={**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"})
        return run.returncode, run.stdout.splitlines()[-1]

    def test_counts_of_all_steps_are_added(self):
        self.assertEqual(self.ci("100% tests passed, 0 tests failed out of 7\nmore\n"
                                 "100% tests passed, 0 tests failed out of 5\n", 0),
                         (0, "12 passed, 0 failed"))

    def test_failed_tests_fail_the_run(self):
        self.assertEqual(self.ci("86% tests passed, 1 tests failed out of 7\n", 2),
                         (1, "6 passed, 1 failed"))

    def test_a_failed_step_without_tests_is_one_failure(self):
        self.assertEqual(self.ci("100% tests passed, 0 tests failed out of 7\n", 2),
                         (1, "7 passed, 1 failed"))

    def test_no_test_at_all_is_a_failure(self):
        self.assertEqual(self.ci("", 0), (1, "0 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
