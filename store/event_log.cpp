#include "store/event_log.h"

#include "base/error.h"
#include "base/files.h"
#include "base/guarded.h"
#include "base/log.h"
#include "store/sqlite.h"

#include <fcntl.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace upaas::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMessageLimit = std::size_t{16} << 10;

// A power cut may take the last events: they are for people, and nobody waits for the disk.
constexpr const char* kPrepare = R"(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA journal_size_limit = 16777216;
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  app TEXT NOT NULL,
  kind TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS events_by_app ON events (app, id);
)";

sqlite::Database open_file(const fs::path& file) {
  // Closed before SQLite opens it: the end of any descriptor of a file ends this process's POSIX
  // locks on it (sqlite.org, How To Corrupt, 2.2).
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) throw system_error("cannot open " + file.string());
  fd.reset();
  sqlite::Database database(file);
  database.execute(kPrepare);
  return database;
}

fs::path with_suffix(const fs::path& file, const char* suffix) {
  fs::path other = file;
  other += suffix;
  return other;
}

// The platform goes on without its memories: a damaged log is kept for people to look at.
sqlite::Database open_or_start_anew(const fs::path& file) {
  try {
    return open_file(file);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::config) throw;
    log_warning("the event log is damaged and starts anew",
                {{"file", file.string()},
                 {"kept", with_suffix(file, ".damaged").string()},
                 {"error", error.message()}});
  }
  std::error_code ignored;
  fs::rename(file, with_suffix(file, ".damaged"), ignored);
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(with_suffix(file, suffix), ignored);
  return open_file(file);
}

struct Table {
  explicit Table(const fs::path& file)
      : database(open_or_start_anew(file)),
        add(database.prepare(
            "INSERT INTO events (time, app, kind, message) VALUES (?1, ?2, ?3, ?4)")),
        trim(database.prepare("DELETE FROM events WHERE id <= ?1")),
        read(database.prepare("SELECT id, time, app, kind, message FROM events WHERE id > ?1 "
                              "ORDER BY id DESC LIMIT ?2")),
        read_app(database.prepare("SELECT id, time, app, kind, message FROM events "
                                  "WHERE app = ?3 AND id > ?1 ORDER BY id DESC LIMIT ?2")) {}

  sqlite::Database database;
  sqlite::Statement add;
  sqlite::Statement trim;
  sqlite::Statement read;
  sqlite::Statement read_app;
};

}  // namespace

struct EventLog::State {
  State(const fs::path& file, Options given)
      : options(given),
        table(Table(file)),
        last(table.lock()->database.number("SELECT max(id) FROM events")) {}

  std::int64_t insert(std::string_view app, std::string_view kind, std::string_view message);

  Options options;
  Guarded<Table> table;
  std::mutex mutex;
  std::condition_variable_any grown;
  std::int64_t last;  // with mutex
};

std::int64_t EventLog::State::insert(std::string_view app, std::string_view kind,
                                     std::string_view message) {
  const std::int64_t time = wall_now().time_since_epoch().count();
  auto open = table.lock();
  sqlite::Transaction transaction(open->database, sqlite::Transaction::Kind::write);
  open->add.run({time, app, kind, message.substr(0, kMessageLimit)});
  const std::int64_t id = open->database.last_id();
  open->trim.run({id - options.keep});
  transaction.commit();
  return id;
}

EventLog::EventLog(const fs::path& file, Options options)
    : state_(std::make_unique<State>(file, options)) {}

EventLog::~EventLog() = default;

void EventLog::add(std::string_view app, std::string_view kind, std::string_view message) noexcept {
  try {
    const std::int64_t id = state_->insert(app, kind, message);
    const std::lock_guard lock(state_->mutex);
    state_->last = std::max(state_->last, id);
    state_->grown.notify_all();
  } catch (const std::exception& error) {
    log_error("an event was not written", {{"app", std::string(app)},
                                           {"kind", std::string(kind)},
                                           {"message", std::string(message)},
                                           {"error", error.what()}});
  }
}

std::vector<Event> EventLog::read(const Query& query) {
  const std::int64_t most =
      static_cast<std::int64_t>(std::min<std::size_t>(query.newest, 1'000'000));
  std::vector<Event> events;
  {
    auto open = state_->table.lock();
    sqlite::Rows rows = query.app ? open->read_app.query({query.after, most, *query.app})
                                  : open->read.query({query.after, most});
    while (rows.next()) {
      events.push_back({rows.integer(0), WallTime(std::chrono::milliseconds(rows.integer(1))),
                        rows.text(2), rows.text(3), rows.text(4)});
    }
  }
  std::ranges::reverse(events);
  return events;
}

bool EventLog::wait(std::int64_t after, std::chrono::milliseconds limit, std::stop_token stop) {
  std::unique_lock lock(state_->mutex);
  return state_->grown.wait_for(lock, std::move(stop), limit, [&] { return state_->last > after; });
}

}  // namespace upaas::store
