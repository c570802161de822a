"""The promise: no link in a document leads nowhere, no name of an invariant means two things."""
import unittest

from planted import PlantedTree


class Docs(PlantedTree):
    def docs(self, text):
        self.plant("docs/there.md", "# A heading, and more\n")
        self.plant("docs/page.md", text)
        return self.run_tool("check_docs.py")

    def test_links_to_files_headings_and_the_web_pass(self):
        status, output = self.docs("# Top\n[a](there.md) [b](there.md#a-heading-and-more)\n"
                                   "[c](#top) [d](https://example.org/x) [e](../docs)\n")
        self.assertEqual(status, 0, output)

    def test_a_missing_file_is_named_with_its_line(self):
        status, output = self.docs("text\n[a](gone.md)\n")
        self.assertEqual(status, 1)
        self.assertIn("docs/page.md:2: no such file: gone.md", output)

    def test_a_missing_heading_is_named(self):
        status, output = self.docs("[a](there.md#other)\n")
        self.assertEqual(status, 1)
        self.assertIn("no such heading", output)

    def test_code_is_no_link(self):
        status, output = self.docs("`[a](gone.md)`\n```\n[a](gone.md)\n```\n")
        self.assertEqual(status, 0, output)

    def test_an_invariant_that_two_files_declare_is_named_with_both(self):
        self.plant("src/a/a.h", "/// Invariants:\n///   W1  One thing.\n///   W2  Another.\n")
        self.plant("src/b/b.h", "/// Invariants:\n///   W1  A third thing.\n")
        status, output = self.docs("")
        self.assertEqual(status, 1)
        self.assertIn("src/b/b.h:2: W1 is declared in src/a/a.h already", output)
        self.assertNotIn("W2", output)

    def test_an_invariant_may_be_mentioned_anywhere(self):
        self.plant("src/a/a.h", "/// Invariants:\n///   W1  One thing.\n")
        self.plant("src/b/b.h", "/// Invariants:\n///   W1 of a.h: the part of it here.\n"
                                "int b;  // W1: as everywhere.\n")
        self.plant("src/a/a_test.cc", "// W1: one thing, and so this.\n")
        status, output = self.docs("")
        self.assertEqual(status, 0, output)


if __name__ == "__main__":
    unittest.main()
