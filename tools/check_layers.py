#!/usr/bin/env python3
"""Fails when an #include points against the order that layers.txt declares.

Usage: tools/check_layers.py [ROOT]        exit 0 clean, 1 violations, 2 a bad layers.txt

A folder may include itself and the folders on its own line, nothing else. Test files may also
include `testing`. Lines that start with `/` are for folders beside src/ (`/bench`). The table
itself must have no cycle. Includes name files from include/ or src/, never by `../`.
"""
import pathlib
import re
import sys

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def read_table(path):
    table = {}
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            folder, _, allowed = line.partition(":")
            table[folder.strip()] = set(allowed.split())
    return table


def find_cycle(table):
    done, path = set(), []

    def visit(folder):
        if folder in path:
            return path[path.index(folder):] + [folder]
        if folder in done:
            return None
        path.append(folder)
        for below in sorted(table.get(folder, ())):
            if cycle := visit(below):
                return cycle
        path.pop()
        done.add(folder)
        return None

    for folder in table:
        if cycle := visit(folder):
            return cycle
    return None


def unknown_folders(table):
    return sorted({below for allowed in table.values() for below in allowed} - set(table))


def folder_of(name):
    """The line of layers.txt that rules `name`, or None when none does."""
    parts = name.split("/")
    if parts[0] in ("include", "src") and len(parts) > 2:
        return parts[1]
    return "/" + parts[0] if len(parts) > 1 else None


def violations(root, table):
    for name in tree.files(root):
        if not name.endswith(tree.CODE):
            continue
        folder = folder_of(name)
        inside = name.startswith(("include/", "src/"))
        if inside and folder not in table:
            yield f"{name}: folder '{folder}' is not in layers.txt"
        if folder not in table:
            continue
        allowed = table[folder] | {folder} | ({"testing"} if tree.is_test(name) else set())
        for number, line in enumerate((root / name).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, path = match.groups()
            first = path.split("/")[0] if "/" in path else None
            if first == "..":
                yield f"{name}:{number}: includes by '../'; name the file from src/"
            elif inside and quote == '"' and first is None:
                yield f"{name}:{number}: names no folder; name the file from src/"
            elif first in table and first not in allowed:
                yield f"{name}:{number}: {folder.strip('/')} may not include {first}"
            elif inside and quote == '"' and first not in table:
                yield f"{name}:{number}: '{first}' is not in layers.txt"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    table = read_table(root / "layers.txt")
    if cycle := find_cycle(table):
        print("layers.txt has a cycle: " + " -> ".join(cycle))
        return 2
    if unknown := unknown_folders(table):
        print("layers.txt allows folders without a line: " + " ".join(unknown))
        return 2
    found = list(violations(root, table))
    print("\n".join(found) if found else f"layers: {len(table)} folders, in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
