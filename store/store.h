/// What the platform knows, by etcd's rules: keys and values with one global revision, transactions
/// that compare before they write, leases, and watches that replay. Source of the rules: etcd v3
/// API.
///
/// Implementations: SQLite (open_sqlite); etcd comes with clusters. tests/unit/store/contract.h is
/// written once and run on every implementation.
///
/// Keys are text of printable ASCII, at most 512 bytes; values at most 1 MiB; at most 128
/// operations a transaction; a key may be put only once in one (etcd's limits, so that both behave
/// alike); it cannot be put and removed in one either. Breaking them is Error(invalid), a put with
/// a dead lease is Error(not_found), a damaged file is Error(config). All methods are thread-safe
/// and may block on the disk. Error(internal) means *unknown*: the write may have happened; read
/// again before deciding.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::store {

using Revision = std::int64_t;
/// Operations in one transaction, and compares.
inline constexpr std::size_t kOperationLimit = 128;
using LeaseId = std::int64_t;  // 0 = none

struct KeyValue {
  std::string key;
  std::string value;
  Revision created = 0;
  Revision modified = 0;
  LeaseId lease = 0;
};

struct Listing {
  std::vector<KeyValue> items;  // by key
  Revision revision = 0;        // of the snapshot they were read from
};

/// `created`/`modified` of a missing key is 0; comparing the value of a missing key is false.
struct Compare {
  enum class Target { created, modified, value };
  enum class Is { equal, not_equal, less, greater };
  std::string key;
  Target target = Target::modified;
  Is is = Is::equal;
  Revision number = 0;
  std::string text;

  static Compare absent(std::string key) {
    return {std::move(key), Target::created, Is::equal, 0, {}};
  }
  static Compare exists(std::string key) {
    return {std::move(key), Target::created, Is::greater, 0, {}};
  }
  static Compare unchanged(std::string key, Revision modified) {
    return {std::move(key), Target::modified, Is::equal, modified, {}};
  }
  static Compare value_is(std::string key, std::string text) {
    return {std::move(key), Target::value, Is::equal, 0, std::move(text)};
  }
};

struct Operation {
  enum class Kind { put, remove, remove_prefix, get };
  Kind kind = Kind::get;
  std::string key;
  std::string value;
  LeaseId lease = 0;

  static Operation put(std::string key, std::string value, LeaseId lease = 0) {
    return {Kind::put, std::move(key), std::move(value), lease};
  }
  static Operation remove(std::string key) { return {Kind::remove, std::move(key), {}, 0}; }
  static Operation remove_prefix(std::string prefix) {
    return {Kind::remove_prefix, std::move(prefix), {}, 0};
  }
  static Operation get(std::string key) { return {Kind::get, std::move(key), {}, 0}; }
};

struct TxnResult {
  bool succeeded = false;  // the compares held and `then` was done, else `otherwise`
  Revision revision = 0;
  std::vector<std::optional<KeyValue>> results;  // one an operation done; set for get only
};

struct Change {
  bool removed = false;
  KeyValue now;  // removed: key and modified only
};

/// What a watch delivers: a batch of one revision, or the news that the log no longer reaches back.
struct WatchEvent {
  bool compacted = false;  // list again, then watch from there; the last event of this watch
  Revision revision = 0;   // compacted: the oldest that can still be watched
  std::vector<Change> changes;
};

/// Ends the watch when destroyed; no callback runs after that.
class Watch {
 public:
  virtual ~Watch() = default;
};

class Store {
 public:
  virtual ~Store() = default;

  [[nodiscard]] virtual std::optional<KeyValue> get(std::string_view key) = 0;
  [[nodiscard]] virtual Listing list(std::string_view prefix) = 0;
  /// All of one branch or, when it throws, nothing. Its changes get one new revision; without
  /// changes there is none. A get sees the operations before it.
  virtual TxnResult txn(const std::vector<Compare>& compares, const std::vector<Operation>& then,
                        const std::vector<Operation>& otherwise = {}) = 0;

  /// At least 2 s (etcd's minimum; less is raised to it).
  virtual LeaseId lease_grant(std::chrono::seconds ttl) = 0;
  /// Seconds left after the renewal; 0 when the lease is gone.
  virtual std::chrono::seconds lease_keepalive(LeaseId lease) = 0;
  /// Removes the lease and every key put with it; one that is gone is fine.
  virtual void lease_revoke(LeaseId lease) = 0;

  /// Calls back on a thread of the store, in order of revision, at least once each, starting with
  /// the first change of a revision >= `from`. Callbacks must not call the store's watch().
  [[nodiscard]] virtual std::unique_ptr<Watch> watch(
      std::string prefix, Revision from, std::function<void(const WatchEvent&)> callback) = 0;
};

/// puts, without compares.
inline void put(Store& store, std::string key, std::string value) {
  store.txn({}, {Operation::put(std::move(key), std::move(value))});
}

struct SqliteOptions {
  /// Changes kept for watches.
  std::int64_t history = 10'000;
};
/// Makes the file (0600) when missing. WAL, synchronous FULL: what txn returned survives a power
/// cut. Leases are re-armed with their whole time when the file is opened. One process a file: a
/// second one is Error(conflict) that names the holder's pid.
[[nodiscard]] std::unique_ptr<Store> open_sqlite(const std::filesystem::path& file,
                                                 SqliteOptions options = {});
/// The process that opened the file last, whether it still has it or not.
[[nodiscard]] std::optional<pid_t> sqlite_user(const std::filesystem::path& file);

}  // namespace upaas::store
