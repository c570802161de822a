#!/usr/bin/env python3
"""Prints the size and care figures of the tree next to their budgets (STYLE.md).

Usage: tools/house_report.py [ROOT]      exit 0 within budget, 1 outside

tools/house_exceptions.txt holds `figure | place | value | reason`: what may exceed a budget, and by
how much. Place is a file, `file:function`, or `-` for a figure of the whole tree. A record that is
looser than the tree is a failure too, so the file can only shrink. Needs universal-ctags.
"""
import dataclasses
import json
import pathlib
import re
import subprocess
import sys

import tree

ASSERT = re.compile(r"\b(ASHLAR_ASSERT|ASHLAR_DEBUG_ASSERT|static_assert)\b")
BARE_TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
PROJECT_INCLUDE = re.compile(r'^\s*#\s*include\s*["<](ashlar/[^">]+)[">]', re.M)
# Macros that stand where a compiler sees an attribute: ctags must look past them.
ANNOTATION = re.compile(r"\bASHLAR_(?!ASSERT|DEBUG_ASSERT|TRY)[A-Z_]+\b")
CONTROL = re.compile(r"\s*(case\b[^:]*:|default:)?\s*(if|for|while|switch|do|else|try|catch)\b")


@dataclasses.dataclass
class Budget:
    name: str
    low: float
    high: float


# Where they come from: the code bases of this field that have aged well; see STYLE.md.
BUDGETS = [
    Budget("file lines, median", 0, 150),
    Budget("file lines, p95", 0, 450),
    Budget("file lines, max", 0, 800),
    Budget("function lines, p95", 0, 40),
    Budget("function lines, max", 0, 70),
    Budget("nesting, max", 0, 3),
    Budget("parameters, max", 0, 6),
    Budget("files in a folder, max", 0, 25),
    Budget("public header lines, max", 0, 250),
    Budget("public header lines, all", 0, 2500),
    Budget("headers pulled in by ashlar/db.h", 0, 10),
    Budget("public methods on a class, max", 0, 20),
    Budget("option fields", 0, 25),
    Budget("comments per 100 code lines, src", 20, 60),
    Budget("comments per 100 code lines, public", 50, 300),
    Budget("asserts per 100 code lines", 2, 100),
    Budget("test lines per source line", 1.0, 100),
    Budget("TODO without an issue number", 0, 0),
]


class Tree:
    """The sources, read once. `places` of a figure are pairs of a place and its value."""

    def __init__(self, root):
        names = tree.files(root)
        code = [n for n in names if n.endswith(tree.CODE)]
        self.text = {n: (root / n).read_text() for n in code}
        self.code = code
        measured = [n for n in code if not tree.is_test(n)]
        self.source = [n for n in measured if n.startswith(("include/", "src/"))]
        self.public = [n for n in self.source if n.startswith("include/")]
        tests = [n for n in names if tree.is_test(n) and not n.endswith((".md", "CMakeLists.txt"))]
        self.test_lines = sum(len((root / n).read_text(errors="replace").splitlines())
                              for n in tests)
        self.tags = ctags(root, measured, self.text)
        self.functions = [t for t in self.tags if t["kind"] == "function" and "end" in t]

    def lines(self, name):
        return len(self.text[name].splitlines())


