"""Hostile app.yaml files: `upaas validate` refuses each with FILE:LINE:COLUMN and a reason, within a second of CPU time
and 256 MiB of address space."""

import os
import pathlib
import resource
import subprocess
import tempfile
import unittest

UPAAS = pathlib.Path(os.environ["UPAAS_BIN_DIR"]) / "upaas"
BOUNDS = "UPAAS_BOUNDS" in os.environ
MIB = 1 << 20


def bomb(levels=9):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def scale(workers):
    return f"scale: {{workers: {workers}}}"


def memory(size):
    return f"scale: {{memory: {size}}}"


def setting(text):
    return f"uwsgi: {{settings: [{text}]}}"


def python(module):
    return f"interpreter: {{type: python, settings: {{module: {module}}}}}"


# The file, where it is wrong, the beginning of the reason. Bytes are written as they are.
TOO_MUCH = [
    (bomb(), "5:10", "too much"),
    ("a: &a " + "x" * 100_000 + "\nb: [" + ", ".join(["*a"] * 100) + "]", "2:165", "too much"),
    ("a: &a [*a]", "1:8", "an alias that refers to itself"),
    ("".join(f"k{n}: 1\n" for n in range(50_000)), "5000:8", "too much"),
    ("name: " + "[" * 100_000, "1:263", "nested too deeply"),
    ("name: " + "[\n" * 100_000, "17:1", "nested more than 32 deep"),
    ("name: " + "{a: " * 100_000, "1:1031", "nested too deeply"),
    ("- " * 100_000 + "x", "1:65", "nested more than 32 deep"),
    ("? " * 100_000, "1:65", "nested more than 32 deep"),
    ("".join(" " * n + "a:\n" for n in range(900)), "33:33", "nested more than 32 deep"),
    ("name: " + "a" * 1_000_000, "1:7", "name: app name 'aaa"),
    ("name: " + "a" * 3_000_000, "1:1", "the file has more than 1048576 bytes"),
    ("'" + "a" * 1000 + "': x", "1:1", "unknown key 'aaa"),
    ("name:\n" + "  b c\n" * 150_000, "2:3", "name: app name 'b c b c"),
    ("name: |9999999999\n x", "1:9", "not valid YAML"),
    ("[]" * 100_000, "1:3", "a second document"),
    ("'" * 1_000_000, "1:1", "the file must be a map of keys"),
    ("!" * 1_000_000, "1:3", "not valid YAML"),
    ("-" * 1_000_000, "1:1", "the file must be a map of keys"),
    ("files: {" + ", ".join(f"{n}: x" for n in range(6000)) + "}", "1:43887", "too much"),
    (setting(", ".join(["harakiri = 1"] * 300)), "1:19", "uwsgi.settings: has 300 items; at most 256"),
    ("domains: [" + ", ".join(f"a{n}.b" for n in range(101)) + "]", "1:10", "domains: has 101 items; at most 100"),
    ("env: {A: " + "x" * 200_000 + "}", "1:10", "env.A: is too long"),
    (setting("static-" + "worker-" * 50_000 + " = 1"), "1:20", "uwsgi.settings: 'static-worker-"),
]

BYTES = [
    (b"", "1:1", "the file is empty"),
    (b"\n" * 1_000_000, "1:1", "the file is empty"),
    (b"name: \xff\xfe", "1:7", "not UTF-8 text"),
    (b"env: {A: \xfc}", "1:10", "not UTF-8 text"),
    ("name: a".encode("utf-16"), "1:1", "not UTF-8 text"),
    ("name: a".encode("utf-16-be"), "1:1", "a control character, U+0000"),
    (b"name: \xc0\xae\xc0\xae", "1:7", "not UTF-8 text"),  # `..`, overlong
    (b"name: \xed\xa0\x80", "1:7", "not UTF-8 text"),  # half of a pair
    (b"name: a\0b", "1:8", "a control character, U+0000"),
    (b"name: \x1b[2J", "1:7", "a control character, U+001B"),
    (b"name: \xc2\x9b2J", "1:7", "a control character, U+009B"),
    (b"name: a\n\x04plugin: b", "2:1", "a control character, U+0004"),
    (b"\"\\x9b2J\xe2\x80\xae\": x", "1:1", "unknown key '?2J?'"),
    (b"\xef\xbb\xbfname: A", "1:7", "name: app name 'A'"),
    (b"name: a\n\xef\xbb\xbfenv: {}", "2:1", "unknown key '?env'"),
    (b"name: a\r\nscale: {workers: 0}\r\n", "2:18", "scale.workers: '0' is outside of 1 to 512"),
    (b"name: a\rscale: {workers: 0}\r", "1:14", "not valid YAML"),
    (b"uwsgi:\r\n  settings:\r\n    - route = 1\r    - plugin = x\r\n", "3:7",
     "uwsgi.settings: the value of 'route' must not hold newlines"),
    (b"name:\n\tworkers: 2", "2:9", "not valid YAML"),
    ("name: а".encode(), "1:7", "name: app name 'а'"),  # Cyrillic
]

