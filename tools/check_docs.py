#!/usr/bin/env python3
"""Fails when a relative link in a Markdown file leads nowhere.

Usage: tools/check_docs.py [ROOT]      exit 0 clean, 1 dead links

Checks the file, and the heading when the link names one. Links to the web are left alone.
"""
import pathlib
import re
import sys

import tree

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)", re.M)
CODE_SPAN = re.compile(r"```.*?```|`[^`\n]*`", re.S)
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


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = list(dead_links(root))
    print("\n".join(found) if found else "docs: all links lead somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
