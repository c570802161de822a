"""The promise: an include against layers.txt does not pass, and one along it does."""
import unittest

from planted import PlantedTree

TABLE = "ashlar:\nbase: ashlar\nmemory: ashlar base\ntesting: ashlar base\n/examples: ashlar\n"


class Layers(PlantedTree):
    def setUp(self):
        super().setUp()
        self.plant("layers.txt", TABLE)

    def layers_after(self, name, text):
        self.plant(name, text)
        return self.run_tool("check_layers.py")

    def assert_refused(self, name, text, message):
        status, output = self.layers_after(name, text)
        self.assertEqual(status, 1, output)
        self.assertIn(f"{name}", output)
        self.assertIn(message, output)

    def test_an_include_downwards_passes(self):
        status, output = self.layers_after(
            "src/memory/table.cc",
            '#include "base/hash.h"\n#include "ashlar/db.h"\n#include <sys/a.h>')
        self.assertEqual(status, 0, output)

    def test_an_include_upwards_is_refused(self):
        self.assert_refused("src/base/hash.cc", '\n#include "memory/table.h"',
                            "hash.cc:2: base may not include memory")

    def test_an_include_upwards_in_angle_brackets_is_refused(self):
        self.assert_refused("src/base/hash.cc", "#include <memory/table.h>",
                            "base may not include memory")

    def test_a_public_header_includes_no_source_folder(self):
        self.assert_refused("include/ashlar/db.h", '#include "base/hash.h"',
                            "ashlar may not include base")

    def test_only_tests_include_testing(self):
        self.assert_refused("src/base/hash.cc", '#include "testing/seed.h"',
                            "base may not include testing")
        (self.root / "src/base/hash.cc").unlink()
        status, output = self.layers_after("src/base/hash_test.cc", '#include "testing/seed.h"')
        self.assertEqual(status, 0, output)

    def test_an_example_sees_the_public_headers_only(self):
        self.assert_refused("examples/demo.cc", '#include "base/hash.h"',
                            "examples may not include base")
        status, output = self.layers_after("examples/demo.cc",
                                           '#include "ashlar/db.h"\n#include "bar.h"')
        self.assertEqual(status, 0, output)

    def test_a_folder_outside_the_table_is_refused(self):
        self.assert_refused("src/misc/a.cc", "", "'misc' is not in layers.txt")
        (self.root / "src/misc/a.cc").unlink()
        self.assert_refused("src/base/a.cc", '#include "misc/a.h"', "'misc' is not in layers.txt")

    def test_a_path_upwards_is_refused(self):
        self.assert_refused("src/base/a.cc", '#include "../memory/a.h"', "includes by '../'")

    def test_an_include_without_folder_is_refused(self):
        self.assert_refused("src/base/a.cc", '#include "hash.h"', "names no folder")

    def test_a_cycle_in_the_table_is_named(self):
        self.plant("layers.txt", "a: b\nb: c\nc: a\n")
        status, output = self.run_tool("check_layers.py")
        self.assertEqual(status, 2)
        self.assertIn("a -> b -> c -> a", output)

    def test_a_folder_without_a_line_of_its_own_is_named(self):
        self.plant("layers.txt", "a: b\n")
        status, output = self.run_tool("check_layers.py")
        self.assertEqual(status, 2)
        self.assertIn("folders without a line: b", output)


if __name__ == "__main__":
    unittest.main()