YAML = [
    ("name: a\n---\nname: b", "2:1", "a second document"),
    ("name: a\n...\nname: b", "3:1", "a second document"),
    ("%YAML 9.9\n---\nname: a", "1:1", "not valid YAML"),
    ("name: a\nname: b", "2:1", "the key 'name' is there twice"),
    ("env: {A: 1, \"A\": 2}", "1:13", "the key 'A' is there twice"),
    ("env: {<<: {A: b}}", "1:7", "the key '<<': maps are not merged"),
    ("env: {A: !!binary aGVsbG8=}", "1:10", "the tag 'tag:yaml.org,2002:binary'"),
    ("env: !include /etc/passwd", "1:6", "the tag '!include'"),
    ("env: !!python/object/apply:os.system [id]", "1:6", "the tag 'tag:yaml.org,2002:python/object/apply:os.system'"),
    ("%TAG ! tag:yaml.org,2002:python/\n---\nname: !object a", "3:7", "the tag 'tag:yaml.org,2002:python/object'"),
    ("name: !<tag:yaml.org,2002:int> 3", "1:7", "the tag 'tag:yaml.org,2002:int'"),
    ("? [a, b]\n: c", "1:3", "a key must be a text"),
    (": x", "1:1", "a key must be a text"),
    ("name: *nope", "1:7", "not valid YAML: the referenced anchor is not defined"),
    ("domains: [*.example.org]", "1:11", "not valid YAML: the referenced anchor is not defined"),
    ("- a", "1:1", "the file must be a map of keys"),
    ("__proto__: {}", "1:1", "unknown key '__proto__'"),
    ("scale.workers: 2", "1:1", "unknown key 'scale.workers'"),
]

UWSGI = [
    (setting("plugin = x"), "1:20", "uwsgi.settings: the option 'plugin' is not among the server's safe options"),
    (setting("hook-pre-jail = exec:id"), "1:20", "uwsgi.settings: the option 'hook-pre-jail' is not among"),
    (setting("ini = /etc/x.ini"), "1:20", "uwsgi.settings: the option 'ini' is not among"),
    (setting("strict = false"), "1:20", "uwsgi.settings: the option 'strict' is not among"),
    (setting("set = a=b"), "1:20", "uwsgi.settings: the option 'set' is not among"),
    (setting("for = a b"), "1:20", "uwsgi.settings: the option 'for' is not among"),
    (setting("RoUtE = x"), "1:20", "uwsgi.settings: the option 'RoUtE' is not among"),
    (setting("--route = x"), "1:20", "uwsgi.settings: the option '--route' is not among"),
    (setting("static_map = /=/"), "1:20", "uwsgi.settings: 'static_map' is not an option"),
    (setting("'[emperor] = x'"), "1:20", "uwsgi.settings: '[emperor]' is not an option"),
    (setting("'; = x'"), "1:20", "uwsgi.settings: ';' is not an option"),
    (setting(r'"route = a\nplugin = x"'), "1:20", "uwsgi.settings: the value of 'route' must not hold newlines"),
    (setting(r'"route = a\n[uwsgi]"'), "1:20", "uwsgi.settings: the value of 'route' must not hold newlines"),
    (setting(r'"route\nplugin = x"'), "1:20", "uwsgi.settings: 'route?plugin' is not an option"),
    (setting(r'{"route\nplugin": x}'), "1:20", "uwsgi.settings: 'route?plugin' is not an option"),
    (setting(r'{route: "a\0b"}'), "1:20", "uwsgi.settings: the value of 'route' must not hold newlines or other control"),
    (setting("'route = @(/etc/shadow)'"), "1:20", "uwsgi.settings: the value of 'route' must not hold '@('"),
    (setting("{route: '$(HOME)'}"), "1:20", "uwsgi.settings: the value of 'route' must not hold '$('"),
    (setting("'route = %(socket)'"), "1:20", "uwsgi.settings: the value of 'route' must not hold '%('"),
    (setting("'@(x) = 1'"), "1:20", "uwsgi.settings: '@(x)' is not an option"),
    (setting("harakiri = 1e9"), "1:20", "uwsgi.settings: the value of 'harakiri' must be a number"),
    (setting("harakiri = -1"), "1:20", "uwsgi.settings: the value of 'harakiri' must be a number"),
    ("uwsgi: {settings: harakiri = 1}", "1:19", "uwsgi.settings: must be a list, and is a text"),
    (python("'@(/etc/shadow)'"), "1:48", "interpreter.settings.module: value '@(/etc/shadow)': must not hold '@('"),
    (python("'app%(x)'"), "1:48", "interpreter.settings.module: value 'app%(x)': must not hold '%('"),
    (python(r'"app\nplugin = x"'), "1:48", "interpreter.settings.module: value 'app?plugin = x': must not hold control"),
    ("interpreter: {type: static, settings: {root: '$(HOME)'}}", "1:46", "interpreter.settings.root: value '$(HOME)'"),
    ("name: '@(/etc/shadow)'", "1:7", "name: app name '@(/etc/shadow)'"),
    ("domains: ['$(HOME)']", "1:11", "domains: domain '$(home)'"),
    ("health: {path: '@(/etc/shadow)'}", "1:16", "health.path: '@(/etc/shadow)' must begin with '/'"),
]

