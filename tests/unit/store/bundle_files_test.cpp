#include "store/bundle_files.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

namespace upaas::store {
namespace {

namespace fs = std::filesystem;

std::size_t files_below(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::ranges::count_if(fs::recursive_directory_iterator(directory),
                            [](const auto& entry) { return entry.is_regular_file(); }));
}

template <typename Action>
Error error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL("there was no error");
  return Error(ErrorKind::internal, "");
}

}  // namespace

TEST_CASE("a received file is named by its digest and found again, by others too") {
  const TempDir directory;
  BundleFiles files(directory.path() / "bundles", {});
  CHECK(files.list().empty());
  auto incoming = files.receive();
  incoming.write("one ");
  incoming.write("two");
  const std::string digest = incoming.commit(sha256("one two"));
  CHECK(digest == sha256("one two"));
  CHECK(files.has(digest));
  CHECK(read_file(files.verified(digest)) == "one two");
  CHECK(files.list() == std::vector<std::string>{digest});
  BundleFiles others(directory.path() / "bundles", {});
  CHECK(others.has(digest));
  files.remove(digest);
  files.remove(digest);
  CHECK_FALSE(others.has(digest));
  CHECK(error_of([&] { (void)files.verified(digest); }).kind() == ErrorKind::not_found);
}

TEST_CASE("a local file is copied in, twice the same is one") {
  const TempDir directory;
  BundleFiles files(directory.path() / "bundles", {});
  const std::string bytes(1'000'000, 'x');
  write_file(directory.path() / "local", bytes);
  const std::string digest = files.add(directory.path() / "local");
  CHECK(digest == sha256(bytes));
  CHECK(files.add(directory.path() / "local") == digest);
  CHECK(files_below(directory.path() / "bundles") == 1);
  CHECK(read_file(files.verified(digest)) == bytes);
  CHECK_THROWS_AS(files.add(directory.path() / "missing"), Error);
  CHECK_THROWS_AS(files.add(directory.path()), Error);
}

TEST_CASE("a tampered file is found, set aside, and can be received again") {
  const TempDir directory;
  BundleFiles files(directory.path(), {});
  auto incoming = files.receive();
  incoming.write("good bytes");
  const std::string digest = incoming.commit();
  const fs::path path = files.verified(digest);
  write_file(path, "evil bytes");
  const Error error = error_of([&] { (void)files.verified(digest); });
  CHECK(error.kind() == ErrorKind::invalid);
  CHECK(error.message().find(digest) != std::string::npos);
  CHECK_FALSE(files.has(digest));
  CHECK(files.list().empty());
  CHECK(read_file(path.parent_path() / (digest + ".damaged")) == "evil bytes");
  auto again = files.receive();
  again.write("good bytes");
  CHECK(again.commit() == digest);
  CHECK(read_file(files.verified(digest)) == "good bytes");
}

TEST_CASE("an upload without commit, of a wrong digest or too large leaves no trace") {
  const TempDir directory;
  BundleFiles files(directory.path(), {.size_limit = 10});
  SECTION("without commit") {
    auto incoming = files.receive();
    incoming.write("abc");
    auto moved = std::move(incoming);
    moved.write("def");
    CHECK(files_below(directory.path()) == 1);
  }
  SECTION("wrong digest") {
    auto incoming = files.receive();
    incoming.write("abc");
    CHECK(error_of([&] { incoming.commit(sha256("abd")); }).kind() == ErrorKind::invalid);
  }
  SECTION("too large") {
    auto incoming = files.receive();
    incoming.write("12345");
    incoming.write("67890");
    const Error error = error_of([&] { incoming.write("1"); });
    CHECK(error.kind() == ErrorKind::invalid);
    CHECK(error.message().find("10 bytes") != std::string::npos);
  }
  CHECK(files_below(directory.path()) == 0);
  CHECK(files.list().empty());
}

TEST_CASE("what a killed upload left is removed, a running one is not") {
  const TempDir directory;
  BundleFiles files(directory.path(), {});
  auto running = files.receive();
  running.write("runs");
  write_file(directory.path() / "incoming" / "left", "by a kill");
  BundleFiles others(directory.path(), {});
  CHECK_FALSE(fs::exists(directory.path() / "incoming" / "left"));
  CHECK(others.has(running.commit()));
}

TEST_CASE("what is no digest reaches no file") {
  const TempDir directory;
  BundleFiles files(directory.path(), {});
  for (const std::string& text :
       {std::string("../../etc/passwd"), std::string(), std::string(64, 'G'), std::string(63, 'a'),
        std::string(62, 'a') + "/.", std::string(64, 'A')}) {
    CHECK_FALSE(files.has(text));
    CHECK(error_of([&] { (void)files.verified(text); }).kind() == ErrorKind::invalid);
    CHECK(error_of([&] { files.remove(text); }).kind() == ErrorKind::invalid);
  }
}

}  // namespace upaas::store
