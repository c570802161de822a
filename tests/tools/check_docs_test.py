"""The promise: a link in a document that leads nowhere does not pass."""
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


if __name__ == "__main__":
    unittest.main()
