#include "bundle/source_archive.h"
#include "model/app_yaml.h"
#include "support.h"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

using namespace upaas;
using namespace upaas::builder;
using namespace upaas::builder::test;

namespace {

constexpr const char* kHello = R"(
name: hello
interpreter: {type: python, settings: {module: app}}
files: {conf/settings.ini: "[x]\n"}
actions:
  setup:
    main: [echo made > made.txt, mkdir -p empty/dir]
)";

}  // namespace

TEST_CASE("A source directory becomes a bundle, stage by stage") {
  Builds b;
  put(b.source / "sp ace/\xC3\xBC.txt", "odd");
  put(b.source / ".gitignore", "*.log\n");
  put(b.source / "x.log", "");
  put(b.source / ".git/HEAD", "ref");
  const Built built = b.build(kHello);
  CHECK(b.stages == std::vector<std::string>{"prepare", "interpreter", "source", "files", "start",
                                             "setup", "finalize", "pack"});
  CHECK(built.stages.size() == 8);
  CHECK(built.runtime.name.str() == "python");
  CHECK(setting(built, "module") == "app");
  CHECK(built.runtime.version.starts_with("3."));
  CHECK(setting(built, "venv").empty());
  CHECK(b.built("made.txt") == "made\n");
  CHECK(b.built("conf/settings.ini") == "[x]\n");
  CHECK(b.built("sp ace/\xC3\xBC.txt") == "odd");
  const auto entries = bundle::verify(b.output).entries;
  for (const auto& entry : entries) {
    CHECK(entry.path.str().find(".git/") == std::string::npos);
    CHECK(entry.path.str() != "x.log");
  }
  CHECK(fs::is_directory(b.options.work));
  fs::remove(b.output);
  CHECK(b.left_nothing());
}

TEST_CASE("Each stage is told when it begins and when it ended, also the one that failed") {
  Builds b;
  std::vector<std::string> told;
  b.progress.on_stage = [&](std::string_view name) { told.push_back(std::string(name)); };
  b.progress.on_stage_end = [&](const Stage& stage, bool failed) {
    CHECK(stage.seconds >= 0);
    told.push_back(stage.name + (failed ? " failed" : " done"));
  };
  const Error e = b.failure("processes: {web: x}\nactions: {setup: {main: exit 3}}");
  CHECK(e.message().starts_with("stage setup: "));
  CHECK(told == std::vector<std::string>{"prepare", "prepare done", "source", "source done",
                                         "files", "files done", "interpreter", "interpreter done",
                                         "setup", "setup failed"});
}

TEST_CASE("Two builds of one source are equal to the byte, from a directory and from an archive") {
  Builds one;
  Builds two;
  fs::create_directories(one.source / "empty");
  const auto id = one.build(kHello).packed.id;
  CHECK(two.build(kHello).packed.id == id);
  CHECK(read_file(one.output) == read_file(two.output));

  const fs::path archive = one.dir.path() / "source.tar.gz";
  static_cast<void>(bundle::pack_source(one.source, archive));
  Request request{.app = model::AppName("hello"),
                  .spec = model::read_app_yaml(kHello, "app.yaml"),
                  .source_directory = {},
                  .source_archive = archive};
  CHECK(build(request, two.options, two.output, two.progress).packed.id == id);
}

TEST_CASE("A source of which nothing is made is packed where it lies, the same as its copy") {
  for (const std::string yaml : {"interpreter: {type: static, settings: {root: public}}", "{}"}) {
    Builds b;
    put(b.source / "public/index.html", "hello");
    put(b.source / "index.html", "hello");
    put(b.source / "notes.log", "");
    put(b.source / ".gitignore", "*.log\nhidden/\n");
    put(b.source / "hidden/index.html", "");
    fs::create_directories(b.source / "empty");
    fs::remove(b.source / "app.py");
    const auto id = b.build(yaml).packed.id;
    CHECK(std::find(b.stages.begin(), b.stages.end(), "setup") == b.stages.end());
    for (const auto& entry : bundle::verify(b.output).entries) {
      CHECK(entry.path.str() != "notes.log");
      CHECK(entry.path.str() != "empty");
    }
    const fs::path archive = b.dir.path() / "source.tar.gz";
    static_cast<void>(bundle::pack_source(b.source, archive));
    Request request{.app = model::AppName("hello"),
                    .spec = model::read_app_yaml(yaml, "app.yaml"),
                    .source_directory = {},
                    .source_archive = archive};
    CHECK(build(request, b.options, b.output, b.progress).packed.id == id);
  }
  Builds b;
  put(b.source / ".gitignore", "public/\n");
  put(b.source / "public/index.html", "not the app's");
  const Error e = b.failure("interpreter: {type: static, settings: {root: public}}");
  CHECK(e.message().find("has no 'public'") != std::string::npos);
  CHECK(b.left_nothing());
}

