"""What `cmake --install` lays down is all that a program needs: CMake and pkg-config both find it
in any prefix, and the examples build against it.

The environment says how this tree was built: CMAKE, BUILD, SOURCE, CC, CXX, FLAGS, LAUNCHER.
"""
import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

CMAKE, CC, CXX = (os.environ[name] for name in ("CMAKE", "CC", "CXX"))
BUILD, SOURCE = (pathlib.Path(os.environ[name]) for name in ("BUILD", "SOURCE"))
FLAGS = os.environ.get("FLAGS", "")
LAUNCHER = os.environ.get("LAUNCHER", "")
CONSUMER = SOURCE / "tests" / "api" / "consumer"


def run(*command, **settings):
    """What `command` prints. Fails with all of it when the command does."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **settings)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, command))}: {done.returncode}\n{done.stdout}")
    return done.stdout


class InstalledTree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="ashlar-installed-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.scratch = pathlib.Path(cls.folder.name)
        cls.prefix = cls.scratch / "a prefix"  # The space is there to be stumbled over.
        run(CMAKE, "--install", BUILD, "--prefix", cls.prefix)

    def build(self, source):
        """Configures and builds `source` against the prefix; returns where its programs are."""
        build = self.scratch / source.name
        launchers = [f"-DCMAKE_{name}_COMPILER_LAUNCHER={LAUNCHER}" for name in ("C", "CXX")]
        run(CMAKE, "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_C_COMPILER={CC}", f"-DCMAKE_CXX_COMPILER={CXX}", f"-DCMAKE_C_FLAGS={FLAGS}",
            f"-DCMAKE_CXX_FLAGS={FLAGS}", *(launchers if LAUNCHER else []))
        run(CMAKE, "--build", build, "--parallel", "2")
        return build

    def pkg_config(self):
        package = next(self.prefix.rglob("ashlar.pc"))
        return shlex.split(run("pkg-config", "--static", "--cflags", "--libs", "ashlar",
                               env={**os.environ, "PKG_CONFIG_PATH": str(package.parent)}))

    def test_headers_are_those_of_the_source_and_no_others(self):
        def headers(root):
            return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.h"))
        self.assertEqual(headers(self.prefix), [f"include/{name}" for name in
                                                headers(SOURCE / "include")])

    def test_nothing_installed_names_the_place_of_the_source(self):
        for path in [*self.prefix.rglob("*.cmake"), *self.prefix.rglob("*.pc")]:
            self.assertNotIn(str(SOURCE), path.read_text(), path.name)

    def test_cmake_finds_it(self):
        build = self.build(CONSUMER)
        self.assertEqual(run(build / "consumer"), "C++: dressed\n")
        self.assertEqual(run(build / "consumer_c"), "C: laid\n")

    def test_pkg_config_finds_it_for_c(self):
        program = self.scratch / "pkg_config_c"
        run(CC, "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", *shlex.split(FLAGS),
            CONSUMER / "consumer.c", *self.pkg_config(), "-o", program)
        self.assertEqual(run(program), "C: laid\n")

    def test_pkg_config_finds_it_for_cpp(self):
        program = self.scratch / "pkg_config_cpp"
        run(CXX, "-std=c++23", *shlex.split(FLAGS), CONSUMER / "consumer.cc", *self.pkg_config(),
            "-o", program)
        self.assertEqual(run(program), "C++: dressed\n")

    def test_examples_build_against_it(self):
        build = self.build(SOURCE / "examples")
        for name in ("ashlar-quickstart", "ashlar-quickstart-c"):
            self.assertTrue(run(build / name), name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
