"""The promise: a figure outside of its budget fails, an exception excuses it exactly as far as the
tree needs it, and the counting is right."""
import unittest

from planted import PlantedTree

import house_report

GOOD = """#pragma once
/// One thing.
/// Threads: immutable.
class Db {
 public:
  Db();
  static int open();
  int get() const;
  int get(int key) const;
 private:
  int hidden();
  int a_;
};
/// Why this holds, said twice
/// so that the share of comments is right.
/// And a third time.
/// And a fourth.
static_assert(true);
"""
SOURCE = "".join(f"// Why {i}.\nint f{i}(int a);\nint g{i};\n" for i in range(5))


class House(PlantedTree):
    def setUp(self):
        super().setUp()
        self.plant("include/ashlar/db.h", GOOD)
        self.plant("src/base/a.cc", SOURCE)
        self.plant("src/base/a_test.cc", "//\n" * 100)

    def assert_outside(self, figure, message):
        status, output = self.run_tool("house_report.py")
        self.assertEqual(status, 1, output)
        self.assertIn("! " + figure, output)
        self.assertIn(message, output)

    def assert_inside(self):
        status, output = self.run_tool("house_report.py")
        self.assertEqual(status, 0, output)

    def grow(self, text):
        self.plant("src/base/a.cc", SOURCE + text)
        self.plant("src/base/a_test.cc", "//\n" * 750)

    def test_a_good_tree_is_inside(self):
        self.assert_inside()

    def test_a_long_file_is_outside(self):
        self.plant("tests/model/a.cc", "//\n" * 801)
        self.assert_outside("file lines, max", "tests/model/a.cc has 801")

    def test_a_long_function_is_outside(self):
        self.grow("int big(int a) {\n" + "  // Why.\n  a += 1;\n" * 35 + "}\n")
        self.assert_outside("function lines, max", "src/base/a.cc:big has 72")

    def test_deep_nesting_is_outside(self):
        self.grow("void deep(int a) {\n"
                  " if (a) { for (;;) { while (a) { if (a) { a = 1; } } } }\n}\n")
        self.assert_outside("nesting, max", "src/base/a.cc:deep has 4")

    def test_many_parameters_are_outside(self):
        self.grow("void f(int a, int b, int c, int d, std::map<int, int> e, int f, int g) {}\n")
        self.assert_outside("parameters, max", "src/base/a.cc:f has 7")

    def test_a_full_folder_is_outside(self):
        for index in range(25):
            self.plant(f"src/base/b{index}.h", "// Why.\nint a;\nint b;\n")
        self.assert_outside("files in a folder, max", "src/base has 26")

    def test_a_wide_closure_is_outside(self):
        for index in range(11):
            below = f'#include "ashlar/h{index + 1}.h"\n' if index < 10 else ""
            self.plant(f"include/ashlar/h{index}.h", "/// Why.\n" + below)
        self.plant("include/ashlar/db.h", GOOD + '#include "ashlar/h0.h"\n')
        self.assert_outside("headers pulled in by ashlar/db.h", "has 11")

    def test_many_public_methods_are_outside(self):
        self.plant("include/ashlar/db.h", GOOD.replace(
            " private:", "".join(f"  /// Why.\n  int m{i}();\n" for i in range(19)) + " private:"))
        self.assert_outside("public methods on a class, max", "db.h:Db has 21")

    def test_many_options_are_outside(self):
        self.plant("include/ashlar/options.h", "#pragma once\nstruct Options {\n" +
                   "".join(f"  /// Why.\n  int option_{i} = 0;\n" for i in range(26)) + "};\n")
        self.assert_outside("option fields", "has 26")

    def test_bare_todos_are_outside_and_numbered_ones_inside(self):
        self.plant("src/base/a.cc", SOURCE + "// TODO(#12): sentence.\n")
        self.assert_inside()
        self.plant("src/base/a.cc", SOURCE + "// TO" + "DO: sentence.\n")
        self.assert_outside("TODO without an issue number", "src/base/a.cc has 1")

    def test_too_few_tests_asserts_and_comments_are_outside(self):
        self.plant("src/base/a_test.cc", "")
        self.assert_outside("test lines per source line", "has 0.0")
        self.plant("include/ashlar/db.h", GOOD.replace("static_assert(true);", ""))
        self.assert_outside("asserts per 100 code lines", "has 0.0")
        self.plant("src/base/a.cc", "int a;\n")
        self.assert_outside("comments per 100 code lines, src", "has 0.0")

    def test_an_exception_excuses_what_it_names_and_no_more(self):
        self.plant("tests/model/a.cc", "//\n" * 801)
        self.plant("tools/house_exceptions.txt", "file lines, max | tests/model/a.cc | 801 | why\n")
        self.assert_inside()
        self.plant("tests/model/a.cc", "//\n" * 802)
        self.assert_outside("file lines, max", "tests/model/a.cc has 802")

    def test_an_exception_that_is_too_wide_is_refused(self):
        self.plant("tests/model/a.cc", "//\n" * 801)
        self.plant("tools/house_exceptions.txt", "file lines, max | tests/model/a.cc | 900 | why\n")
        self.assert_outside("file lines, max", "too wide")
        (self.root / "tests/model/a.cc").unlink()
        self.assert_outside("file lines, max", "too wide")


class Counting(unittest.TestCase):
    def test_nesting_counts_control_blocks_only(self):
        for code, depth in (("", 0), ("{ { } }", 0), ("if (a) { b(); } if (c) { }", 1),
                            ("if (a) { } else if (b) { } else { }", 1),
                            ("for (int i = 0; i < 2; ++i) { if (a) { } }", 2),
                            ("f([&] { if (a) { } });", 1),
                            ("if (any([](int x) { return x; })) { while (a) { } }", 2),
                            ("auto a = T{1, {2}}; switch (a) { case 1: if (b) { } }", 2)):
            self.assertEqual(house_report.nesting(code), depth, code)

    def test_parameters_are_counted_outside_of_brackets(self):
        for signature, count in (("()", 0), ("(void)", 0), ("(int a)", 1),
                                 ("(std::map<int, int> a, F f = g(1, 2)) const", 2)):
            self.assertEqual(house_report.parameters(signature), count, signature)

    def test_annotations_do_not_hide_a_function(self):
        name = "src/base/a.cc"
        text = {name: "void f() ASHLAR_REQUIRES(m) {\n}\n"}
        self.assertEqual(house_report.ANNOTATION.findall(text[name]), ["ASHLAR_REQUIRES"])


if __name__ == "__main__":
    unittest.main()
