#include "store/sqlite_file.h"

#include "base/error.h"
#include "store/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>

namespace upaas::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplicationId = 0x75706173;  // "upas"
constexpr std::int64_t kVersion = 1;

// etcd starts at revision 1, too.
constexpr const char* kSchema = R"(
CREATE TABLE state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  revision INTEGER NOT NULL,
  trimmed INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (1, 1, 0);
CREATE TABLE keys (
  key TEXT PRIMARY KEY,
  value BLOB NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  lease INTEGER NOT NULL
) STRICT;
CREATE INDEX keys_of_lease ON keys (lease) WHERE lease != 0;
CREATE TABLE changes (
  id INTEGER PRIMARY KEY,
  revision INTEGER NOT NULL,
  key TEXT NOT NULL,
  value BLOB,
  created INTEGER NOT NULL,
  lease INTEGER NOT NULL
) STRICT;
CREATE INDEX changes_by_revision ON changes (revision);
CREATE TABLE leases (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  seconds INTEGER NOT NULL
) STRICT;
)";

fs::path beside(const fs::path& file, const char* suffix) {
  fs::path other = file;
  other += suffix;
  return other;
}

UniqueFd open_or_throw(const fs::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (!fd.valid()) throw system_error("cannot open " + path.string());
  return fd;
}

FileLock lock(const fs::path& file) {
  const fs::path path = beside(file, ".lock");
  std::optional<FileLock> held = FileLock::attempt(path);
  if (!held) {
    const auto pid = sqlite_user(file);
    throw Error(
        ErrorKind::conflict,
        file.string() + " is in use by " +
            (pid ? "process " + std::to_string(*pid) : "another process"),
        "only one upaasd can use a data directory: stop the other one, or choose another `data`");
  }
  // Into the locked file itself: a renamed one would not be the locked one.
  const UniqueFd fd = open_or_throw(path, O_WRONLY | O_TRUNC);
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::write(fd.get(), text.data(), text.size()) < 0)
    throw system_error("cannot write " + path.string());
  return std::move(*held);
}

void make(const fs::path& file) {
  if (fs::exists(beside(file, "-wal")))
    throw sqlite::damaged(file, "it is missing, but its journal is there");
  const fs::path fresh = beside(file, ".new");
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(beside(fresh, suffix));
  open_or_throw(fresh, O_WRONLY | O_CREAT | O_EXCL);
  {
    sqlite::Database database(fresh);
    database.execute("PRAGMA application_id = " + std::to_string(kApplicationId) +
                     "; PRAGMA user_version = " + std::to_string(kVersion) + ";");
    sqlite::Transaction transaction(database, sqlite::Transaction::Kind::write);
    database.execute(kSchema);
    transaction.commit();
  }
  if (::fsync(open_or_throw(fresh, O_RDWR).get()) != 0)
    throw system_error("cannot sync " + fresh.string());
  fs::rename(fresh, file);
  sync_directory(fs::absolute(file).parent_path());
}

void check(const fs::path& file) {
  sqlite::Database database(file);
  const std::int64_t id = database.number("PRAGMA application_id");
  if (id != kApplicationId)
    throw sqlite::damaged(file, "it is empty or belongs to another program");
  const std::int64_t version = database.number("PRAGMA user_version");
  if (version != kVersion) {
    throw Error(ErrorKind::config,
                file.string() + " has format " + std::to_string(version) + ", this upaas knows " +
                    std::to_string(kVersion),
                "run the upaas that wrote it, or a newer one");
  }
  sqlite::Statement statement = database.prepare("PRAGMA quick_check(1)");
  sqlite::Rows rows = statement.query();
  const std::string answer = rows.next() ? rows.text(0) : "no answer";
  if (answer != "ok") throw sqlite::damaged(file, answer);
}

}  // namespace

std::optional<pid_t> sqlite_user(const fs::path& file) {
  const std::string text = read_file_if_any(beside(file, ".lock"), 64).value_or("");
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid > 0 ? std::optional(pid) : std::nullopt;
}

FileLock claim_store_file(const fs::path& file) {
  FileLock held = lock(file);
  try {
    if (!fs::exists(file)) make(file);
  } catch (const fs::filesystem_error& error) {
    throw system_error("cannot make " + file.string(), error.code().value());
  }
  check(file);
  return held;
}

sqlite::Database open_store_file(const fs::path& file) {
  sqlite::Database database(file);
  // The journal shrinks to 64 MiB after a burst.
  database.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = "
      "67108864;");
  return database;
}

}  // namespace upaas::store
