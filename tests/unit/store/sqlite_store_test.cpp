// The contract, and what only the SQLite store promises: its file.

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "store/store.h"
#include "tests/unit/store/contract.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace upaas::store {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::int64_t kHistory = 200;

StoreUnderTest sqlite_in(const TempDir& directory) {
  return {
      .open = [&] { return open_sqlite(directory.path() / "store.db", {.history = kHistory}); },
      .compact =
          [](Store& store) {
            for (int i = 0; i < kHistory / 100; ++i) {
              std::vector<Operation> operations;
              for (int k = 0; k < 100; ++k)
                operations.push_back(Operation::put("fill/" + std::to_string(k), ""));
              store.txn({}, operations);
            }
          },
  };
}

Error error_of_opening(const fs::path& file) {
  try {
    const auto store = open_sqlite(file);
  } catch (const Error& error) {
    return error;
  }
  FAIL("opened " + file.string());
  return Error(ErrorKind::internal, "");
}

void expect_damaged(const fs::path& file) {
  const Error error = error_of_opening(file);
  INFO(error.message());
  CHECK(error.kind() == ErrorKind::config);
  CHECK(error.message().find(file.string()) != std::string::npos);
  CHECK(error.hint().find("snapshot") != std::string::npos);
}

void overwrite(const fs::path& file, std::size_t offset, const std::string& bytes) {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
          static_cast<ssize_t>(bytes.size()));
}

// Never returns. Tells the last acknowledged number through the pipe.
[[noreturn]] void write_until_killed(const fs::path& file, int pipe) {
  try {
    const auto store = open_sqlite(file);
    const auto before = store->get("n");
    for (int n = before ? std::stoi(before->value) + 1 : 1;; ++n) {
      const std::string text = std::to_string(n);
      store->txn({}, {Operation::put("n", text), Operation::put("copy", text),
                      Operation::put("each/" + text, text)});
      if (::write(pipe, &n, sizeof n) != sizeof n) break;
    }
  } catch (...) {
  }
  ::_exit(1);
}

// The last number that was acknowledged before the kill.
int kill_in_the_middle(const fs::path& file, int after) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd from(ends[0]);
  UniqueFd into(ends[1]);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) write_until_killed(file, into.get());
  into.reset();
  int last = 0;
  for (int count = 0;; ++count) {
    pollfd ready{from.get(), POLLIN, 0};
    const bool came =
        ::poll(&ready, 1, 20'000) == 1 && ::read(from.get(), &last, sizeof last) == sizeof last;
    if (!came) break;
    if (count == after) ::kill(child, SIGKILL);
  }
  ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  return last;
}

}  // namespace

TEST_CASE("the SQLite store keeps keys by the contract") {
  const TempDir directory;
  contract_keys(sqlite_in(directory));
}
TEST_CASE("the SQLite store does transactions by the contract") {
  const TempDir directory;
  contract_transactions(sqlite_in(directory));
}
TEST_CASE("the SQLite store has the limits of the contract") {
  const TempDir directory;
  contract_limits(sqlite_in(directory));
}
TEST_CASE("the SQLite store keeps the contract under concurrency") {
  const TempDir directory;
  contract_concurrency(sqlite_in(directory));
}
TEST_CASE("the SQLite store has leases by the contract") {
  const TempDir directory;
  contract_leases(sqlite_in(directory));
}
TEST_CASE("the SQLite store has watches by the contract") {
  const TempDir directory;
  contract_watches(sqlite_in(directory));
}

TEST_CASE("a reopened SQLite store has everything: keys, revisions, changes, leases") {
  const TempDir directory;
  const fs::path file = directory.path() / "store.db";
  LeaseId lease = 0;
  Listing before;
  {
    const auto store = open_sqlite(file);
    put(*store, "a", "1");
    put(*store, "a", "2");
    lease = store->lease_grant(60s);
    store->txn({}, {Operation::put("b", "1", lease)});
    before = store->list("");
  }
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const auto store = open_sqlite(file);
  const Listing after = store->list("");
  CHECK(after.revision == before.revision);
  REQUIRE(after.items.size() == 2);
  CHECK(after.items[0].value == "2");
  CHECK(after.items[0].created == before.items[0].created);
  CHECK(after.items[0].modified == before.items[0].modified);
  CHECK(after.items[1].lease == lease);
  Recorder recorder;
  const auto watch = store->watch("", 1, recorder.callback());
  REQUIRE(recorder.wait_for(3));
  CHECK(store->lease_keepalive(lease) == 60s);
  CHECK(store->lease_grant(60s) != lease);
}

TEST_CASE("a lease of a reopened SQLite store still runs out, after its whole time") {
  const TempDir directory;
  const fs::path file = directory.path() / "store.db";
  {
    const auto store = open_sqlite(file);
    store->txn({}, {Operation::put("a", "1", store->lease_grant(2s))});
  }
  const auto opened = Steady::now();
  const auto store = open_sqlite(file);
  CHECK(wait_until([&] { return !store->get("a"); }, 20s));
  CHECK(Steady::now() - opened >= 2s);
}

TEST_CASE("a watch may outlive the SQLite store") {
  const TempDir directory;
  auto store = open_sqlite(directory.path() / "store.db");
  auto watch = store->watch("", 1, [](const WatchEvent&) {});
  store.reset();
  watch.reset();
}

