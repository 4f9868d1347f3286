#include "support.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>

using namespace upaas;
using namespace upaas::builder;
using namespace upaas::builder::test;

namespace {

constexpr const char* kUpdate = "git pull -q --ff-only";

struct Cloned : Builds {
  Repositories repositories{dir.path() / "git"};

  Cloned() {
    keep();
    repositories.commit("app", "app.py", "application = 1\n");
  }
  /// `clone` and `update` go on after git's own words; an empty `update` means none.
  std::string yaml(const std::string& update, const std::string& more = "",
                   const std::string& clone = "") const {
    return "interpreter: {type: python}\nrepository:\n  clone:\n    - git clone -q " +
           repositories.url("app") + " %destination%\n" + clone +
           (update.empty() ? "" : "  update:\n    - " + update + "\n") + more;
  }
};

std::string line(const std::string& command) {
  return "    - " + command + "\n";
}

}  // namespace

TEST_CASE("A clone is the same only when everything that was cloned is the same") {
  Cloned b;
  b.repositories.commit("lib", "lib.py", "one\n");
  const std::string url = b.repositories.url("lib");
  const std::string yaml = b.yaml(
      "", "",
      line("git clone -q " + url + " %destination%/vendor") + line("cp vendor/lib.py extra.txt"));
  static_cast<void>(b.build(yaml));
  CHECK(b.build(yaml).reused);
  b.repositories.commit("lib", "lib.py", "two\n");
  CHECK_FALSE(b.build(yaml).reused);
  CHECK(b.said("not the same as last time: source"));
  CHECK(b.built("vendor/lib.py") == "two\n");
  CHECK(b.build(yaml).reused);
}

TEST_CASE("An update is the same only when nothing in the tree has changed by it") {
  Cloned b;
  b.repositories.commit("lib", "lib.py", "one\n");
  const std::string yaml =
      b.yaml(std::string(kUpdate) + " && git -C vendor pull -q",
             "actions: {setup: {after: 'echo x >> made.txt'}}\n",
             line("git clone -q " + b.repositories.url("lib") + " %destination%/vendor"));
  static_cast<void>(b.build(yaml));
  CHECK(b.build(yaml).reused);
  b.repositories.commit("lib", "lib.py", "two\n");
  CHECK_FALSE(b.build(yaml).reused);
  CHECK(b.built("vendor/lib.py") == "two\n");
  CHECK(b.built("made.txt") == "x\nx\n");
  CHECK(b.build(yaml).reused);
  b.repositories.commit("app", "app.py", "application = 2\n");
  CHECK_FALSE(b.build(yaml).reused);
  CHECK(b.said("not the same as last time: source, revision"));
}

TEST_CASE("An updated tree has the files of the app.yaml as it is now, and the source's own") {
  Cloned b;
  b.repositories.commit("app", "conf/settings.ini", "of the source\n");
  const std::string files =
      "files: {conf/settings.ini: \"of the app.yaml\\n\", new/made.txt: x, app2.py: x}\n";
  static_cast<void>(b.build(b.yaml(kUpdate, files)));
  CHECK(b.built("conf/settings.ini") == "of the app.yaml\n");
  CHECK(b.build(b.yaml(kUpdate, files)).reused);
  b.repositories.commit("app", "conf/settings.ini", "of the source again\n");
  static_cast<void>(b.build(b.yaml(kUpdate, files)));
  CHECK_FALSE(b.said("cloned again"));
  CHECK(b.built("conf/settings.ini") == "of the app.yaml\n");
  static_cast<void>(b.build(b.yaml(kUpdate)));
  CHECK_FALSE(b.said("cloned again"));
  CHECK(b.built("conf/settings.ini") == "of the source again\n");
  CHECK_FALSE(has(b, "new"));
  CHECK_FALSE(has(b, "app2.py"));
}

TEST_CASE("What was installed for a manifest goes with it from an updated tree") {
  Cloned b;
  const std::string yaml = b.yaml(kUpdate);
  b.repositories.commit("app", "requirements.txt", "-r none.txt\n");
  b.repositories.commit("app", "none.txt", "# nothing\n");
  static_cast<void>(b.build(yaml));
  CHECK(has(b, ".upaas/venv"));
  b.repositories.commit("app", "other.txt", "\n");
  static_cast<void>(b.build(yaml));
  CHECK(b.said("dependencies reused"));
  CHECK(has(b, ".upaas/venv"));
  b.repositories.commit("app", "requirements.txt", "# nothing\n");
  const Built built = b.build(yaml);
  CHECK_FALSE(b.said("cloned again"));
  CHECK_FALSE(has(b, ".upaas"));
  CHECK(setting(built, "venv").empty());
}

TEST_CASE("An update that fails is a clone in the same build, and the build says why") {
  Cloned b;
  const std::string yaml = b.yaml(
      "test ! -e broken && " + std::string(kUpdate),
      "actions: {setup: {after: 'echo ${UPAAS_FRESH_PACKAGE:-no} > fresh; touch broken'}}\n");
  static_cast<void>(b.build(yaml));
  b.repositories.commit("app", "app.py", "application = 2\n");
  static_cast<void>(b.build(yaml));
  CHECK(b.said("cloned again: repository.update: `test ! -e broken"));
  CHECK(b.built("app.py") == "application = 2\n");
  CHECK(b.built("fresh") == "true\n");
}

TEST_CASE("A tree that other actions or another environment filled is not updated") {
  Cloned b;
  const std::string first = "env: {A: '1'}\nactions: {setup: {after: 'echo x >> made.txt'}}\n";
  static_cast<void>(b.build(b.yaml(kUpdate, first)));
  static_cast<void>(b.build(b.yaml(kUpdate, "env: {A: '1'}\n")));
  CHECK(b.said("cloned again: not the same as last time: actions.setup.after"));
  CHECK_FALSE(has(b, "made.txt"));
  static_cast<void>(b.build(b.yaml(kUpdate, "env: {A: '2'}\n")));
  CHECK(b.said("cloned again: not the same as last time: env"));
}

TEST_CASE("What a killed build left in the cache is cleaned away by the next") {
  Cloned b;
  const fs::path cache = b.options.cache / "hello";
  put(cache / "new-aBcDeF/deps/large", "x");
  put(cache / "tree/left", "x");
  put(cache / ".result.json.new-abcdefghij", "x");
  static_cast<void>(b.build(b.yaml("")));
  CHECK_FALSE(fs::exists(cache / "new-aBcDeF"));
  CHECK_FALSE(fs::exists(cache / ".result.json.new-abcdefghij"));
  CHECK_FALSE(fs::exists(cache / "tree/left"));
}

TEST_CASE("The tree is kept also when builds lie on another file system than the cache") {
  Cloned b;
  const TempDir other("/dev/shm");
  struct stat here {};
  struct stat there {};
  REQUIRE(::stat(b.dir.path().c_str(), &here) == 0);
  REQUIRE(::stat(other.path().c_str(), &there) == 0);
  REQUIRE(here.st_dev != there.st_dev);
  b.options.work = other.path() / "work";
  const std::string yaml =
      b.yaml(kUpdate, "actions: {setup: {after: 'echo ${UPAAS_FRESH_PACKAGE:-no} > fresh'}}\n");
  static_cast<void>(b.build(yaml));
  CHECK(b.built("fresh") == "true\n");
  b.repositories.commit("app", "app.py", "application = 2\n");
  static_cast<void>(b.build(yaml));
  CHECK(b.built("app.py") == "application = 2\n");
  CHECK(b.built("fresh") == "no\n");
  CHECK(b.build(yaml).reused);
}
