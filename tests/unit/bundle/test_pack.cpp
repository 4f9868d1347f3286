#include "base/digest.h"
#include "base/json.h"
#include "support.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>

using namespace upaas;
using namespace upaas::bundle;
using namespace upaas::bundle::test;

namespace {

struct Packs {
  TempDir dir;
  fs::path tree = dir.path() / "tree";
  fs::path file = dir.path() / "b.tar.gz";
  Packs() { plant(tree); }
  Packed pack() { return bundle::pack(tree, spec(), runtime(), file); }
};

}  // namespace

TEST_CASE("The same tree gives the same bytes, whatever its times, owner and umask are") {
  Packs one;
  const Packed first = one.pack();
  CHECK(first.id.str() == sha256_file(one.file));
  CHECK(first.bytes == fs::file_size(one.file));

  Packs two;
  put(two.tree / "app.py", "def application(env, start):\n    pass\n", 0600);
  put(two.tree / "bin/run me.sh", "#!/bin/sh\n", 0700);
  fs::last_write_time(two.tree / "empty.txt", fs::file_time_type::clock::now());
  CHECK(two.pack().id == first.id);
  CHECK(read_file(one.file) == read_file(two.file));
}

TEST_CASE("Other tools read a bundle") {
  Packs p;
  const Packed packed = p.pack();
  const std::string file = p.file.string();
  CHECK(sh("gzip -t " + file).ok());
  const Outcome listed = sh("LC_ALL=C.UTF-8 tar tzf " + file);
  REQUIRE(listed.ok());
  CHECK(listed.stdout_only.starts_with(".upaas/manifest.json\n.upaas/\n.upaas/venv/\n"));
  CHECK(std::count(listed.stdout_only.begin(), listed.stdout_only.end(), '\n') ==
        static_cast<std::ptrdiff_t>(packed.entries));
  const Outcome python =
      sh("/usr/bin/python3 -c 'import tarfile,sys\nfor m in tarfile.open(sys.argv[1]):\n"
         " assert (m.uid, m.gid, m.mtime, m.uname, m.gname) == (0, 0, 0, \"\", \"\"), m\n"
         " print(oct(m.mode), m.name)' " +
         file);
  INFO(python.output);
  REQUIRE(python.ok());
  CHECK(python.output.find("0o755 bin/run me.sh") != std::string::npos);
  CHECK(python.output.find("\xC3\xBCml\xC3\xA4ut") != std::string::npos);
  // Byte 4 to 7 of a gzip header are a timestamp.
  CHECK(read_file(p.file).substr(4, 4) == std::string(4, '\0'));
}

TEST_CASE("What was packed comes out again, also in the C locale") {
  REQUIRE(std::string(std::setlocale(LC_ALL, nullptr)) == "C");
  Packs p;
  static_cast<void>(p.pack());
  const fs::path out = p.dir.path() / "out";
  const Manifest manifest = unpack(p.file, out, {.stamp = kStamp}).manifest;
  CHECK(manifest.runtime.version == "3.11");
  CHECK(dump_json(model::to_json(manifest.spec)) == dump_json(model::to_json(spec())));
  const Outcome same = sh("diff -r --no-dereference " + p.tree.string() + " " + out.string());
  INFO(same.output);
  CHECK(same.ok());
  CHECK_FALSE(fs::exists(out / ".upaas/manifest.json"));
  struct stat info {};
  REQUIRE(::lstat((out / "bin/run me.sh").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0755);
  CHECK(info.st_mtime == 1'700'000'000);
  for (const char* name : {"", "a-directory", "link.py", "bin"}) {
    REQUIRE(::lstat((out / name).c_str(), &info) == 0);
    CHECK(info.st_mtime == 1'700'000'000);
  }
  CHECK(error_of([&] { unpack(p.file, out, {.stamp = kStamp}); }).kind() == ErrorKind::conflict);
}

TEST_CASE("The manifest tells spec, runtime and every entry") {
  Packs p;
  static_cast<void>(p.pack());
  const Manifest manifest = read_manifest(p.file);
  CHECK(verify(p.file).entries.size() == manifest.entries.size());
  const auto at = std::find_if(manifest.entries.begin(), manifest.entries.end(),
                               [](const Entry& e) { return e.path.str() == "app.py"; });
  REQUIRE(at != manifest.entries.end());
  CHECK(at->sha256 == sha256_file(p.tree / "app.py"));
  const Json json = to_json(manifest);
  CHECK(json["schema"] == "upaas.bundle/v1");
  CHECK(dump_json(to_json(manifest_from_json(json))) == dump_json(json));
}

TEST_CASE("Version control directories do not get into a bundle") {
  Packs p;
  const Packed before = p.pack();
  put(p.tree / ".git/HEAD", "ref");
  put(p.tree / "bin/.svn/entries", "x");
  CHECK(p.pack().id == before.id);
}

TEST_CASE("What no bundle may hold is refused by name, and no file is left") {
  Packs p;
  std::string expected;
  SECTION("a fifo") {
    REQUIRE(::mkfifo((p.tree / "pipe").c_str(), 0600) == 0);
    expected = "'pipe'";
  }
  SECTION("a link out of the tree") {
    fs::create_symlink("/etc/shadow", p.tree / "bin/evil");
    expected = "'bin/evil'";
  }
  SECTION("a name with a newline") {
    put(p.tree / "new\nline", "");
    expected = "'new?line'";
  }
  SECTION("a name that is not UTF-8") {
    put(p.tree / "\xFFname", "");
    expected = "not UTF-8";
  }
  SECTION("a file of the user in .upaas") {
    put(p.tree / ".upaas/manifest.json", "{}");
    expected = ".upaas/manifest.json";
  }
  SECTION("content that only a decompression bomb has") {
    fs::resize_file(p.tree / "empty.txt", 64 << 20);
    expected = "1/200";
  }
  const Error e = error_of([&] { static_cast<void>(p.pack()); });
  INFO(e.message());
  CHECK(e.kind() == ErrorKind::invalid);
  CHECK(e.message().find(expected) != std::string::npos);
  CHECK(sh("ls -A " + p.dir.path().string()).output == "tree\n");
}

TEST_CASE("A missing tree and a missing bundle are not found") {
  TempDir dir;
  const fs::path gone = dir.path() / "gone";
  CHECK(error_of([&] {
          static_cast<void>(pack(gone, spec(), runtime(), dir.path() / "b"));
        }).kind() == ErrorKind::not_found);
  CHECK(error_of([&] { verify(gone); }).kind() == ErrorKind::not_found);
}