TEST_CASE("the change log of the SQLite store is trimmed by whole revisions") {
  const TempDir directory;
  const auto store = open_sqlite(directory.path() / "store.db", {.history = 5});
  for (int i = 0; i < 10; ++i) put(*store, "a", std::to_string(i));
  Recorder newest_five;
  const Revision newest = store->list("").revision;
  const auto watch = store->watch("", newest - 4, newest_five.callback());
  REQUIRE(newest_five.wait_for(5));
  CHECK(describe(newest_five.events()[0]) == std::vector<std::string>{"put a=5"});
  Recorder too_old;
  const auto late = store->watch("", newest - 5, too_old.callback());
  REQUIRE(too_old.wait_for(1));
  CHECK(too_old.events()[0].compacted);
  CHECK(too_old.events()[0].revision == newest - 4);

  std::vector<Operation> many;
  for (int i = 0; i < 20; ++i) many.push_back(Operation::put("many/" + std::to_string(i), ""));
  const Revision large = store->txn({}, many).revision;
  Recorder whole;
  const auto all = store->watch("", large, whole.callback());
  REQUIRE(whole.wait_for(1));
  CHECK(whole.events()[0].changes.size() == 20);
}

TEST_CASE("kill -9 of a writer loses nothing that the SQLite store acknowledged") {
  const TempDir directory;
  const fs::path file = directory.path() / "store.db";
  for (const int after : {30, 100, 271}) {
    const int acknowledged = kill_in_the_middle(file, after);
    REQUIRE(acknowledged > after);
    const auto store = open_sqlite(file);
    const int found = std::stoi(store->get("n")->value);
    CHECK(found >= acknowledged);
    CHECK(found <= acknowledged + 1);
    CHECK(store->get("copy")->value == std::to_string(found));
    CHECK(store->list("each/").items.size() == static_cast<std::size_t>(found));
    CHECK(store->list("").revision == found + 1);
  }
}

TEST_CASE("a second open of the SQLite store is refused and names the holder") {
  const TempDir directory;
  const fs::path file = directory.path() / "store.db";
  auto store = open_sqlite(file);
  const Error error = error_of_opening(file);
  CHECK(error.kind() == ErrorKind::conflict);
  CHECK(error.message().find("process " + std::to_string(::getpid())) != std::string::npos);
  put(*store, "a", "1");
  store.reset();
  CHECK(open_sqlite(file)->get("a"));
}

TEST_CASE("a damaged SQLite store is refused with the way out") {
  const TempDir directory;
  const fs::path file = directory.path() / "store.db";
  {
    const auto store = open_sqlite(file);
    std::vector<Operation> operations;
    for (int i = 0; i < 100; ++i) {
      operations.push_back(Operation::put("key/" + std::to_string(i), std::string(1000, 'x')));
    }
    store->txn({}, operations);
  }
  SECTION("no database at all") {
    write_file(file, "something else entirely, and long enough to read");
  }
  SECTION("empty") {
    fs::resize_file(file, 0);
  }
  SECTION("cut") {
    fs::resize_file(file, fs::file_size(file) / 2);
  }
  SECTION("a page of garbage in the middle") {
    overwrite(file, fs::file_size(file) / 2 / 4096 * 4096, std::string(4096, '\x5a'));
  }
  SECTION("lost, its journal left over") {
    fs::rename(file, directory.path() / "store.db-wal");
  }
  expect_damaged(file);
}

TEST_CASE("a full disk fails the write with a hint, keeps what was there, and passes") {
  const TempDir directory;
  if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=2m") != 0) {
    WARN("skipped: only root can mount a small file system");
    return;
  }
  const auto unmount = [](const fs::path* path) { ::umount2(path->c_str(), MNT_DETACH); };
  const std::unique_ptr<const fs::path, decltype(unmount)> mounted(&directory.path(), unmount);
  const fs::path ballast = directory.path() / "ballast";
  write_file(ballast, std::string(1'000'000, 'b'));
  const auto store = open_sqlite(directory.path() / "store.db");
  const std::string value(50'000, 'v');
  const auto key = [](int i) { return "k/" + std::to_string(1000 + i); };
  int written = 0;
  std::optional<Error> failure;
  while (!failure && written < 100) {
    try {
      put(*store, key(written), value);
      ++written;
    } catch (const Error& error) {
      failure = error;
    }
  }
  REQUIRE(failure);
  INFO(failure->message());
  CHECK(failure->kind() == ErrorKind::internal);
  CHECK(failure->message().find("No space left") != std::string::npos);
  CHECK_FALSE(failure->hint().empty());
  CHECK(store->list("k/").items.size() == static_cast<std::size_t>(written));
  fs::remove(ballast);
  put(*store, key(written), value);
  CHECK(store->get(key(written))->value == value);
}

TEST_CASE("a SQLite store of a newer format is refused") {
  const TempDir directory;
  const fs::path file = directory.path() / "store.db";
  { const auto store = open_sqlite(file); }
  overwrite(file, 60, std::string("\0\0\0\x09", 4));  // user_version: bytes 60 to 63 of the header
  const Error error = error_of_opening(file);
  CHECK(error.kind() == ErrorKind::config);
  CHECK(error.message().find("format 9") != std::string::npos);
}

}  // namespace upaas::store
