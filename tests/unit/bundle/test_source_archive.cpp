#include "bundle/source_archive.h"
#include "support.h"

#include <catch2/catch.hpp>

using namespace upaas;
using namespace upaas::bundle;
using namespace upaas::bundle::test;

namespace {

struct Source {
  TempDir dir;
  fs::path tree = dir.path() / "source";
  fs::path file = dir.path() / "s.tar.gz";
  Source() {
    put(tree / "app.py", "print(1)\n");
    put(tree / "bin/tool", "#!/bin/sh\n", 0755);
    put(tree / ".gitignore", "*.log\nnode_modules/\n!keep.log\n");
    put(tree / ".upaasignore", "secret.txt\n!sub/secret.txt\n");
    put(tree / "x.log", "");
    put(tree / "keep.log", "");
    put(tree / "secret.txt", "");
    put(tree / "sub/secret.txt", "");
    put(tree / "sub/.gitignore", "!x.log\n");
    put(tree / "sub/x.log", "");
    put(tree / "node_modules/keep.log", "");
    put(tree / ".git/config", "");
    put(tree / ".upaas/data", "");
    fs::create_symlink("app.py", tree / "link");
  }
};

std::vector<fs::path> expected() {
  return {".gitignore", ".upaasignore",   "app.py",         "bin/tool", "keep.log",
          "link",       "sub/.gitignore", "sub/secret.txt", "sub/x.log"};
}

}  // namespace

TEST_CASE("Ignore files, version control and .upaas decide what a source is") {
  Source s;
  CHECK(source_files(s.tree) == expected());
}

TEST_CASE("A source archive brings the same files there, with the same bytes each time") {
  Source s;
  const Packed first = pack_source(s.tree, s.file);
  const std::string bytes = read_file(s.file);
  CHECK(pack_source(s.tree, s.file).id == first.id);
  CHECK(read_file(s.file) == bytes);
  const fs::path out = s.dir.path() / "out";
  unpack_source(s.file, out);
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    if (!entry.is_directory()) found.push_back(entry.path().lexically_relative(out));
  }
  std::sort(found.begin(), found.end());
  CHECK(found == expected());
  CHECK((fs::status(out / "bin/tool").permissions() & fs::perms::owner_exec) != fs::perms::none);
  CHECK(read_file(out / "app.py") == "print(1)\n");
}

TEST_CASE("git ignores the same files") {
  if (!sh("git --version").ok()) return;
  Source s;
  fs::remove(s.tree / ".upaasignore");
  fs::remove_all(s.tree / ".git");
  fs::remove_all(s.tree / ".upaas");
  put(s.tree / "build/out/x.txt", "");
  put(s.tree / "a/build/x.txt", "");
  put(s.tree / "doc/a/b/c.html", "");
  put(s.tree / "doc/x.html", "");
  put(s.tree / "t1.tmp", "");
  put(s.tree / "tx.tmp", "");
  put(s.tree / "sp ace ", "");
  put(s.tree / ".gitignore",
      "/build/\n*.log\n!keep.log\nnode_modules/\ndoc/**/c.html\nt[0-9].tmp\nsp\\ ace\\ \n");
  const Outcome listed = sh("cd " + s.tree.string() +
                            " && git init -q . && git -c core.quotePath=off -c core.excludesFile= "
                            "ls-files -co --exclude-per-directory=.gitignore | LC_ALL=C sort");
  REQUIRE(listed.ok());
  std::string ours;
  for (const fs::path& path : source_files(s.tree)) ours += path.string() + "\n";
  CHECK(ours == listed.stdout_only);
}

TEST_CASE("A source that cannot be packed says why") {
  Source s;
  CHECK(error_of([&] { static_cast<void>(pack_source(s.dir.path() / "gone", s.file)); }).kind() ==
        ErrorKind::not_found);
  CHECK(error_of([&] {
          static_cast<void>(pack_source(s.tree, s.file, {.limits = {.entries = 2}}));
        }).kind() == ErrorKind::invalid);
  CHECK(error_of([&] {
          static_cast<void>(pack_source(s.tree, s.file, {.limits = {.total_bytes = 5}}));
        }).kind() == ErrorKind::invalid);
  REQUIRE(::mkfifo((s.tree / "pipe").c_str(), 0600) == 0);
  const Error e = error_of([&] { static_cast<void>(pack_source(s.tree, s.file)); });
  CHECK(e.message().find("'pipe'") != std::string::npos);
  CHECK_FALSE(fs::exists(s.file));
}

TEST_CASE("A file that is too large is refused by its size, unread") {
  Source s;
  put(s.tree / "large", "");
  fs::resize_file(s.tree / "large", std::uintmax_t{1} << 40);
  const Error e = error_of([&] { static_cast<void>(source_files(s.tree)); });
  CHECK(e.kind() == ErrorKind::invalid);
  CHECK(e.message().find("'large': too large") != std::string::npos);
  CHECK(e.hint().find(".upaasignore") != std::string::npos);
  CHECK(error_of([&] { static_cast<void>(pack_source(s.tree, s.file)); }).message() == e.message());
}

TEST_CASE("A bundle is no source archive: .upaas is refused") {
  TempDir dir;
  plant(dir.path() / "tree");
  static_cast<void>(pack(dir.path() / "tree", spec(), runtime(), dir.path() / "b.tar.gz"));
  const Error e = error_of([&] { unpack_source(dir.path() / "b.tar.gz", dir.path() / "out"); });
  CHECK(e.message().find("belongs to upaas") != std::string::npos);
  CHECK_FALSE(fs::exists(dir.path() / "out"));
}

TEST_CASE("A source directory packed in place makes the bundle that its copy makes") {
  Source s;
  const fs::path copy = s.dir.path() / "copy";
  static_cast<void>(pack_source(s.tree, s.file));
  unpack_source(s.file, copy);
  const fs::path one = s.dir.path() / "one.tar.gz";
  const fs::path two = s.dir.path() / "two.tar.gz";
  CHECK(pack(s.tree, spec(), runtime(), one, {.entries = source_entries(s.tree)}).id ==
        pack(copy, spec(), runtime(), two).id);
}
