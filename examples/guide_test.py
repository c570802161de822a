"""Every block of C++ in a guide compiles, each on its own, against the public headers.

Usage: guide_test.py COMPILER INCLUDE_FOLDER GUIDE

A block with a `main` is a whole program. Any other one stands for the body of a function that has
an open database `db` and returns `Result<void>`; what it includes is known already.
"""
import pathlib
import re
import subprocess
import sys
import unittest

COMPILER, INCLUDE, GUIDE = sys.argv[1:4]
BLOCK = re.compile(r"^```cpp\n(.*?)^```", re.M | re.S)
HEAD = """#include <ashlar/db.h>
#include <array>
#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>
using namespace std::chrono_literals;
"""


def programs(text):
    """The whole programs one by one, then one of all other blocks, a function each."""
    blocks = BLOCK.findall(text)
    whole = [block for block in blocks if "int main(" in block]
    functions = "".join(f"ashlar::Result<void> block_{index}(ashlar::Db& db) {{\n{block}"
                        "(void)db;\nreturn {};\n}\n"
                        for index, block in enumerate(blocks) if block not in whole)
    return [*whole, HEAD + functions]


class Guide(unittest.TestCase):
    def test_has_blocks(self):
        self.assertGreater(len(BLOCK.findall(pathlib.Path(GUIDE).read_text())), 5)

    def test_every_block_compiles(self):
        for program in programs(pathlib.Path(GUIDE).read_text()):
            result = subprocess.run([COMPILER, "-std=c++23", "-fsyntax-only", f"-I{INCLUDE}",
                                     "-xc++", "-"], input=program, capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
