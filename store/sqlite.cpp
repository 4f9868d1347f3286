#include "store/sqlite.h"

#include "base/log.h"

#include <sqlite3.h>

#include <cerrno>
#include <type_traits>

namespace upaas::store::sqlite {
namespace {

// Nobody else writes to these files; only a backup tool could make us wait.
constexpr int kBusyMilliseconds = 10'000;

[[noreturn]] void fail(sqlite3* handle, const std::string& file) {
  const int code = sqlite3_errcode(handle);
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) throw damaged(file, sqlite3_errmsg(handle));
  if (code == SQLITE_FULL) throw system_error("cannot write " + file, ENOSPC);
  const int number = sqlite3_system_errno(handle);
  if ((code == SQLITE_IOERR || code == SQLITE_CANTOPEN) && number != 0) {
    throw system_error("cannot use " + file, number);
  }
  throw Error(ErrorKind::internal, file + ": " + sqlite3_errmsg(handle));
}

[[noreturn]] void fail(sqlite3* handle) {
  const char* file = sqlite3_db_filename(handle, "main");
  fail(handle, file == nullptr ? "database" : file);
}

void bind(sqlite3_stmt* statement, int index, const Value& value) {
  const int result = std::visit(
      [&](const auto& given) {
        using Given = std::decay_t<decltype(given)>;
        if constexpr (std::is_same_v<Given, std::nullptr_t>) {
          return sqlite3_bind_null(statement, index);
        } else if constexpr (std::is_same_v<Given, std::int64_t>) {
          return sqlite3_bind_int64(statement, index, given);
        } else if constexpr (std::is_same_v<Given, Blob>) {
          // A null pointer would be bound as NULL.
          const char* bytes = given.bytes.empty() ? "" : given.bytes.data();
          return sqlite3_bind_blob64(statement, index, bytes, given.bytes.size(), SQLITE_STATIC);
        } else {
          const char* text = given.empty() ? "" : given.data();
          return sqlite3_bind_text64(statement, index, text, given.size(), SQLITE_STATIC,
                                     SQLITE_UTF8);
        }
      },
      value);
  if (result != SQLITE_OK) fail(sqlite3_db_handle(statement));
}

}  // namespace

Error damaged(const std::filesystem::path& file, std::string_view reason) {
  const std::string name = file.string();
  return Error(ErrorKind::config, name + " cannot be used: " + std::string(reason),
               "stop upaasd, move " + name + " and " + name +
                   "-wal away, put a snapshot in their place and start again");
}

// --- Rows and Statement ---

Rows::~Rows() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Rows::next() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) fail(sqlite3_db_handle(statement_));
  return false;
}

std::int64_t Rows::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Rows::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr
             ? std::string()
             : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool Rows::null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Rows Statement::query(std::initializer_list<Value> values) {
  int index = 0;
  for (const Value& value : values) bind(statement_.get(), ++index, value);
  return Rows(statement_.get());
}

void Statement::run(std::initializer_list<Value> values) {
  Rows rows = query(values);
  while (rows.next()) {
  }
}

// --- Database ---

void Database::Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

Database::Database(const std::filesystem::path& file) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  const int result = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (handle == nullptr) throw Error(ErrorKind::internal, file.string() + ": out of memory");
  if (result != SQLITE_OK) fail(handle, file.string());
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) fail(handle_.get());
  return Statement(statement);
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail(handle_.get());
  }
}

std::int64_t Database::number(std::string_view sql) {
  Statement statement = prepare(sql);
  Rows rows = statement.query();
  return rows.next() ? rows.integer(0) : 0;
}

std::int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(handle_.get());
}
std::int64_t Database::touched() const {
  return sqlite3_changes64(handle_.get());
}
bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle_.get()) == 0;
}

// --- Transaction ---

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.execute(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  // Some failures have rolled back already.
  if (!database_.in_transaction()) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Error& error) {
    log_error("cannot roll back", {{"error", error.message()}});
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
}

}  // namespace upaas::store::sqlite
