"""The promise: clang-tidy looks at a source again when it, one of its headers or the rules changed,
or when it was not clean, and not otherwise."""
import json
import os
import unittest

from planted import PlantedTree


class RunTidy(PlantedTree):
    def setUp(self):
        super().setUp()
        self.plant(".clang-tidy", "Checks: '*'\n")
        self.plant("src/base/a.h", "")
        entries, deps = [], ""
        for name in ("src/base/a.cc", "src/base/b.cc", "src/base/a_test.cc"):
            self.plant(name, "")
            entries.append({"file": str(self.root / name), "command": f"c++ -o {name}.o -c {name}"})
            deps += f"{name}.o: #deps 1 (VALID)\n    {self.root / name}\n"
            deps += f"    {self.root}/src/base/a.h\n\n" if name != "src/base/b.cc" else "\n"
        self.plant("build/clang/compile_commands.json", json.dumps(entries))
        self.plant("deps", deps)
        self.fake("ninja", f"cat {self.root}/deps")
        self.fake("clang-tidy-19", "exit 0")

    def fake(self, name, body):
        self.plant("bin/" + name, f"#!/bin/sh\n{body}\n")
        (self.root / "bin" / name).chmod(0o755)

    def assert_tidy(self, status, message):
        path = f"{self.root}/bin:{os.environ['PATH']}"
        got, output = self.run_tool("run_tidy.py", env={**os.environ, "PATH": path})
        self.assertEqual(got, status, output)
        self.assertIn("tidy: " + message, output)

    def test_a_clean_source_is_looked_at_once(self):
        self.assert_tidy(0, "2 sources looked at, 0 with findings")
        self.assert_tidy(0, "0 sources looked at")

    def test_a_changed_source_is_looked_at_again(self):
        self.assert_tidy(0, "2 sources")
        self.plant("src/base/b.cc", "int b;\n")
        self.assert_tidy(0, "1 sources")

    def test_a_changed_header_brings_back_those_that_include_it(self):
        self.assert_tidy(0, "2 sources")
        self.plant("src/base/a.h", "int a;\n")
        self.assert_tidy(0, "1 sources")

    def test_changed_rules_bring_back_all(self):
        self.assert_tidy(0, "2 sources")
        self.plant(".clang-tidy", "Checks: '-*'\n")
        self.assert_tidy(0, "2 sources")

    def test_a_source_with_findings_stays(self):
        self.fake("clang-tidy-19", "echo finding; exit 1")
        self.assert_tidy(1, "2 sources looked at, 2 with findings")
        self.assert_tidy(1, "2 sources looked at, 2 with findings")


if __name__ == "__main__":
    unittest.main()
