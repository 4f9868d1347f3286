// The rules of store.h on SQLite: one connection writes, one reads, the watches have their own.

#include "base/error.h"
#include "base/files.h"
#include "base/guarded.h"
#include "store/leases.h"
#include "store/rules.h"
#include "store/sqlite.h"
#include "store/sqlite_file.h"
#include "store/store.h"
#include "store/watch_hub.h"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace upaas::store {
namespace {

using sqlite::Blob;
using sqlite::Database;
using sqlite::Rows;
using sqlite::Statement;
using sqlite::Transaction;

constexpr const char* kGet = "SELECT key, value, created, modified, lease FROM keys WHERE key = ?1";
constexpr const char* kList =
    "SELECT key, value, created, modified, lease FROM keys WHERE key >= ?1 AND key < ?2 ORDER BY "
    "key";

KeyValue key_value(const Rows& rows) {
  return {rows.text(0), rows.text(1), rows.integer(2), rows.integer(3), rows.integer(4)};
}

/// Reads without waiting for a writer's sync.
struct Reader {
  explicit Reader(const std::filesystem::path& file)
      : database(open_store_file(file)),
        get(database.prepare(kGet)),
        list(database.prepare(kList)),
        revision(database.prepare("SELECT revision FROM state")) {}

  Database database;
  Statement get;
  Statement list;
  Statement revision;
};

struct Writer {
  Writer(const std::filesystem::path& file, std::int64_t kept_changes)
      : database(open_store_file(file)),
        get(database.prepare(kGet)),
        put(database.prepare(
            "INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO UPDATE SET "
            "value = excluded.value, modified = excluded.modified, lease = excluded.lease")),
        remove(database.prepare("DELETE FROM keys WHERE key = ?1")),
        keys_of_prefix(
            database.prepare("SELECT key FROM keys WHERE key >= ?1 AND key < ?2 ORDER BY key")),
        keys_of_lease(
            database.prepare("SELECT key FROM keys WHERE lease = ?1 AND lease != 0 ORDER BY key")),
        add_lease(database.prepare("INSERT INTO leases (seconds) VALUES (?1)")),
        has_lease(database.prepare("SELECT 1 FROM leases WHERE id = ?1")),
        remove_lease(database.prepare("DELETE FROM leases WHERE id = ?1")),
        revision(database.prepare("SELECT revision FROM state")),
        set_revision(database.prepare("UPDATE state SET revision = ?1")),
        add_change(database.prepare("INSERT INTO changes (revision, key, value, created, lease) "
                                    "VALUES (?1, ?2, ?3, ?4, ?5)")),
        oldest_kept(database.prepare("SELECT revision FROM changes WHERE id = ?1")),
        trim(database.prepare("DELETE FROM changes WHERE revision < ?1")),
        set_trimmed(database.prepare("UPDATE state SET trimmed = ?1")),
        history(std::max<std::int64_t>(kept_changes, 1)) {}

  Database database;
  Statement get;
  Statement put;
  Statement remove;
  Statement keys_of_prefix;
  Statement keys_of_lease;
  Statement add_lease;
  Statement has_lease;
  Statement remove_lease;
  Statement revision;
  Statement set_revision;
  Statement add_change;
  Statement oldest_kept;
  Statement trim;
  Statement set_trimmed;
  std::int64_t history;
};

/// One writing transaction. All its changes have one new revision; without changes there is none.
class Writing {
 public:
  explicit Writing(Writer& writer)
      : writer_(writer), transaction_(writer.database, Transaction::Kind::write) {
    Rows rows = writer_.revision.query();
    rows.next();
    before_ = rows.integer(0);
  }

  [[nodiscard]] std::optional<KeyValue> get(std::string_view key) {
    Rows rows = writer_.get.query({key});
    if (!rows.next()) return std::nullopt;
    return key_value(rows);
  }

  [[nodiscard]] bool holds(const Compare& compare);
  std::optional<KeyValue> apply(const Operation& operation);

  LeaseId add_lease(std::chrono::seconds ttl) {
    writer_.add_lease.run({std::int64_t{ttl.count()}});
    return writer_.database.last_id();
  }

  void remove_lease(LeaseId lease) {
    for (const std::string& key : keys(writer_.keys_of_lease, {lease})) remove(key);
    writer_.remove_lease.run({lease});
  }

  Revision commit() {
    if (changed_) {
      writer_.set_revision.run({now()});
      trim();
    }
    transaction_.commit();
    return changed_ ? now() : before_;
  }

  [[nodiscard]] bool changed() const { return changed_; }

 private:
  [[nodiscard]] Revision now() const { return before_ + 1; }

  static std::vector<std::string> keys(Statement& statement,
                                       std::initializer_list<sqlite::Value> values) {
    std::vector<std::string> found;
    Rows rows = statement.query(values);
    while (rows.next()) found.push_back(rows.text(0));
    return found;
  }

  void put(const Operation& operation);
  void remove(const std::string& key);
  void check_lease(LeaseId lease);
  void trim();

  Writer& writer_;
  Transaction transaction_;
  Revision before_ = 0;
  bool changed_ = false;
};

bool satisfies(std::strong_ordering order, Compare::Is is) {
  switch (is) {
    case Compare::Is::equal:
      return order == 0;
    case Compare::Is::not_equal:
      return order != 0;
    case Compare::Is::less:
      return order < 0;
    case Compare::Is::greater:
      return order > 0;
  }
  return false;
}

bool Writing::holds(const Compare& compare) {
  const std::optional<KeyValue> found = get(compare.key);
  if (compare.target == Compare::Target::value) {
    return found && satisfies(found->value <=> compare.text, compare.is);
  }
  const Revision there = !found                                       ? 0
                         : compare.target == Compare::Target::created ? found->created
                                                                      : found->modified;
  return satisfies(there <=> compare.number, compare.is);
}

std::optional<KeyValue> Writing::apply(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::put:
      put(operation);
      break;
    case Operation::Kind::remove:
      remove(operation.key);
      break;
    case Operation::Kind::remove_prefix: {
      const std::string end = prefix_end(operation.key);
      for (const std::string& key : keys(writer_.keys_of_prefix, {operation.key, end})) remove(key);
      break;
    }
    case Operation::Kind::get:
      return get(operation.key);
  }
  return std::nullopt;
}

