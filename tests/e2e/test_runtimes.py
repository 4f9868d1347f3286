"""Programs that others wrote, of every kind of interpreter, with the shortest app.yaml or with none."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from platform_under_test import OnePlatform, free_ports, wait_for


def registry_settings():
    """How this machine reaches a registry: the builds of the test get the same."""
    registry = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True, check=True).stdout.strip()
    env = {"npm_config_registry": registry}
    for name, value in os.environ.items():
        if name.lower() in ("http_proxy", "https_proxy", "no_proxy") or name == "NODE_EXTRA_CA_CERTS":
            env[name] = value
    return json.dumps(env)


SINATRA = """
require 'sinatra'
get('/') { "sinatra in #{settings.environment}" }
"""
EXPRESS = """
const app = require('express')();
app.get('/', (request, response) => response.send('express says hello'));
app.listen(process.env.PORT, '127.0.0.1');
"""


# A runtime that upaas does not bring along: shell scripts by CGI.
OURS = """
interpreters:
  shell:
    any:
      version: [/bin/sh, -c, "echo 5.2"]
      packages: [uwsgi-core]
      env: {GREETING: hello from}
      settings: {script: {kind: path, default: index.sh}}
      actions: {setup: {main: "chmod 755 *.sh; echo ours > made.txt"}}
      uwsgi:
        plugin: 0:cgi
        template: |
          processes = {{workers}}
          chdir = {{tree}}
          cgi = {{tree}}/{{script}}
