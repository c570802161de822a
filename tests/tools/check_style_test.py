"""The promise: each rule of tools/check_style.py catches what it is for, and nothing beside it."""
import unittest

from planted import PlantedTree

BUILD = "ashlar_module(base SOURCES good.cc)\nashlar_test(base SOURCES good_test.cc)\n"
HEADER = """#pragma once
#include <cstddef>
namespace ashlar {
template <typename T>
using Result = T;
/// Opens it.
///
/// Errors: kIo
[[nodiscard]] Result<int> open(std::size_t bytes);
}
"""


class Style(PlantedTree):
    def setUp(self):
        super().setUp()
        self.plant("CMakeLists.txt", "add_subdirectory(src/base)\n")
        self.plant("src/base/CMakeLists.txt", BUILD)
        self.plant("src/base/good.cc", '#include "ashlar/good.h"\n')
        self.plant("src/base/good_test.cc", '#include "ashlar/good.h"\n')
        self.plant("include/ashlar/good.h", HEADER)

    def assert_refused(self, rule, name, text):
        self.plant(name, text)
        status, output = self.run_tool("check_style.py")
        self.assertEqual(status, 1, output)
        self.assertRegex(output, f"(?m)^{name}(:[0-9]+)?: {rule}: ")

    def assert_clean(self):
        status, output = self.run_tool("check_style.py")
        self.assertEqual(status, 0, output)

    def test_a_good_tree_passes(self):
        self.assert_clean()

    def test_a_line_of_100_columns_passes_and_101_do_not(self):
        self.plant("src/base/good.cc", "//" + "x" * 98 + "\n")
        self.assert_clean()
        self.assert_refused("line-length", "src/base/good.cc", "//" + "x" * 99 + "\n")

    def test_banned_words_are_found_in_code(self):
        name = "src/base/good.cc"
        self.assert_refused("word-util", name, "namespace util {}\n")
        self.assert_refused("word-fixme", name, "// FIX" + "ME later\n")
        self.assert_refused("word-manager", name, "class TableManager {};\n")
        self.assert_refused("using-namespace", name, "using  namespace std;\n")
        self.assert_refused("library-prints", name, "void f() { std::cout << 1; }\n")
        self.assert_refused("library-prints", name, 'void f() { printf("x"); }\n')

    def test_banned_words_in_comments_and_strings_and_longer_words_pass(self):
        self.plant("src/base/good.cc",
                   '#include <utility>\n// std::cout, using namespace\nconst char* s = "printf(";\n'
                   "int n = snprintf(p, 1, s);\n")
        self.assert_clean()

    def test_a_file_may_not_be_named_so_either(self):
        self.assert_refused("word-util", "src/base/hash_util.h", "#pragma once\n")

    def test_a_test_that_sleeps_is_found(self):
        self.assert_refused("test-sleeps", "src/base/good_test.cc",
                            "void f() { std::this_thread::sleep_for(x); }\n")

    def test_a_test_may_print(self):
        self.plant("src/base/good_test.cc", "void f() { std::cout << 1; }\n")
        self.assert_clean()

    def test_a_path_of_one_machine_is_found_in_any_file(self):
        self.assert_refused("machine-path", "docs/a.md", "see " + "/ho" + "me/me/notes\n")
        self.plant("docs/a.md", "see examples/home/notes and ~/home/x\n")
        self.assert_clean()

    def test_a_source_without_a_test_is_found(self):
        self.plant("src/base/CMakeLists.txt", BUILD + "# bare.cc")
        self.assert_refused("test-beside", "src/base/bare.cc", "")

    def test_a_public_result_without_errors_line_is_found(self):
        self.assert_refused("errors-line", "include/ashlar/good.h",
                            HEADER.replace("/// Errors: kIo\n", ""))

    def test_an_errors_line_of_another_function_does_not_count(self):
        self.assert_refused("errors-line", "include/ashlar/good.h", HEADER.replace(
            "(std::size_t bytes);", "(std::size_t bytes);\nResult<int> close();"))

    def test_a_header_that_leans_on_another_is_found(self):
        self.assert_refused("header-alone", "include/ashlar/good.h",
                            HEADER.replace("#include <cstddef>\n", ""))

    def test_a_header_without_pragma_once_is_found(self):
        self.assert_refused("pragma-once", "include/ashlar/good.h",
                            HEADER.replace("#pragma once\n", ""))

    def test_the_c_header_must_be_c(self):
        self.plant("include/ashlar/c.h", "#pragma once\nint ashlar_open(void);\n")
        self.assert_clean()
        self.assert_refused("header-alone", "include/ashlar/c.h", "#pragma once\nnamespace x {}\n")

    def test_a_source_that_nothing_builds_is_found(self):
        self.assert_refused("dead-file", "src/base/gone_test.cc", "")

    def test_a_header_that_nothing_includes_is_found(self):
        self.assert_refused("dead-file", "src/base/gone.h", "#pragma once\n")

    def test_a_folder_that_the_root_does_not_add_is_found(self):
        self.assert_refused("dead-file", "src/os/CMakeLists.txt", "ashlar_module(os)\n")

    def test_an_exception_excuses_and_must_be_needed(self):
        self.plant("src/base/CMakeLists.txt", BUILD + "# bare.cc")
        self.plant("src/base/bare.cc", "")
        self.plant("tools/style_exceptions.txt", "# one\ntest-beside | src/base/bare.cc | why\n")
        self.assert_clean()
        (self.root / "src/base/bare.cc").unlink()
        status, output = self.run_tool("check_style.py")
        self.assertEqual(status, 1)
        self.assertIn("no longer needed", output)


if __name__ == "__main__":
    unittest.main()
