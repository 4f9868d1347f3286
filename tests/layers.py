#!/usr/bin/env python3
"""Checks the house rules that a compiler does not: which module may include which (the arrows of
ARCHITECTURE.md), the same for what CMake links, no third-party header in a header that other modules
see, no `using namespace` in a header, and the length of files.

    layers.py ROOT         prints every violation as file:line; exit 1 when there is one
    layers.py --self-test  checks the checks
"""
import pathlib
import re
import sys
import tempfile

LONG, TOO_LONG = 450, 600

WORKERS = {"builder", "scheduler", "deployer", "router-sub", "store"}
LOW = {"bundle", "host", "model", "base"}
ARROWS = {
    "base": set(),
    "model": {"base"},
    "host": {"model", "base"},
    "bundle": {"model", "base"},
    "wire": {"model", "base"},
    "store": LOW,
    "scheduler": {"model"},
    "builder": LOW,
    "deployer": LOW,
    "router-sub": LOW,
    "control": WORKERS | LOW | {"wire"},
    "daemon": {"control", "wire"} | WORKERS | LOW,
    "cli": {"wire", "builder", "bundle", "host", "model", "base"},
    "uwsgi-plugin": {"router-sub", "host", "model", "base"},
}
FREE = ["tests", "bench"]  # may include anything, but keep to the length
ALLOWED_IN_HEADERS = {("base/json.h", "nlohmann/json_fwd.hpp")}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
USING = re.compile(r"^\s*using\s+namespace\b")
# A header of the standard library has neither a slash nor an extension; the C library and the kernel
# have these folders.
SYSTEM = re.compile(r"^(?:[a-z_0-9]+|[a-z_0-9]+\.h|(?:sys|linux|netinet|arpa|net|asm|bits)/.+\.h)$")
THIRD_PARTY_FLAT = {"archive.h", "archive_entry.h", "sqlite3.h", "zlib.h", "sodium.h", "event.h", "uwsgi.h"}


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".h", ".cpp") and p.is_file())


def public_headers(root):
    """The headers that a module gives away: included by another module, directly or through one that is."""
    includes, seen = {}, set()
    for module in ARROWS:
        for path in sources(root / module):
            name = path.relative_to(root).as_posix()
            found = (INCLUDE.match(line) for line in path.read_text(errors="replace").splitlines())
            includes[name] = {f.group(2) for f in found if f and f.group(1) == '"'}
            seen |= {target for target in includes[name] if target.split("/")[0] != module}
    todo = list(seen)
    while todo:
        new = includes.get(todo.pop(), set()) - seen
        seen |= new
        todo += new
    return seen


def check_line(module, name, is_public, line):
    """What is wrong with one line, or None."""
    is_header = name.endswith(".h")
    if is_header and USING.match(line):
        return "`using namespace` in a header"
    found = INCLUDE.match(line)
    if not found:
        return None
    quote, target = found.groups()
    if quote == '"':
        other = target.split("/")[0]
        if other not in ARROWS or "/" not in target:
            return f'"{target}" is not MODULE/FILE from the root of the repository'
        if other != module and other not in ARROWS[module]:
            return f"{module} must not include {other} (\"{target}\")"
    elif is_public and (name, target) not in ALLOWED_IN_HEADERS:
        if not SYSTEM.match(target) or target in THIRD_PARTY_FLAT:
            return f"third-party header <{target}> in a header that other modules include"
    return None


def check_cmake(module, path, name):
    """Links against the arrows: the USES of upaas_module and every upaas_MODULE that is named."""
    text = re.sub(r"#.*", "", path.read_text())
    targets = {"upaas_" + m.replace("-", "_"): m for m in ARROWS}
    for uses in re.finditer(r"\bUSES\s+([^)]*?)(?=\b(?:LIBRARIES|SOURCES|LABEL|TIMEOUT)\b|\))", text):
        for word in re.finditer(r"[\w-]+", uses.group(1)):
            yield from check_link(module, word.group(), name, text, uses.start(1) + word.start())
    for word in re.finditer(r"\bupaas_\w+", text):
        if word.group() in targets:
            yield from check_link(module, targets[word.group()], name, text, word.start())