NAMES = [
    ("name: ..", "1:7", "name: app name '..'"),
    ("name: ../../etc", "1:7", "name: app name '../../etc'"),
    ("name: a--b", "1:7", "name: app name 'a--b': must not hold '--'"),
    ("name: v1", "1:7", "name: app name 'v1': looks like a release"),
    ("name: " + "a" * 61, "1:7", "name: app name 'aaa"),
    ("name: ''", "1:7", "name: app name '': is empty"),
    ("env: {A=B: x}", "1:7", "env: environment variable name 'A=B'"),
    (r'env: {"A\0B": x}', "1:7", "env: environment variable name 'A?B'"),
    (r'env: {"A\nB": x}', "1:7", "env: environment variable name 'A?B'"),
    (r'env: {A: "x\0LD_PRELOAD=y"}', "1:10", "env.A: must not hold a NUL byte"),
    ("env: {LD_PRELOAD: x}", "1:7", "env: environment variable name 'LD_PRELOAD'"),
    ("env: {UPAAS_APP: x}", "1:7", "env: environment variable name 'UPAAS_APP'"),
    ("env: {UWSGI_INI: x}", "1:7", "env: environment variable name 'UWSGI_INI'"),
    ("env: {BASH_FUNC_x%%: x}", "1:7", "env: environment variable name 'BASH_FUNC_x%%'"),
    ("files: {/etc/passwd: x}", "1:9", "files: path '/etc/passwd': must be relative"),
    ("files: {a/../../x: x}", "1:9", "files: path 'a/../../x': must not have '..'"),
    ("files: {.upaas/manifest.json: x}", "1:9", "files: '.upaas/manifest.json' belongs to upaas"),
    (r'files: {"a\nb": x}', "1:9", "files: path 'a?b': must not hold control characters"),
    ("files: {" + "/".join("a" * 70) + ": x}", "1:9", "files: path 'a/a/a"),
    ("files: {a: x, a/b: y}", "1:15", "files: 'a' is a file already"),
    ("interpreter: {type: static, settings: {root: /etc}}", "1:46", "interpreter.settings.root: '/etc' must be relative"),
    ("interpreter: {type: static, settings: {root: ../..}}", "1:46", "interpreter.settings.root: '../..' must not have"),
    ("interpreter: {type: ../python}", "1:21", "interpreter.type: interpreter '../python'"),
    ("interpreter: {type: python, versions: [../3]}", "1:40", "interpreter.versions: '../3' is not a version"),
    (python("/etc/passwd"), "1:48", "interpreter.settings.module: '/etc/passwd' must be like 'app'"),
    (python("os:system('id')"), "1:48", "interpreter.settings.module: 'os:system('id')' must be like 'app'"),
    (python("exec://id"), "1:48", "interpreter.settings.module: 'exec://id' must be like 'app'"),
    (r'source: "a\0b"', "1:9", "source: must not hold control characters"),
    ("source: " + "a" * 5000, "1:9", "source: has 5000 bytes; at most 4096"),
    ("repository: ext::sh -c id", "1:13", "'repository' must be a map of keys: clone"),
    ("repository: {url: -oProxyCommand=id}", "1:14", "unknown key 'repository.url'"),
    ("repository: {clone: [--upload-pack=id, [x]]}", "1:40", "repository.clone: must be a text, and is a list"),
    (r'repository: {clone: "git clone x\0"}', "1:21", "repository.clone: must not hold a NUL byte"),
    ("domains: ['*.example.org']", "1:11", "domains: domain '*.example.org'"),
    ("domains: ['example.org:80']", "1:11", "domains: domain 'example.org:80'"),
    ("domains: ['http://example.org']", "1:11", "domains: domain 'http://example.org'"),
    ("domains: ['~^(a+)+$']", "1:11", "domains: domain '~^(a+)+$'"),
    ("domains: ['a; include /etc/x']", "1:11", "domains: domain 'a; include /etc/x'"),
    (r'domains: ["a\nb"]', "1:11", "domains: domain 'a?b'"),
    ("domains: [" + ".".join(["a" * 50] * 6) + "]", "1:11", "domains: domain 'aaa"),
    ("domains: [bücher.example]", "1:11", "domains: 'bücher.example' is not ASCII"),
    ("domains: [a.b, A.B]", "1:16", "domains: 'a.b' is there twice"),
    ("health: {path: http://x/}", "1:16", "health.path: 'http://x/' must begin with '/'"),
    ("health: {path: /a b}", "1:16", "health.path: '/a b' may only hold printable ASCII"),
    (r'health: {path: "/a\r\nHost: x"}', "1:16", "health.path: '/a??Host: x' may only hold printable ASCII"),
]

