/// Delivers the changes of the SQLite store to its watches. Private to store/. Thread-safe.
///
/// One thread reads what is new from the table of changes after each commit, with a connection of
/// its own: a slow callback delays other watches, never a writer. Each watch has its position, so a
/// late one replays and then goes on without a gap.
#pragma once

#include "store/sqlite.h"
#include "store/store.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace upaas::store {

class WatchHub {
 public:
  explicit WatchHub(const std::filesystem::path& file);
  /// Waits for a running callback. Watches may be destroyed later.
  ~WatchHub();

  [[nodiscard]] std::unique_ptr<Watch> add(std::string prefix, Revision from,
                                           std::function<void(const WatchEvent&)> callback);
  /// There may be new changes.
  void wake();

 private:
  struct Entry;
  struct Shared;
  class Handle;
  struct Portion;

  void run(const std::stop_token& stop);
  /// True when there is more for this watch than one portion.
  bool serve(Entry& entry, const std::stop_token& stop);
  [[nodiscard]] Portion read(const Entry& entry);

  sqlite::Database database_;  // of the thread alone
  sqlite::Statement state_;
  sqlite::Statement changes_;
  std::shared_ptr<Shared> shared_;  // with the handles
  std::jthread thread_;
};

}  // namespace upaas::store