def check_link(module, other, name, text, at):
    if other in ARROWS and other != module and other not in ARROWS[module]:
        yield f"{name}:{text.count(chr(10), 0, at) + 1}: {module} must not link {other}"


def check(root):
    errors, warnings = [], []
    public = public_headers(root)
    for folder in list(ARROWS) + FREE:
        for path in sources(root / folder):
            name = path.relative_to(root).as_posix()
            lines = path.read_text(errors="replace").splitlines()
            if len(lines) > TOO_LONG:
                errors.append(f"{name}:{len(lines)}: longer than {TOO_LONG} lines")
            elif len(lines) > LONG:
                warnings.append(f"{name}:{len(lines)}: longer than {LONG} lines")
            if folder in FREE:
                continue
            for number, line in enumerate(lines, 1):
                wrong = check_line(folder, name, name in public, line)
                if wrong:
                    errors.append(f"{name}:{number}: {wrong}")
        lists = root / folder / "CMakeLists.txt"
        if folder in ARROWS and lists.is_file():
            errors += check_cmake(folder, lists, lists.relative_to(root).as_posix())
    return errors, warnings


def self_test():
    bad = {
        "base/a.h": ('#include "model/names.h"', "base must not include model"),
        "model/a.h": ("using namespace std;", "`using namespace`"),
        "model/b.h": ("#include <yaml-cpp/yaml.h>", "third-party header"),
        "store/a.h": ("#include <sqlite3.h>", "third-party header"),
        "store/b.h": ('#include "store/a.h"\nusing namespace std;', "`using namespace`"),
        "scheduler/a.cpp": ('#include "base/error.h"', "scheduler must not include base"),
        "builder/a.cpp": ('#include "store/store.h"', "builder must not include store"),
        "host/a.cpp": ('#include "bundle/bundle.h"', "host must not include bundle"),
        "cli/a.cpp": ('#include "control/control.h"', "cli must not include control"),
        "router-sub/a.cpp": ('#include "announcer.h"', "is not MODULE/FILE"),
        "wire/a.cpp": ("\n" * 700, "longer than 600 lines"),
        "tests/unit/a.cpp": ("\n" * 700, "longer than 600 lines"),
        "deployer/CMakeLists.txt": ("upaas_module(deployer SOURCES a.cpp USES host store LIBRARIES x)",
                                    "deployer must not link store"),
        "bundle/CMakeLists.txt": ("target_link_libraries(x upaas_router_sub)", "must not link router-sub"),
    }
    good = {
        "base/json.h": "#include <nlohmann/json_fwd.hpp>\n#include <sys/types.h>\n#include <string>",
        "model/a.cpp": '#include <yaml-cpp/yaml.h>\nusing namespace std;\n#include "base/error.h"',
        "daemon/a.cpp": '#include "store/b.h"\n#include "model/b.h"\n#include "daemon/a.h"',
        "daemon/a.h": "#include <Poco/Net/HTTPServer.h>",
        "tests/unit/b.cpp": '#include "tests/support/golden.h"\nusing namespace upaas;',
        "control/CMakeLists.txt": "upaas_module(control SOURCES a.cpp USES store wire host)",
    }
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, content in [(n, c) for n, (c, _) in bad.items()] + list(good.items()):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        errors, _ = check(root)
    missing = [n for n, (_, why) in bad.items() if not any(e.startswith(n + ":") and why in e for e in errors)]
    extra = [e for e in errors if e.split(":")[0] not in bad]
    print("\n".join([f"not found: {n}" for n in missing] + [f"not wrong: {e}" for e in extra]) or "the checks work")
    return 1 if missing or extra else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    errors, warnings = check(pathlib.Path(sys.argv[1]))
    print("\n".join([f"warning: {w}" for w in warnings] + errors) or "the arrows hold")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