NUMBERS = [
    (scale("0"), "1:18", "scale.workers: '0' is outside of 1 to 512"),
    (scale("-1"), "1:18", "scale.workers: '-1' must be like 2 or 1..4"),
    (scale("+1"), "1:18", "scale.workers: '+1' must be like"),
    (scale("0x10"), "1:18", "scale.workers: '0x10' must be like"),
    (scale("010"), "1:18", "scale.workers: '010' must be like"),
    (scale("0o10"), "1:18", "scale.workers: '0o10' must be like"),
    (scale("1e3"), "1:18", "scale.workers: '1e3' must be like"),
    (scale("1.5"), "1:18", "scale.workers: '1.5' must be like"),
    (scale(".inf"), "1:18", "scale.workers: '.inf' must be like"),
    (scale("2147483648"), "1:18", "scale.workers: '2147483648' must be like"),
    (scale("9" * 40), "1:18", "scale.workers: '999"),
    (scale("4..1"), "1:18", "scale.workers: '4..1': the first number is larger"),
    (scale("１"), "1:18", "scale.workers: '１' must be like"),
    (scale("[1]"), "1:18", "scale.workers: must be a text, and is a list"),
    (memory("1e9G"), "1:17", "scale.memory: '1e9G' must be like"),
    (memory("999999999G"), "1:17", "scale.memory: '999999999G' is outside of 16M to 1024G"),
    (memory("16777216T"), "1:17", "scale.memory: '16777216T' must be like"),
    (memory("-128M"), "1:17", "scale.memory: '-128M' must be like"),
    (memory("1B"), "1:17", "scale.memory: '1B' must be like"),
    ("health: {timeout: 99999999999s}", "1:19", "health.timeout: '99999999999s' must be like"),
    ("health: {timeout: 1y}", "1:19", "health.timeout: '1y' must be like"),
    ("drain: {timeout: -30s}", "1:18", "drain.timeout: '-30s' must be like"),
    ("scale: all", "1:8", "'scale' must be a map of keys: instances, workers, memory"),
    ("env: [A=b]", "1:6", "env: must be a map (NAME: value), and is a list"),
    ("files: {a: {b: c}}", "1:12", "files: the content of 'a' must be a text, and is a map"),
    ("domains: {a: b}", "1:10", "domains: must be a list, and is a map"),
    ("actions: {setup: {main: {a: b}}}", "1:25", "actions.setup.main: must be a shell command or a list of them"),
    ("processes: {web: [x]}", "1:18", "processes.web: must be a text, and is a list"),
    ("interpreter: {type: python, versions: 3}", "1:39", "interpreter.versions: must be a list, and is a text"),
    ("name: ~", "1:1", "'name' has no value"),
]


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
    resource.setrlimit(resource.RLIMIT_AS, (256 * MIB, 256 * MIB))


class HostileAppYaml(unittest.TestCase):
    def refused(self, cases):
        with tempfile.TemporaryDirectory(prefix="upaas-hostile-") as directory:
            for text, place, reason in cases:
                with self.subTest(text[:80]):
                    file = pathlib.Path(directory, "app.yaml")
                    file.write_bytes(text if isinstance(text, bytes) else text.encode())
                    result = subprocess.run([UPAAS, "validate", file], capture_output=True, timeout=60,
                                            preexec_fn=limit if BOUNDS else None)
                    said = result.stderr.decode()
                    self.assertTrue(said.startswith(f"error: {file}:{place}: {reason}"), said)
                    self.assertEqual(result.returncode, 4, said)
                    self.assertLess(len(said), 1000)

    def test_what_is_too_much_ends_early(self):
        self.refused(TOO_MUCH)

    def test_bytes_that_are_no_plain_text_are_refused(self):
        self.refused(BYTES)

    def test_yaml_beyond_one_plain_document_is_refused(self):
        self.refused(YAML)

    def test_nothing_gets_into_the_ini_of_uwsgi(self):
        self.refused(UWSGI)

    def test_names_and_paths_that_lead_astray_are_refused(self):
        self.refused(NAMES)

    def test_wrong_numbers_and_types_are_refused(self):
        self.refused(NUMBERS)


if __name__ == "__main__":
    unittest.main()
