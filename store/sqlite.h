/// SQLite's C API as values that clean up after themselves. Private to store/.
///
/// A Database is one connection and belongs to one thread at a time: whoever shares one puts it
/// behind a lock. All functions throw:
///   Error(config)    the file is damaged or no database; names the file and says what to do
///   Error(internal)  everything else: disk full (with the hint to free space), I/O errors
#pragma once

#include "base/error.h"

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace upaas::store::sqlite {

/// Bytes, where a plain string_view is bound as text.
struct Blob {
  explicit Blob(std::string_view value) : bytes(value) {}
  std::string_view bytes;
};
/// nullptr is NULL.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view, Blob>;

/// The rows of one run of a statement; the destructor makes the statement ready for the next run.
class Rows {
 public:
  explicit Rows(sqlite3_stmt* statement) : statement_(statement) {}
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows();

  /// Goes to the next row (the first one at the first call); false at the end.
  bool next();
  [[nodiscard]] std::int64_t integer(int column) const;
  /// Text or bytes.
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] bool null(int column) const;

 private:
  sqlite3_stmt* statement_;
};

/// Compiled once, run many times. Values are bound in order to ?1, ?2, ...; they must live until
/// the rows are read.
class Statement {
 public:
  [[nodiscard]] Rows query(std::initializer_list<Value> values = {});
  void run(std::initializer_list<Value> values = {});

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  /// The file must be there; an empty one is an empty database.
  explicit Database(const std::filesystem::path& file);

  [[nodiscard]] Statement prepare(std::string_view sql);
  /// One or more statements without values; their rows are dropped.
  void execute(const std::string& sql);
  /// First column of the first row; 0 when there is none.
  [[nodiscard]] std::int64_t number(std::string_view sql);
  [[nodiscard]] std::int64_t last_id() const;
  /// Rows that the last INSERT, UPDATE or DELETE touched.
  [[nodiscard]] std::int64_t touched() const;
  [[nodiscard]] bool in_transaction() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// Rolled back by the destructor unless committed.
class Transaction {
 public:
  enum class Kind {
    read,   // one snapshot for several queries
    write,  // takes the write lock at once, so that it never fails half way for the lock
  };
  Transaction(Database& database, Kind kind);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
};

/// The error for a file that cannot be trusted.
[[nodiscard]] Error damaged(const std::filesystem::path& file, std::string_view reason);

}  // namespace upaas::store::sqlite
