#!/usr/bin/env python3
"""Fails when a relative link in a Markdown file leads nowhere, or when a name means two things.

Usage: tools/check_docs.py [ROOT]      exit 0 clean, 1 findings

Of a link the file is checked, and the heading when it names one. Links to the web are left alone.
The name of an invariant, like W1, is declared in one source file, where it stands in a comment with
two spaces on either side; another file that has a part in it says "W1 of that_file.h".
"""
import pathlib
import re
import sys

import tree

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)", re.M)
CODE_SPAN = re.compile(r"```.*?```|`[^`\n]*`", re.S)
INVARIANT = re.compile(r"^\s*///? {2,}([A-Z]\d+) {2,}\S", re.M)
HEADING = re.compile(r"^#+\s+(.*)$", re.M)


def anchors(text):
    """The names that links may use for the headings of `text`."""
    plain = (re.sub(r"[^\w\- ]", "", h.strip().lower()) for h in HEADING.findall(text))
    return {h.replace(" ", "-") for h in plain}


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def dead_links(root):
    for name in tree.files(root):
        if not name.endswith(".md"):
            continue
        text = CODE_SPAN.sub(blank, (root / name).read_text())
        for match in LINK.finditer(text):
            target = match[1] or match[2]
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (root / name).parent / path if path else root / name
            number = text.count("\n", 0, match.start()) + 1
            if not file.exists():
                yield f"{name}:{number}: no such file: {target}"
            elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text()):
                yield f"{name}:{number}: no such heading: {target}"


def ambiguous_invariants(root):
    """All declarations of an invariant whose name has been declared before."""
    declared = {}
    for name in tree.files(root):
        if not name.endswith(tree.CODE):
            continue
        text = (root / name).read_text()
        for match in INVARIANT.finditer(text):
            if match[1] in declared:
                number = text.count("\n", 0, match.start(1)) + 1
                yield f"{name}:{number}: {match[1]} is declared in {declared[match[1]]} already"
            declared.setdefault(match[1], name)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = [*dead_links(root), *ambiguous_invariants(root)]
    print("\n".join(found) if found else
          "docs: all links lead somewhere, each invariant is declared once")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
