#include "store/watch_hub.h"

#include "base/error.h"
#include "base/log.h"
#include "store/rules.h"
#include "store/sqlite_file.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>

namespace upaas::store {
namespace {

// What is held in memory for one watch at a time, besides a last whole revision.
constexpr std::size_t kPortionChanges = 256;
constexpr std::size_t kPortionBytes = std::size_t{4} << 20;
constexpr std::chrono::seconds kRetry{1};

}  // namespace

struct WatchHub::Entry {
  std::string prefix;
  std::function<void(const WatchEvent&)> callback;
  Revision position;   // the next to deliver; of the thread alone
  bool ended = false;  // with Shared::mutex
};

struct WatchHub::Shared {
  std::mutex mutex;
  std::condition_variable_any work;
  std::condition_variable_any done;
  std::vector<std::shared_ptr<Entry>> entries;
  std::uint64_t generation = 0;    // counts reasons to look
  const Entry* running = nullptr;  // whose callback runs
  std::thread::id thread;

  void end(const Entry& entry) {
    std::erase_if(entries, [&](const auto& other) { return other.get() == &entry; });
  }
  void deliver(Entry& entry, const WatchEvent& event);
};

struct WatchHub::Portion {
  std::vector<WatchEvent> events;
  Revision next = 0;
  bool more = false;
};

class WatchHub::Handle final : public Watch {
 public:
  Handle(std::shared_ptr<Shared> shared, std::shared_ptr<Entry> entry)
      : shared_(std::move(shared)), entry_(std::move(entry)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() override {
    std::unique_lock lock(shared_->mutex);
    entry_->ended = true;
    shared_->end(*entry_);
    if (std::this_thread::get_id() == shared_->thread && shared_->running == entry_.get()) return;
    shared_->done.wait(lock, [&] { return shared_->running != entry_.get(); });
    // What the callback holds goes now, not when the thread next looks.
    const auto callback = std::exchange(entry_->callback, nullptr);
    lock.unlock();
  }

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Entry> entry_;
};

WatchHub::WatchHub(const std::filesystem::path& file)
    : database_(open_store_file(file)),
      state_(database_.prepare("SELECT revision, trimmed FROM state")),
      changes_(database_.prepare("SELECT revision, key, value, created, lease FROM changes "
                                 "WHERE revision >= ?1 AND key >= ?2 AND key < ?3 "
                                 "ORDER BY revision, id")),
      shared_(std::make_shared<Shared>()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

WatchHub::~WatchHub() = default;

std::unique_ptr<Watch> WatchHub::add(std::string prefix, Revision from,
                                     std::function<void(const WatchEvent&)> callback) {
  auto entry = std::make_shared<Entry>(
      Entry{std::move(prefix), std::move(callback), std::max(from, Revision{1})});
  auto handle = std::make_unique<Handle>(shared_, entry);
  const std::lock_guard lock(shared_->mutex);
  shared_->entries.push_back(std::move(entry));
  ++shared_->generation;
  shared_->work.notify_one();
  return handle;
}

void WatchHub::wake() {
  const std::lock_guard lock(shared_->mutex);
  ++shared_->generation;
  shared_->work.notify_one();
}

void WatchHub::run(const std::stop_token& stop) {
  std::unique_lock lock(shared_->mutex);
  shared_->thread = std::this_thread::get_id();
  std::uint64_t seen = 0;
  bool again = false;
  while (!stop.stop_requested()) {
    if (!again) shared_->work.wait(lock, stop, [&] { return shared_->generation != seen; });
    seen = shared_->generation;
    again = false;
    const std::vector<std::shared_ptr<Entry>> entries = shared_->entries;
    lock.unlock();
    std::string problem;
    try {
      for (const auto& entry : entries) again = serve(*entry, stop) || again;
    } catch (const Error& error) {
      problem = error.message();
    }
    lock.lock();
    if (problem.empty()) continue;
    log_error("cannot read changes for watches", {{"error", problem}});
    again = true;
    shared_->work.wait_for(lock, stop, kRetry, [] { return false; });
  }
}

bool WatchHub::serve(Entry& entry, const std::stop_token& stop) {
  const Portion portion = read(entry);
  for (const WatchEvent& event : portion.events) {
    if (stop.stop_requested()) return false;
    shared_->deliver(entry, event);
  }
  entry.position = portion.next;
  return portion.more;
}

void WatchHub::Shared::deliver(Entry& entry, const WatchEvent& event) {
  {
    const std::lock_guard lock(mutex);
    if (entry.ended) return;
    running = &entry;
  }
  try {
    entry.callback(event);
  } catch (const std::exception& error) {
    log_error("a watch's callback failed", {{"prefix", entry.prefix}, {"error", error.what()}});
  }
  const std::lock_guard lock(mutex);
  running = nullptr;
  if (event.compacted) {
    entry.ended = true;
    end(entry);
  }
  done.notify_all();
}

// No callback may run while rows are open: they would keep the journal from being reset.
WatchHub::Portion WatchHub::read(const Entry& entry) {
  const sqlite::Transaction snapshot(database_, sqlite::Transaction::Kind::read);
  Portion portion;
  {
    sqlite::Rows state = state_.query();
    state.next();
    portion.next = std::max(entry.position, state.integer(0) + 1);
    const Revision trimmed = state.integer(1);
    if (entry.position <= trimmed) {
      portion.events.push_back({.compacted = true, .revision = trimmed + 1, .changes = {}});
      return portion;
    }
  }
  const std::string end = prefix_end(entry.prefix);
  sqlite::Rows rows = changes_.query({entry.position, entry.prefix, end});
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (rows.next()) {
    const Revision revision = rows.integer(0);
    if (portion.events.empty() || portion.events.back().revision != revision) {
      if (count >= kPortionChanges || bytes >= kPortionBytes) {
        portion.next = revision;
        portion.more = true;
        break;
      }
      portion.events.push_back({.compacted = false, .revision = revision, .changes = {}});
    }
    Change change{rows.null(2),
                  {rows.text(1), rows.text(2), rows.integer(3), revision, rows.integer(4)}};
    ++count;
    bytes += change.now.value.size();
    portion.events.back().changes.push_back(std::move(change));
  }
  return portion;
}

}  // namespace upaas::store