def ctags(root, names, text):
    if not names:
        return []
    annotations = sorted({m for n in names for m in ANNOTATION.findall(text[n])})
    command = ["ctags", "-f", "-", "--output-format=json", "--fields=+neaSZK", "--languages=C++",
               "--kinds-C++=fpm", "--langmap=C++:.h.cc.c"]
    command += [f"-I{name}+" for name in annotations]
    run = subprocess.run(command + names, cwd=root, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def percentile(values, percent):
    ordered = sorted(values) or [0]
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def split_lines(text):
    comment = code = 0
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("//"):
            comment += 1
        elif stripped:
            code += 1
    return comment, code


def comments_per_100(texts):
    pairs = [split_lines(text) for text in texts]
    return round(100 * sum(c for c, _ in pairs) / max(1, sum(k for _, k in pairs)), 1)


def nesting(code):
    """How deep the control blocks of a function body lie in one another, lambdas included."""
    deepest, stack, statement = 0, [], ""  # The stack holds (is control, statement to go back to).
    for char in code:
        inside = statement.count("(") > statement.count(")")
        if char == "{":
            stack.append((not inside and CONTROL.match(statement) is not None,
                          statement if inside else ""))
            deepest = max(deepest, sum(control for control, _ in stack))
            statement = ""
        elif char == "}":
            statement = stack.pop()[1] if stack else ""
        elif char == ";" and not inside:
            statement = ""
        else:
            statement += char
    return deepest


def parameters(signature):
    """How many parameters `signature` lists: commas outside of any brackets, and one more."""
    inner = signature[signature.find("(") + 1:signature.rfind(")")].strip()
    depth, commas = 0, 0
    for char in inner:
        depth += (char in "(<[{") - (char in ")>]}")
        commas += char == "," and depth == 0
    return commas + 1 if inner and inner != "void" else 0


def closure(start, text):
    """The headers of the public API that a user of `start` pulls in with it."""
    seen, todo = set(), [start]
    while todo:
        for path in PROJECT_INCLUDE.findall(text.get(todo.pop(), "")):
            name = "include/" + path
            if name not in seen:
                seen.add(name)
                todo.append(name)
    return seen - {start}


def methods(tags):
    """Public class -> the names a user may call on it, without its constructors and operators."""
    found = {}
    for tag in tags:
        scope = tag.get("scope", "")
        if tag["kind"] in ("function", "prototype") and tag.get("access") == "public":
            name = tag["name"]
            if name.lstrip("~") != scope.split("::")[-1] and not name.startswith("operator"):
                found.setdefault(f"{tag['path']}:{scope.split('::')[-1]}", set()).add(name)
    return found


def place(tag):
    return f"{tag['path']}:{tag['name']}"


def folder_counts(names):
    counts = {}
    for name in names:
        folder = name.rsplit("/", 1)[0] if "/" in name else "."
        counts[folder] = counts.get(folder, 0) + 1
    return counts


def function_nesting(t):
    plain = {n: tree.without_comments(t.text[n]).splitlines() for n in t.text}
    for tag in t.functions:
        body = "\n".join(plain[tag["path"]][tag["line"] - 1:tag["end"]])
        yield place(tag), nesting(body[body.find("{") + 1:])


def figures(root):
    """Figure -> list of (place, value); a figure of the whole tree has the one place `-`."""
    t = Tree(root)
    lengths = [(place(f), f["end"] - f["line"] + 1) for f in t.functions]
    private = [n for n in t.source if n not in t.public]
    code_lines = sum(split_lines(t.text[n])[1] for n in t.source)
    asserts = sum(len(ASSERT.findall(t.text[n])) for n in t.source)
    source_lines = [t.lines(n) for n in t.source]
    public_tags = [tag for tag in t.tags if tag["path"].startswith("include/")]
    fields = [tag for tag in public_tags
              if tag["kind"] == "member" and tag["path"].endswith("/options.h")]

    def whole(value):
        return [("-", value)]

    return {
        "file lines, median": whole(percentile(source_lines, 50)),
        "file lines, p95": whole(percentile(source_lines, 95)),
        "file lines, max": [(n, t.lines(n)) for n in t.code],
        "function lines, p95": whole(percentile([value for _, value in lengths], 95)),
        "function lines, max": lengths,
        "nesting, max": list(function_nesting(t)),
        "parameters, max": [(place(f), parameters(f.get("signature", ""))) for f in t.functions],
        "files in a folder, max": list(folder_counts(t.source).items()),
        "public header lines, max": [(n, t.lines(n)) for n in t.public],
        "public header lines, all": whole(sum(t.lines(n) for n in t.public)),
        "headers pulled in by ashlar/db.h": whole(len(closure("include/ashlar/db.h", t.text))),
        "public methods on a class, max":
            [(where, len(names)) for where, names in methods(public_tags).items()],
        "option fields": whole(len(fields)),
        "comments per 100 code lines, src": whole(comments_per_100(t.text[n] for n in private)),
        "comments per 100 code lines, public": whole(comments_per_100(t.text[n] for n in t.public)),
        "asserts per 100 code lines": whole(round(100 * asserts / max(1, code_lines), 1)),
        "test lines per source line": whole(round(t.test_lines / max(1, sum(source_lines)), 2)),
        "TODO without an issue number": [(n, len(BARE_TODO.findall(t.text[n]))) for n in t.code],
    }


def distance(budget, value):
    """How far `value` lies outside of `budget`; 0 inside."""
    return max(budget.low - value, value - budget.high, 0)


def complaints(budget, places, records):
    """What is wrong with one figure, given its places and its records of exceptions."""
    values = {}
    for where, value in places:
        if where not in values or distance(budget, value) > distance(budget, values[where]):
            values[where] = value
    for where, value in values.items():
        if distance(budget, value) > distance(budget, records.get(where, budget.high)):
            yield f"{where} has {value}"
    for where, value in records.items():
        now = values.get(where)
        if now is None or distance(budget, now) < distance(budget, value):
            yield f"{where}: the exception of {value} is too wide (now {now}): tighten or remove it"


def worst(budget, places):
    """The value to print: the one furthest out of budget, or else the greatest."""
    return max(places, key=lambda p: (distance(budget, p[1]), p[1]), default=("-", 0))


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    records = {}
    for name, where, value, *_ in tree.exceptions(root / "tools" / "house_exceptions.txt"):
        records.setdefault(name, {})[where] = float(value)
    outside = 0
    found = figures(root)
    for budget in BUDGETS:
        where, value = worst(budget, found[budget.name])
        wrong = list(complaints(budget, found[budget.name], records.pop(budget.name, {})))
        outside += len(wrong)
        at = "" if where == "-" else f"   {where}"
        print(f"{'! ' if wrong else '  '}{budget.name:36} {value:>8}   "
              f"budget {budget.low:g} to {budget.high:g}{at}")
        for line in wrong:
            print(f"      {line}")
    for name in records:
        outside += 1
        print(f"! tools/house_exceptions.txt: there is no figure '{name}'")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