TEST_CASE("What an app cannot be is refused, with what there is") {
  Builds b;
  put(b.source / "main.py", "");
  put(b.source / "pkg/__init__.py", "");
  Error e = b.failure("interpreter: {type: python, settings: {module: nothere}}");
  CHECK(e.kind() == ErrorKind::invalid);
  CHECK(e.step() == "build");
  CHECK(e.message().find("'nothere'") != std::string::npos);
  CHECK(e.hint().find("app, main, pkg") != std::string::npos);

  e = b.failure("interpreter: {type: python, versions: [\"2.7\"], settings: {module: app}}");
  CHECK(e.kind() == ErrorKind::invalid);
  CHECK(e.message().find("2.7") != std::string::npos);

  e = b.failure("interpreter: {type: static, settings: {root: public}}");
  CHECK(e.kind() == ErrorKind::invalid);
  CHECK(e.message().find("'public'") != std::string::npos);
  CHECK(b.left_nothing());
}

TEST_CASE("A module of the machine's own Python will do") {
  Builds b;
  const Built built =
      b.build("interpreter: {type: python, settings: {module: 'wsgiref.simple_server:demo_app'}}");
  CHECK(setting(built, "module") == "wsgiref.simple_server:demo_app");
}

TEST_CASE("Static files and web processes are runtimes of their own") {
  Builds b;
  put(b.source / "public/index.html", "hi");
  const Built files = b.build("interpreter: {type: static, settings: {root: public}}");
  CHECK(files.runtime.name.str() == "static");
  CHECK(setting(files, "root") == "public");
  const Built web = b.build("processes: {web: ./serve}");
  CHECK(*web.runtime.web == "./serve");
}

TEST_CASE("An interpreter that is given takes its start from the files, unless app.yaml has one") {
  Builds b;
  put(b.source / "Procfile", "web: exec ./serve\n");
  CHECK(*b.build("interpreter: {type: python}").runtime.web == "exec ./serve");
  CHECK(*b.build("interpreter: {type: python}\nprocesses: {web: mine}").runtime.web == "mine");
  CHECK_FALSE(
      b.build("interpreter: {type: python, settings: {module: app}}").runtime.web.has_value());
  CHECK_FALSE(b.build("interpreter: {type: static}").runtime.web.has_value());
  fs::remove(b.source / "Procfile");
  const Error e = b.failure("interpreter: {type: node}");
  CHECK(e.message() == "stage start: nothing says how to start the app");
  put(b.source / "package.json", R"({"scripts": {"start": "node x"}})");
  CHECK(*b.build("interpreter: {type: node}\nactions: {setup: {main: 'true'}}").runtime.web ==
        "node x");
}

TEST_CASE("A file that no bundle may hold fails the build with its name") {
  Builds b;
  const Error e = b.failure("processes: {web: x}\nactions: {setup: {main: [mkfifo pipe]}}");
  CHECK(e.kind() == ErrorKind::invalid);
  CHECK(e.message().find("'pipe'") != std::string::npos);
  const Error name =
      b.failure("processes: {web: x}\nactions: {setup: {main: [touch \"$(printf 'a\\001b')\"]}}");
  CHECK(name.message().find("'a?b'") != std::string::npos);
  CHECK(b.left_nothing());
}

TEST_CASE("Files of the spec do not go through links of the source") {
  Builds b;
  fs::create_symlink("/usr/share", b.source / "conf");
  const Error e = b.failure("processes: {web: x}\nfiles: {conf/evil: x}");
  CHECK(e.kind() == ErrorKind::invalid);
  CHECK(e.message().find("conf/evil") != std::string::npos);
  CHECK_FALSE(fs::exists("/usr/share/evil"));
}

TEST_CASE("Without source and repository there is nothing to build") {
  Builds b;
  const Request request{.app = model::AppName("hello"),
                        .spec = model::read_app_yaml("processes: {web: x}", "app.yaml"),
                        .source_directory = {},
                        .source_archive = {}};
  CHECK(error_of([&] {
          static_cast<void>(build(request, b.options, b.output, b.progress));
        }).kind() == ErrorKind::invalid);
}

TEST_CASE("An ordinary user builds the same bundle as root") {
  constexpr uid_t kNobody = 65'534;
  Builds root;
  const std::string id = root.build(kHello).packed.id.str();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // No assertions here: the test runner belongs to the parent.
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(2);
    try {
      Builds mine(kNobody);
      ::_exit(mine.build(kHello).packed.id.str() == id ? 0 : 3);
    } catch (const std::exception& e) {
      static_cast<void>(::write(2, e.what(), std::string_view(e.what()).size()));
      ::_exit(4);
    }
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
