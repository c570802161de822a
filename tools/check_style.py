#!/usr/bin/env python3
"""Fails on what STYLE.md forbids and a machine can see.

Usage: tools/check_style.py [ROOT]       exit 0 clean, 1 violations

Each rule below has a name. tools/style_exceptions.txt holds `rule | path | reason`, one exception a
line; an exception that is no longer needed is a violation too, so the file can only shrink.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

import tree

COLUMNS_MAX = 100
LINE_CHECKED = tree.CODE + (".py", ".sh", ".cmake", "CMakeLists.txt", "Makefile")

# rule: (pattern, which files, what to do instead). Patterns look at code without comments and
# strings, except those named in WHOLE_TEXT.
BANNED = {
    "word-util": (r"(?i)(?<![a-z])utils?(?![a-z])", lambda n: True, "say what it does"),
    "word-fixme": (r"\b(FIXME|XXX|HACK)\b", lambda n: True, "write TODO(#issue)"),
    "word-manager": (r"\b(class|struct)\s+\w*(Manager|Helper|Util|Utils)\b", lambda n: True,
                     "name what it is"),
    "using-namespace": (r"\busing\s+namespace\b", lambda n: True, "name what you use"),
    "library-prints": (r"\bstd::(cout|cerr|clog)\b|(?<!\w)(std::)?printf\s*\(",
                       lambda n: n.startswith(("src/", "include/")) and not tree.is_test(n),
                       "take a sink"),
    "test-sleeps": (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", tree.is_test,
                    "wait for a predicate, or own the clock"),
}
WHOLE_TEXT = ("word-util", "word-fixme")

MACHINE_PATH = re.compile(r"(?<![\w.}~*)-])/(work|home|root|Users)/\w")
RESULT_FUNCTION = re.compile(r"^\s*(?:\[\[nodiscard\]\]\s*|(?:static|virtual|inline|friend)\s+)*"
                             r"Result<.*>\s+(\w+)\s*\(")
BEFORE_A_NAME = ("template", "[[", "requires", "//")
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)


def check_lines(root, names):
    for name in names:
        if not name.endswith(LINE_CHECKED):
            continue
        for number, line in enumerate((root / name).read_text().splitlines(), 1):
            if len(line) > COLUMNS_MAX:
                yield ("line-length", f"{name}:{number}",
                       f"{len(line)} columns, {COLUMNS_MAX} allowed")


def check_words(root, names):
    for name in names:
        if not name.endswith(tree.CODE):
            continue
        if re.search(BANNED["word-util"][0], name):
            yield "word-util", name, "a file says what it holds"
        text = (root / name).read_text()
        code = tree.without_comments(text)
        for rule, (pattern, applies, remedy) in BANNED.items():
            if applies(name):
                for match in re.finditer(pattern, text if rule in WHOLE_TEXT else code):
                    number = text.count("\n", 0, match.start()) + 1
                    yield rule, f"{name}:{number}", f"'{match[0]}': {remedy}"


def check_machine_paths(root, names):
    for name in names:
        try:
            text = (root / name).read_text()
        except UnicodeDecodeError:
            continue
        for match in MACHINE_PATH.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            yield "machine-path", f"{name}:{number}", f"'{match[0]}…' is a path of one machine"


def check_tests_beside(root, names):
    known = set(names)
    for name in names:
        if name.startswith("src/") and name.endswith(".cc") and not tree.is_test(name):
            if name.removesuffix(".cc") + "_test.cc" not in known:
                yield "test-beside", name, "has no _test.cc beside it"


def doc_comment(lines, index):
    """The `///` lines above line `index`, with attributes and template heads stepped over."""
    found = []
    for line in reversed(lines[:index]):
        stripped = line.strip()
        if stripped.startswith("///"):
            found.append(stripped)
        elif found or stripped.endswith(";") or not stripped.startswith(BEFORE_A_NAME):
            break
    return "\n".join(found)


def check_errors_documented(root, names):
    for name in names:
        if name.startswith("include/") and name.endswith(".h"):
            lines = (root / name).read_text().splitlines()
            for index, line in enumerate(lines):
                match = RESULT_FUNCTION.match(line)
                if match and "Errors:" not in doc_comment(lines, index):
                    yield "errors-line", f"{name}:{index + 1}", f"{match[1]} lacks an Errors: line"


def is_named_above(folder, builds):
    for above in folder.parents:
        name = re.escape(folder.relative_to(above).as_posix())
        build = builds.get((above / "CMakeLists.txt").as_posix(), "")
        if re.search(rf"(?<![\w/]){name}(?!\w)", build):
            return True
    return False


def check_dead_files(root, names):
    builds = {n: (root / n).read_text() for n in names if n.endswith("CMakeLists.txt")}
    included = {path.split("/")[-1] for n in names if n.endswith(tree.CODE)
                for path in INCLUDE.findall((root / n).read_text())}
    for name in names:
        path = pathlib.PurePosixPath(name)
        if name.endswith((".cc", ".c")):
            above = [(path.parent / "CMakeLists.txt").as_posix(),
                     *((p / "CMakeLists.txt").as_posix() for p in path.parent.parents)]
            if not any(path.name in builds.get(build, "") for build in above):
                yield "dead-file", name, "stands in no CMakeLists.txt above it"
        elif name.endswith(".h") and not name.startswith("include/") and path.name not in included:
            yield "dead-file", name, "nothing includes it"
        elif path.name == "CMakeLists.txt" and len(path.parts) > 1:
            if not is_named_above(path.parent, builds):
                yield "dead-file", name, "no CMakeLists.txt above names this folder"


def compile_alone(root, name):
    """None, or the first line of what the compiler says about a file that only includes `name`."""
    flags = ["-fsyntax-only", f"-I{root / 'include'}", f"-I{root / 'src'}",
             f"-I{root / pathlib.PurePath(name).parts[0]}", f"-I{(root / name).parent}"]
    is_c = pathlib.PurePosixPath(name).name == "c.h"
    compilers = [["g++", "-xc++", "-std=c++23"]] + ([["gcc", "-xc", "-std=c11"]] if is_c else [])
    source = f'#include "{(root / name).resolve()}"\n'
    for compiler in compilers:
        run = subprocess.run([*compiler, *flags, "-"], input=source, capture_output=True, text=True)
        if run.returncode != 0:
            return next((l for l in run.stderr.splitlines() if "error" in l), run.stderr.strip())
    return None


def check_headers_alone(root, names):
    headers = [n for n in names if n.endswith(".h")]
    for name in headers:
        if not re.search(r"^\s*#\s*pragma once", (root / name).read_text(), re.M):
            yield "pragma-once", name, "has no #pragma once"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, message in zip(headers, pool.map(lambda n: compile_alone(root, n), headers)):
            if message:
                yield "header-alone", name, f"does not compile alone: {message}"


CHECKS = (check_lines, check_words, check_machine_paths, check_tests_beside,
          check_errors_documented, check_dead_files, check_headers_alone)


def violations(root):
    """Yields a line for each violation without an exception, and each exception without a use."""
    names = tree.files(root)
    excused = {entry[:2] for entry in tree.exceptions(root / "tools" / "style_exceptions.txt")}
    used = set()
    for check in CHECKS:
        for rule, place, message in check(root, names):
            key = (rule, place.split(":")[0])
            if key in excused:
                used.add(key)
            else:
                yield f"{place}: {rule}: {message}"
    for rule, path in sorted(excused - used):
        yield f"tools/style_exceptions.txt: '{rule} | {path}' is no longer needed: remove it"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(violations(root))
    print("\n".join(found) if found else f"style: {len(tree.files(root))} files, all good")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
