"""Bundles are equal to the byte wherever they are made, and every program reads them."""

import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

from platform_under_test import BIN, SOURCE

# From the first that has what ISA-L needs to the newest that can be emulated.
PROCESSORS = ("Nehalem", "Westmere", "SandyBridge", "Haswell", "Skylake-Client", "EPYC", "max")
APP = """
name: equal
interpreter: {type: python, settings: {module: app}}
files: {conf/made.ini: "[made]\\n"}
actions:
  setup:
    after: [mkdir -p out/empty, cp app.py out/copy.py, chmod 755 out/copy.py, ln -s ../app.py out/link.py]
"""


def sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class EqualBundles(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="upaas-equal-")
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.root.chmod(0o755)

    def plant(self, tree, order):
        """The same files, written in another order, with other times and modes."""
        chance = random.Random(1)
        files = {f"package{i % 7}/module{i}.py": f"DATA = '{chance.randbytes(4000).hex()}'\n" for i in range(300)}
        files |= {"app.py": "def application(environ, start): pass\n", "large.bin": chance.randbytes(3 << 20).hex(),
                  "\u00fcml\u00e4ut/" + "n" * 120 + ".txt": "deep", "empty.txt": "", "app.yaml": APP}
        for number, name in enumerate(order(files)):
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[name])
            os.utime(path, (number, number * 1000))
        (tree / "link").symlink_to("app.py")

    def build(self, tree, output, *wrapper, **env):
        home = output.parent / "home"
        home.mkdir()
        result = subprocess.run([*wrapper, BIN / "upaas", "build", tree / "app.yaml", "-o", output], cwd=tree, text=True,
                                capture_output=True, stdin=subprocess.DEVNULL, timeout=100,
                                env={"PATH": os.environ["PATH"], "HOME": str(home), **env})
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.strip()

    def test_two_clean_roots_build_the_same_bytes(self):
        one, two = self.root / "one", self.root / "a root at another place"
        for root, order, umask in ((one, sorted, 0o022), (two, lambda files: sorted(files, reverse=True), 0o077)):
            former = os.umask(umask)
            try:
                self.plant(root / "app", order)
            finally:
                os.umask(former)
        first = self.build(one / "app", one / "b.tar.gz", TZ="UTC", LANG="C")
        temporary = two / "tmp"
        temporary.mkdir()
        # Another host name, one processor, another time zone, language and temporary directory.
        second = self.build(two / "app", two / "b.tar.gz", "unshare", "--uts", "sh", "-c", 'hostname elsewhere; exec taskset -c 0 "$@"', "sh",
                            TZ="Asia/Tokyo", LANG="C.UTF-8", TMPDIR=str(temporary))
        self.assertEqual(first, sha(one / "b.tar.gz"))
        self.assertEqual(first, second)
        self.assertEqual((one / "b.tar.gz").read_bytes(), (two / "b.tar.gz").read_bytes())

    def test_every_program_reads_a_bundle(self):
        self.plant(self.root / "app", sorted)
        bundle = self.root / "b.tar.gz"
        self.build(self.root / "app", bundle)
        trees = []
        for name, command in (("tar", f"tar xzf {bundle} -C %"), ("bsdtar", f"bsdtar -xf {bundle} -C %"),
                              ("gzip", f"gzip -t {bundle} && gzip -dc {bundle} | tar xf - -C %"),
                              ("pigz", f"pigz -t {bundle} && pigz -dc {bundle} | tar xf - -C %"),
                              ("python", f"/usr/bin/python3 -c 'import tarfile; tarfile.open(\"{bundle}\").extractall(\"%\")'")):
            tree = self.root / f"by-{name}"
            tree.mkdir()
            result = subprocess.run(["sh", "-c", command.replace("%", str(tree))], capture_output=True, text=True, timeout=60)
            self.assertEqual((result.returncode, result.stderr), (0, ""), name)
            trees.append(tree)
        self.assertEqual((trees[0] / "conf/made.ini").read_text(), "[made]\n")
        self.assertTrue((trees[0] / "out/empty").is_dir())
        for other in trees[1:]:
            self.assertEqual(subprocess.run(["diff", "-r", "--no-dereference", trees[0], other]).returncode, 0, other)

    def test_every_processor_packs_the_same_bytes(self):
        emulator = shutil.which("qemu-x86_64")
        self.assertTrue(emulator, "qemu-user is missing: script/setup test")

        def digests(*wrapper):
            result = subprocess.run([*wrapper, BIN / "test_bundle", "digest of members"], capture_output=True, text=True, timeout=100)
            found = [line for line in result.stdout.splitlines() if line.startswith("digest ")]
            self.assertEqual(len(found), 2, result.stdout + result.stderr)
            return found

        here = digests()
        for processor in PROCESSORS:
            self.assertEqual(digests(emulator, "-cpu", processor), here, processor)


if __name__ == "__main__":
    unittest.main()