void Writing::put(const Operation& operation) {
  check_lease(operation.lease);
  const std::optional<KeyValue> old = get(operation.key);
  const Revision created = old ? old->created : now();
  const Blob value(operation.value);
  writer_.put.run({operation.key, value, created, now(), operation.lease});
  writer_.add_change.run({now(), operation.key, value, created, operation.lease});
  changed_ = true;
}

void Writing::remove(const std::string& key) {
  writer_.remove.run({key});
  if (writer_.database.touched() == 0) return;
  writer_.add_change.run({now(), key, nullptr, std::int64_t{0}, std::int64_t{0}});
  changed_ = true;
}

void Writing::check_lease(LeaseId lease) {
  if (lease == 0) return;
  Rows rows = writer_.has_lease.query({lease});
  if (!rows.next()) {
    throw Error(ErrorKind::not_found, "lease " + std::to_string(lease) + " is gone",
                "its time ran out or it was revoked: take a new one");
  }
}

// Whole revisions only, and never the newest one: a watch gets all of a revision or is told that it
// is gone.
void Writing::trim() {
  const std::int64_t newest = writer_.database.last_id();
  Revision kept = 0;
  {
    Rows rows = writer_.oldest_kept.query({newest - writer_.history + 1});
    if (!rows.next()) return;
    kept = rows.integer(0);
  }
  writer_.trim.run({kept});
  if (writer_.database.touched() > 0) writer_.set_trimmed.run({kept - 1});
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::filesystem::path file, SqliteOptions options)
      : lock_(claim_store_file(file)),
        writer_(Writer(file, options.history)),
        reader_(Reader(file)),
        watches_(file),
        leases_([this](LeaseId lease) { drop(lease); }) {
    arm_all();
  }

  std::optional<KeyValue> get(std::string_view key) override {
    check_key(key);
    auto reader = reader_.lock();
    Rows rows = reader->get.query({key});
    if (!rows.next()) return std::nullopt;
    return key_value(rows);
  }

  Listing list(std::string_view prefix) override;
  TxnResult txn(const std::vector<Compare>& compares, const std::vector<Operation>& then,
                const std::vector<Operation>& otherwise) override;

  LeaseId lease_grant(std::chrono::seconds wanted) override {
    const std::chrono::seconds ttl = checked_ttl(wanted);
    auto writer = writer_.lock();
    Writing writing(*writer);
    const LeaseId lease = writing.add_lease(ttl);
    writing.commit();
    leases_.arm(lease, ttl);
    return lease;
  }

  std::chrono::seconds lease_keepalive(LeaseId lease) override { return leases_.renew(lease); }

  void lease_revoke(LeaseId lease) override {
    drop(lease);
    leases_.forget(lease);
  }

  std::unique_ptr<Watch> watch(std::string prefix, Revision from,
                               std::function<void(const WatchEvent&)> callback) override {
    check_prefix(prefix);
    return watches_.add(std::move(prefix), from, std::move(callback));
  }

 private:
  void drop(LeaseId lease) {
    bool changed = false;
    {
      auto writer = writer_.lock();
      Writing writing(*writer);
      writing.remove_lease(lease);
      writing.commit();
      changed = writing.changed();
    }
    if (changed) watches_.wake();
  }

  void arm_all() {
    auto reader = reader_.lock();
    Statement statement = reader->database.prepare("SELECT id, seconds FROM leases");
    Rows rows = statement.query();
    while (rows.next()) leases_.arm(rows.integer(0), std::chrono::seconds(rows.integer(1)));
  }

  FileLock lock_;
  Guarded<Writer> writer_;
  Guarded<Reader> reader_;
  WatchHub watches_;
  LeaseClock leases_;  // last: its thread uses the others
};

Listing SqliteStore::list(std::string_view prefix) {
  check_prefix(prefix);
  const std::string end = prefix_end(prefix);
  auto reader = reader_.lock();
  const Transaction snapshot(reader->database, Transaction::Kind::read);
  Listing listing;
  {
    Rows rows = reader->revision.query();
    rows.next();
    listing.revision = rows.integer(0);
  }
  Rows rows = reader->list.query({prefix, end});
  while (rows.next()) listing.items.push_back(key_value(rows));
  return listing;
}

TxnResult SqliteStore::txn(const std::vector<Compare>& compares, const std::vector<Operation>& then,
                           const std::vector<Operation>& otherwise) {
  check_txn(compares, then, otherwise);
  TxnResult result;
  bool changed = false;
  {
    auto writer = writer_.lock();
    Writing writing(*writer);
    result.succeeded = std::ranges::all_of(
        compares, [&](const Compare& compare) { return writing.holds(compare); });
    for (const Operation& operation : result.succeeded ? then : otherwise) {
      result.results.push_back(writing.apply(operation));
    }
    result.revision = writing.commit();
    changed = writing.changed();
  }
  if (changed) watches_.wake();
  return result;
}

}  // namespace

std::unique_ptr<Store> open_sqlite(const std::filesystem::path& file, SqliteOptions options) {
  return std::make_unique<SqliteStore>(file, options);
}

}  // namespace upaas::store