"""


class Runtimes(OnePlatform, unittest.TestCase):
    config = f"build: {{env: {registry_settings()}}}\n{OURS}"

    def init_and_deploy(self, directory, interpreter, more=""):
        """The newcomer's way: no app.yaml, so `upaas init` writes it."""
        (directory / "app.yaml").unlink(missing_ok=True)
        self.p.upaas("init", cwd=directory)
        written = (directory / "app.yaml").read_text()
        self.assertIn(f"type: {interpreter}", written)
        (directory / "app.yaml").write_text(written + more)
        return self.p.deploy(directory)

    def directory(self, name, **files):
        return self.p.app(name, **{"app_yaml": f"name: {name}\n", **files})

    def test_a_django_site_as_its_generator_writes_it(self):
        directory = self.directory("shop")
        subprocess.run(["django-admin", "startproject", "mysite", "."], cwd=directory, check=True)
        with (directory / "mysite/settings.py").open("a") as settings:
            settings.write("ALLOWED_HOSTS = ['.test']\n")
        self.init_and_deploy(directory, "python")
        self.assertIn("django", self.p.get("shop.test").text.lower())

    def test_klaus_by_the_one_module_that_makes_it(self):
        directory = self.directory("browse", **{"wsgi.py": "import klaus\napplication = klaus.make_app(['/home/app/own.git'], 'ours')\n"})
        subprocess.run(["git", "-c", "init.defaultBranch=main", "init", "-q", "--bare", "own.git"], cwd=directory, check=True)
        # A repository without a commit has nothing to show.
        tree = subprocess.run(["git", "-C", "own.git", "mktree"], cwd=directory, check=True, capture_output=True, text=True, input="").stdout
        commit = subprocess.run(["git", "-C", "own.git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit-tree", tree.strip(),
                                 "-m", "the first words"], cwd=directory, check=True, capture_output=True, text=True).stdout
        subprocess.run(["git", "-C", "own.git", "update-ref", "refs/heads/main", commit.strip()], cwd=directory, check=True)
        # The tree is root's, so git wants to be told that it may be trusted.
        self.init_and_deploy(directory, "python", "env: {GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: safe.directory, GIT_CONFIG_VALUE_0: '*'}\n")
        self.assertIn("own", self.p.get("browse.test").text)
        self.assertIn("the first words", self.p.get("browse.test", "/own/").text)

    def test_a_sinatra_app_with_the_gems_of_the_machine(self):
        directory = self.directory("sing", **{"app.rb": SINATRA, "config.ru": "require './app'\nrun Sinatra::Application\n",
                                              "Gemfile": "source 'https://rubygems.org'\ngem 'sinatra'\n"})
        self.init_and_deploy(directory, "ruby")
        self.assertEqual(self.p.get("sing.test").text, "sinatra in production")

    def test_adminer(self):
        directory = self.directory("adminer")
        shutil.copy("/usr/share/adminer/adminer.php", directory / "index.php")
        self.init_and_deploy(directory, "php")
        self.assertIn("Adminer", self.p.get("adminer.test").text)

    def test_a_mojolicious_app_as_its_generator_writes_it(self):
        directory = self.directory("mojo")
        subprocess.run(["mojo", "generate", "lite-app", "hello.pl"], cwd=directory, check=True, stdout=subprocess.DEVNULL)
        self.init_and_deploy(directory, "perl")
        self.assertIn("Mojolicious", self.p.get("mojo.test").text)

    def test_an_express_app_is_installed_once_and_not_again(self):
        package = {"name": "exp", "scripts": {"start": "node server.js"}, "dependencies": {"express": "^4"}}
        directory = self.directory("exp", **{"package.json": json.dumps(package), "server.js": EXPRESS})
        self.init_and_deploy(directory, "node")
        self.assertEqual(self.p.get("exp.test").text, "express says hello")
        again = self.p.upaas("deploy", directory)
        self.assertIn("bundle reused", again.stderr)
        self.assertIn("nothing changed", again.stdout)
        (directory / "server.js").write_text(EXPRESS.replace("hello", "more"))
        changed = self.p.upaas("deploy", directory)
        self.assertIn("built: not the same as last time: source", changed.stderr)
        self.assertIn("dependencies reused", changed.stderr)
        self.assertEqual(self.p.get("exp.test").text, "express says more")
        fresh = self.p.upaas("deploy", "--fresh", directory)
        self.assertNotIn("reused", fresh.stderr)

    def test_the_metadata_of_upaas_2014(self):
        directory = self.p.app("old", **{"config.ru": "run ->(env) { [200, {}, [ENV['GREETING'] + File.read('made.txt') + "
                                                      "File.read('conf/x.txt')]] }\n", "app_yaml": """
name: old
interpreter:
  type: ruby
  versions: ["1.9", "3.1", "3.0"]
env: {GREETING: "hello "}
files: {conf/x.txt: from a file}
actions:
  setup:
    after:
      - test "$UPAAS_FRESH_PACKAGE" = true
      - echo "made in $RACK_ENV, " > made.txt
uwsgi:
  settings:
    - "route = ^/secret basicauth:members only,foo:bar"
    - "harakiri = 30"
"""})
        self.p.deploy(directory)
        self.assertEqual(self.p.get("old.test").text, "hello made in production, \nfrom a file")
        self.assertEqual(self.p.get("old.test", "/secret").status, 401)
        allowed = {"Authorization": "Basic " + base64.b64encode(b"foo:bar").decode()}
        self.assertEqual(self.p.get("old.test", "/secret", headers=allowed).status, 200)
        for key in ("os: {Debian: {packages: [x]}}", "features: {storage: true}"):
            (directory / "app.yaml").write_text(f"name: old\n{key}\n")
            refused = self.p.upaas("deploy", directory, check=False)
            self.assertEqual(refused.returncode, 4)
            self.assertIn(key.split(":")[0], refused.stderr)

    def test_a_runtime_of_the_administrators_own(self):
        self.p.deploy(self.p.app("ours", **{
            "app_yaml": "name: ours\ninterpreter: {type: shell, versions: ['5'], settings: {script: main.sh}}\n",
            "main.sh": "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\necho \"$GREETING $(cat made.txt)\"\n"}))
        self.assertEqual(self.p.get("ours.test").text, "hello from ours\n")

    def test_a_version_that_the_machine_lacks_is_refused_with_what_it_has(self):
        directory = self.p.app("ver", **{"app_yaml": "name: ver\ninterpreter: {type: ruby, versions: ['2.7']}\n", "config.ru": ""})
        refused = self.p.upaas("deploy", directory, check=False)
        self.assertEqual(refused.returncode, 4)
        self.assertIn("this machine has ruby 3.1", refused.stderr)
        forced = self.p.upaas("deploy", "--interpreter-version", "9", directory, check=False)
        self.assertIn("and not 9", forced.stderr)

    def test_a_repository_is_updated_in_the_tree_of_its_last_build(self):
        source, (port,) = self.p.root / "git/inc", free_ports(1)
        source.mkdir(parents=True)
        git = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main"]

        def commit(text):
            (source / "app.py").write_text("def application(environ, start_response):\n"
                                           "    start_response('200 OK', [])\n"
                                           f"    return [b'{text} ' + open('/home/app/builds.txt', 'rb').read()]\n")
            (source / "requirements.txt").write_text("# none\n")
            subprocess.run([*git, "add", "."], cwd=source, check=True)
            subprocess.run([*git, "commit", "-qm", text], cwd=source, check=True)

        subprocess.run([*git, "init", "-q"], cwd=source, check=True)
        commit("one")
        daemon = subprocess.Popen(["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}", "--export-all",
                                   f"--base-path={source.parent}", str(source.parent)], start_new_session=True)
        try:
            url = f"git://127.0.0.1:{port}/inc"
            wait_for(lambda: subprocess.run(["git", "ls-remote", url], capture_output=True).returncode == 0, 20, "git daemon")
            app = self.p.app("inc", **{"app_yaml": f"""
name: inc
repository: {{clone: git clone -q {url} %destination%, update: git pull -q --ff-only}}
interpreter: {{type: python}}
actions: {{setup: {{after: 'echo "${{UPAAS_FRESH_PACKAGE:-not fresh}}" >> builds.txt'}}}}
"""})
            first = self.p.upaas("deploy", app)
            self.assertIn("revision ", first.stderr)
            self.assertEqual(self.p.get("inc.test").text, "one true\n")
            same = self.p.upaas("deploy", app)
            self.assertIn("bundle reused", same.stderr)
            self.assertIn("nothing changed", same.stdout)
            commit("two")
            self.assertIn("dependencies reused", self.p.upaas("deploy", app).stderr)
            self.assertEqual(self.p.get("inc.test").text, "two true\nnot fresh\n")
            self.p.deploy(app, "--fresh")
            self.assertEqual(self.p.get("inc.test").text, "two true\n")
        finally:
            daemon.terminate()
            daemon.wait(20)


if __name__ == "__main__":
    unittest.main()
