#!/usr/bin/env python3
"""Runs clang-tidy over the sources that changed since they were last found clean.

Usage: tools/run_tidy.py [ROOT]      exit 0 clean, 1 findings

Needs a built build/clang: its compile commands say how, its dependencies say what a source is made
of. A source is left out while it, its headers in this tree and .clang-tidy are as they were when
it was last clean. Test programs are left out: the macros of their framework break the rules.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

TIDY = "clang-tidy-19"
CHECKED = re.compile(r"^(src|bench|examples)/")
TEST = re.compile(r"_test\.cc$")
OUTPUT = re.compile(r" -o (\S+)")


def dependencies(build):
    """Object file -> the files it was built from, as ninja knows them."""
    text = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True,
                          check=True).stdout
    found, current = {}, None
    for line in text.splitlines():
        if line.startswith("    "):
            found[current].append((build / line.strip()).resolve())
        elif ":" in line:
            current = line.split(":", 1)[0]
            found[current] = []
    return found


def sources(root, build):
    """Yields each source to check with the files that decide about it."""
    objects = dependencies(build)
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if not file.is_relative_to(root):
            continue
        name = file.relative_to(root).as_posix()
        if CHECKED.match(name) and not TEST.search(name):
            made_of = objects[OUTPUT.search(entry["command"])[1]]
            yield file, {file, *(f for f in made_of if f.is_relative_to(root))}


def fingerprint(root, file, made_of):
    digest = hashlib.sha256(str(file).encode())
    for part in [root / ".clang-tidy", *sorted(made_of)]:
        digest.update(part.read_bytes())
    return digest.hexdigest()


def check(root, build, file):
    result = subprocess.run([TIDY, "-p", str(build), "--quiet", str(file)], cwd=root, text=True,
                            capture_output=True)
    return result.returncode, result.stdout + (result.stderr if result.returncode else "")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    build = root / "build" / "clang"
    clean = root / "build" / "tidy"
    clean.mkdir(parents=True, exist_ok=True)

    wanted = {}
    for file, made_of in sources(root, build):
        stamp = clean / fingerprint(root, file, made_of)
        if not stamp.exists():
            wanted[file] = stamp

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(check, root, build, file): file for file in sorted(wanted)}
        for run in concurrent.futures.as_completed(runs):
            code, output = run.result()
            if code == 0:
                wanted[runs[run]].touch()
            else:
                failed += 1
                print(output, flush=True)
    print(f"tidy: {len(wanted)} sources looked at, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
