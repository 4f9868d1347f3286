"""What apps depend on comes from a registry: gems, Composer packages and CPAN distributions, each served by the test."""

import functools
import gzip
import http.server
import json
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import threading
import unittest
import zipfile

from platform_under_test import OnePlatform


class Registry:
    """Files on a port of loopback; `asked` is what was fetched."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="upaas-registry-")
        self.root, self.asked = pathlib.Path(self.directory.name), []
        registry = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                registry.asked.append(self.path)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=self.directory.name))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        self.directory.cleanup()

    def put(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


REGISTRY = Registry()

# The build's own settings for each tool, as an administrator gives them.
COMPOSER = {"config": {"secure-http": False}, "repositories": [{"type": "composer", "url": f"{REGISTRY.url}/php"}, {"packagist.org": False}]}


class Registries(OnePlatform, unittest.TestCase):
    config = "build: {env: " + json.dumps({"PERL_CPANM_OPT": f"--mirror {REGISTRY.url}/cpan --mirror-only"}) + "}\n"

    @classmethod
    def tearDownClass(cls):
        REGISTRY.close()

    def setUp(self):
        REGISTRY.asked.clear()

    def asked(self, text):
        return [path for path in REGISTRY.asked if text in path]

    def deploys_once_and_reuses(self, directory, host, answer, package, change):
        """`package` is fetched by the first build and not by the second, which has other source text."""
        self.p.deploy(directory)
        self.assertEqual(self.p.get(host).text, answer)
        self.assertTrue(self.asked(package))
        REGISTRY.asked.clear()
        (directory / change).write_text((directory / change).read_text().replace("says", "still says"))
        again = self.p.upaas("deploy", directory)
        self.assertIn("dependencies reused", again.stderr)
        self.assertEqual(self.asked(package), [])
        self.assertEqual(self.p.get(host).text, answer.replace("says", "still says"))

    def gem(self, name, version, fill):
        with tempfile.TemporaryDirectory() as work:
            (pathlib.Path(work) / "lib").mkdir()
            fill(pathlib.Path(work) / "lib")
            (pathlib.Path(work) / "g.gemspec").write_text(
                f"Gem::Specification.new {{ |s| s.name = '{name}'; s.version = '{version}'; s.summary = 's'; s.authors = ['a']; "
                "s.files = Dir['lib/**/*.rb'] }\n")
            subprocess.run(["gem", "build", "-q", "g.gemspec", "-o", str(REGISTRY.root / f"ruby/gems/{name}-{version}.gem")],
                           cwd=work, check=True, capture_output=True)

    def test_a_gem(self):
        (REGISTRY.root / "ruby/gems").mkdir(parents=True)
        self.gem("upaas_greeter", "1.2", lambda lib: (lib / "upaas_greeter.rb").write_text("module UpaasGreeter; WORD = 'greeter 1.2'; end\n"))
        rack = subprocess.run(["/usr/bin/ruby", "-e", "print Gem::Specification.find_by_name('rack').gem_dir"],
                              check=True, capture_output=True, text=True).stdout
        self.gem("rack", "2.2.6", lambda lib: shutil.copytree(pathlib.Path(rack) / "lib", lib, dirs_exist_ok=True))
        subprocess.run(["gem", "generate_index", "-q", "-d", str(REGISTRY.root / "ruby")], check=True, capture_output=True)
        directory = self.p.app("gem", **{
            "app_yaml": "name: gem\n",
            "Gemfile": f"source '{REGISTRY.url}/ruby'\ngem 'upaas_greeter', '~> 1.0'\ngem 'rack'\n",
            "config.ru": "require 'upaas_greeter'\nrun ->(env) { [200, {}, [UpaasGreeter::WORD + ' says hello']] }\n"})
        self.deploys_once_and_reuses(directory, "gem.test", "greeter 1.2 says hello", "/gems/upaas_greeter-1.2.gem", "config.ru")

    def test_a_composer_package(self):
        (REGISTRY.root / "php").mkdir()
        with zipfile.ZipFile(REGISTRY.root / "php/greeter.zip", "w") as archive:
            archive.writestr("g/composer.json", '{"name": "upaas/greeter", "autoload": {"files": ["greet.php"]}}')
            archive.writestr("g/greet.php", "<?php function greeting() { return 'greeter 1.2'; }\n")
        REGISTRY.put("php/packages.json", json.dumps({"packages": {"upaas/greeter": {"1.2.0": {
            "name": "upaas/greeter", "version": "1.2.0", "autoload": {"files": ["greet.php"]},
            "dist": {"type": "zip", "url": f"{REGISTRY.url}/php/greeter.zip"}}}}}))
        directory = self.p.app("comp", **{
            "app_yaml": "name: comp\n",
            "composer.json": json.dumps({"require": {"upaas/greeter": "^1.0"}, **COMPOSER}),
            "index.php": "<?php require __DIR__ . '/vendor/autoload.php'; echo greeting() . ' says hello';"})
        self.deploys_once_and_reuses(directory, "comp.test", "greeter 1.2 says hello", "greeter.zip", "index.php")

    def test_a_distribution_of_cpan(self):
        package = REGISTRY.root / "cpan/authors/id/U/UP/UPAAS/Upaas-Greeter-1.2.tar.gz"
        package.parent.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as work:
            top = pathlib.Path(work) / "Upaas-Greeter-1.2"
            (top / "lib/Upaas").mkdir(parents=True)
            (top / "Makefile.PL").write_text("use ExtUtils::MakeMaker; WriteMakefile(NAME => 'Upaas::Greeter', VERSION => '1.2');\n")
            (top / "lib/Upaas/Greeter.pm").write_text("package Upaas::Greeter;\nour $VERSION = '1.2';\nsub word { 'greeter 1.2' }\n1;\n")
            with tarfile.open(package, "w:gz") as archive:
                archive.add(top, "Upaas-Greeter-1.2")
        index = REGISTRY.root / "cpan/modules/02packages.details.txt.gz"
        index.parent.mkdir(parents=True)
        index.write_bytes(gzip.compress(b"File: 02packages.details.txt\nLine-Count: 1\n\n"
                                        b"Upaas::Greeter 1.2 U/UP/UPAAS/Upaas-Greeter-1.2.tar.gz\n"))
        directory = self.p.app("cpan", **{
            "app_yaml": "name: cpan\n", "cpanfile": "requires 'Upaas::Greeter', '1.0';\n",
            "app.psgi": "use Upaas::Greeter; sub { [200, [], [Upaas::Greeter::word() . ' says hello']] };\n"})
        self.deploys_once_and_reuses(directory, "cpan.test", "greeter 1.2 says hello", "Upaas-Greeter-1.2.tar.gz", "app.psgi")

    def test_a_package_that_the_registry_lacks_fails_the_build_with_the_tools_words(self):
        for name, files, words in (
                ("nogem", {"Gemfile": f"source '{REGISTRY.url}/none'\ngem 'upaas_none'\n", "config.ru": ""}, "bundle install"),
                ("nocomp", {"composer.json": json.dumps({"require": {"upaas/none": "^1.0"}, **COMPOSER}), "index.php": ""}, "upaas/none"),
                ("nocpan", {"cpanfile": "requires 'Upaas::None';\n", "app.psgi": ""}, "Upaas::None")):
            with self.subTest(name):
                refused = self.p.upaas("deploy", self.p.app(name, **{"app_yaml": f"name: {name}\n", **files}), check=False)
                self.assertEqual(refused.returncode, 7, refused.stderr)
                self.assertIn(words, refused.stderr)


if __name__ == "__main__":
    unittest.main()
