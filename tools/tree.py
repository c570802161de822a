"""What every tool here needs to know about the tree: its files, and records of exceptions."""
import pathlib
import re
import subprocess

# Ends of the names of the files that a compiler reads.
CODE = (".h", ".cc", ".c")
TEST = re.compile(r"(_test|_fuzz)\.|(^|/)(tests|testing|sim|fuzz)/")


def files(root):
    """All files of the project, relative to `root`: those of git and those it does not ignore."""
    root = pathlib.Path(root)
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
                            capture_output=True, text=True)
    inside = subprocess.run(["git", "-C", str(root), "rev-parse", "--show-toplevel"],
                            capture_output=True, text=True)
    if listed.returncode == 0 and pathlib.Path(inside.stdout.strip()) == root.resolve():
        names = sorted(set(listed.stdout.splitlines()))
    else:
        names = sorted(f.relative_to(root).as_posix() for f in root.rglob("*") if f.is_file())
    return [n for n in names
            if (root / n).is_file() and not n.startswith(("build/", ".git/")) and ".pyc" not in n]


def is_test(name):
    return TEST.search(name) is not None


def without_comments(text):
    """`text` with comments, strings and characters blanked out; lines stay where they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"'
                         r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'", re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def exceptions(path):
    """The lines of an exceptions file as tuples; `|` stands between the fields."""
    if not path.exists():
        return []
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [tuple(field.strip() for field in line.split("|")) for line in lines if line]
