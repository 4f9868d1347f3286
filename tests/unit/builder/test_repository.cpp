#include "support.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <ctime>

using namespace upaas;
using namespace upaas::builder;
using namespace upaas::builder::test;

namespace {

void make_repository(const fs::path& directory) {
  fs::create_directories(directory);
  Command command;
  command.argv = {
      "/bin/sh", "-ec",
      "git init -q work && cd work && echo 'application = 1' > app.py && git add app.py && "
      "git -c user.name=t -c user.email=t@localhost commit -q -m one && cd .. && "
      "git clone -q --bare work app.git && rm -rf work"};
  command.cwd = directory;
  const Outcome outcome = run(command);
  INFO(outcome.output);
  REQUIRE(outcome.ok());
}

std::string app_yaml(int port, const std::string& name, const std::string& more = "") {
  return "interpreter: {type: python, settings: {module: app}}\n"
         "env: {APP: \"1\"}\n"
         "repository:\n"
         "  env: {TOKEN: t0ken}\n"
         "  clone:\n"
         "    - git clone -q git://127.0.0.1:" +
         std::to_string(port) + "/" + name +
         " %destination%\n    - echo \"$TOKEN-$APP\" > clone-env\n" + more +
         "actions: {setup: {main: ['echo \"$TOKEN-$APP\" > action-env']}}\n";
}

}  // namespace

TEST_CASE("A repository is cloned from a git daemon, and its history stays out of the bundle") {
  Builds b;
  make_repository(b.dir.path() / "git");
  const Server server("git", b.dir.path() / "git");
  const Built built = b.build(app_yaml(server.port(), "app.git"));
  CHECK(b.built("app.py") == "application = 1\n");
  CHECK(b.built("clone-env") == "t0ken-\n");
  CHECK(b.built("action-env") == "-1\n");
  for (const auto& entry : bundle::verify(b.output).entries) {
    CHECK_FALSE(entry.path.str().starts_with(".git"));
  }
  CHECK(b.build(app_yaml(server.port(), "app.git")).packed.id == built.packed.id);
}

TEST_CASE("A repository of this machine is not seen by a build, and the error says what to do") {
  Builds b;
  make_repository(b.dir.path() / "git");
  const Error e = b.failure("interpreter: {type: python}\nrepository: {clone: 'git clone file://" +
                            (b.dir.path() / "git/app.git").string() + " %destination%'}\n");
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.hint().find("over ssh or https") != std::string::npos);
}

TEST_CASE("A clone that fails is a failed build, with git's words") {
  Builds b;
  make_repository(b.dir.path() / "git");
  const Server server("git", b.dir.path() / "git");
  const Error e = b.failure(app_yaml(server.port(), "gone.git"));
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.message().find("repository.clone") != std::string::npos);
  CHECK_FALSE(e.output().empty());
  CHECK(b.left_nothing());
}

TEST_CASE(
    "A clone that leaves nothing in its place says so, and one with .upaas in it is refused") {
  Builds b;
  Error e = b.failure("processes: {web: x}\nrepository: {clone: \"true\"}");
  CHECK(e.kind() == ErrorKind::build_failed);
  CHECK(e.hint().find("%destination%") != std::string::npos);
  e = b.failure("processes: {web: x}\nrepository: {clone: \"mkdir %destination%/.upaas\"}");
  CHECK(e.kind() == ErrorKind::invalid);
  CHECK(b.left_nothing());
}

TEST_CASE("Every kind of repository says its revision, author, date and description") {
  struct Vcs {
    const char* name;
    const char* clone;  // makes a repository with one commit, and the tree from it
    const char* id;     // a regular expression
    const char* author;
    const char* description;  // svn's working copy does not have it
  };
  const std::vector<Vcs> all{
      {"git",
       "git init -q /tmp/r; cd /tmp/r; echo 'application = 1' >app.py; git add .; "
       "git -c user.name=Ann -c user.email=ann@example.org commit -qm 'a first word'; "
       "git clone -q /tmp/r %destination%",
       "[0-9a-f]{40}", "Ann <ann@example.org>", "a first word"},
      {"svn",
       "svnadmin create /tmp/r; svn checkout -q file:///tmp/r %destination%; cd %destination%; "
       "echo 'application = 1' >app.py; svn add -q app.py; "
       "svn commit -q --username Ann -m 'a first word'; svn update -q",
       "1", "Ann", ""},
      {"hg",
       "hg init /tmp/r; cd /tmp/r; echo 'application = 1' >app.py; hg add -q; "
       "hg commit -u 'Ann <ann@example.org>' -m 'a first word'; hg clone -q /tmp/r %destination%",
       "[0-9a-f]{40}", "Ann <ann@example.org>", "a first word"},
      {"bzr",
       "bzr init -q /tmp/r; cd /tmp/r; bzr whoami --branch 'Ann <ann@example.org>'; "
       "echo 'application = 1' >app.py; bzr add -q; bzr commit -qm 'a first word'; "
       "bzr branch -q --use-existing-dir /tmp/r %destination%",
       "ann@example.org-[0-9]{14}-[a-z0-9]{16}", "Ann <ann@example.org>", "a first word"}};
  for (const Vcs& vcs : all) {
    DYNAMIC_SECTION(vcs.name) {
      Builds b;
      const Built built = b.build(
          std::string("interpreter: {type: python}\nrepository: {clone: \"") + vcs.clone + "\"}");
      CHECK_THAT(built.revision.id, Catch::Matchers::Matches(vcs.id));
      CHECK(built.revision.author == vcs.author);
      CHECK(std::abs(std::stoll(built.revision.date) - std::time(nullptr)) < 600);
      CHECK(built.revision.description == vcs.description);
      for (const auto& entry : bundle::verify(b.output).entries) {
        INFO(entry.path.str());
        CHECK_FALSE(entry.path.str().starts_with("." + std::string(vcs.name)));
      }
    }
  }
}
