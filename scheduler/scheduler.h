/// Where an instance goes, and why not elsewhere. Pure: no clock, no I/O, no randomness; equal input
/// gives equal output, so a decision can be replayed.
///
/// A `Fleet` is a value: the backends with what is reserved on each, indexed by name and by load.
/// `place` filters (each refusal keeps its reason), scores, chooses the least loaded and reserves there,
/// so a row of placements spreads by itself.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/names.h"
#include "model/units.h"

namespace upaas::scheduler {

using model::AppName;
using model::BackendName;
using model::Megabytes;
using model::ReleaseId;

enum class BackendState { ready, cordoned, draining, suspect, lost };
[[nodiscard]] std::string_view to_string(BackendState state);

struct Backend {
  BackendName name;
  BackendState state = BackendState::ready;
  std::string hardware;  // machines with equal ids share one box; empty: a box of its own
  int cores = 1;
  Megabytes memory;
  int free_ports = 0;  // ports it may give; what is reserved on it is taken off here, not by the caller
};

/// What an instance asks for.
struct Need {
  AppName app;
  ReleaseId release;
  Megabytes memory;     // workers.max * memory per worker
  int workers = 1;      // cpu reservation: one core a worker, never refused, only scored
  bool port = false;    // runtime web
  /// A release that is being replaced may use the headroom, so that old and new fit side by side.
  bool surge = false;
};

/// Why a backend cannot take it; the words are shown to people.
struct Refusal {
  BackendName backend;
  std::string reason;  // "cordoned", "memory: needs 512M, 128M free", ...
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

struct Choice {
  BackendName backend;
  double load = 0;                // before this placement
  std::vector<Refusal> refused;   // the others that could not
};
struct NoRoom {
  std::vector<Refusal> refused;  // every backend, in order of name
};
using Placement = std::variant<Choice, NoRoom>;

struct Options {
  /// Share of memory that only a surge may use.
  double headroom = 0.15;
};

class Fleet {
 public:
  explicit Fleet(Options options = {}) : options_(options) {}

  /// Adds it or replaces its description; what is reserved there stays.
  void set_backend(const Backend& backend);
  void remove_backend(const BackendName& name);
  /// An instance that is there already (from the store). An unknown backend is ignored.
  void reserve(const BackendName& backend, const Need& need);
  /// The reverse; reserving and releasing the same need leaves the fleet as it was. Releasing what was
  /// not reserved there changes nothing.
  void release(const BackendName& backend, const Need& need);

  /// The largest of reserved memory and reserved cpu as shares; 0 for an empty backend.
  [[nodiscard]] double load(const BackendName& name) const;
  [[nodiscard]] std::vector<Backend> backends() const;
  [[nodiscard]] int vassals(const BackendName& name) const;

 private:
  friend Placement place(Fleet&, const Need&);
  using ReleaseKey = std::pair<AppName, ReleaseId>;
  struct Slot {
    Backend backend;
    Megabytes memory{0};
    int workers = 0;
    int ports = 0;
    int vassals = 0;
    std::map<ReleaseKey, int> releases;
  };
  /// Ties by fewest vassals, then by name.
  struct Rank {
    double load;
    int vassals;
    BackendName name;
    friend auto operator<=>(const Rank&, const Rank&) = default;
  };
  [[nodiscard]] static double load_of(const Slot& slot);
  [[nodiscard]] std::optional<std::string> refuse(const Slot& slot, const Need& need) const;
  [[nodiscard]] Megabytes free_memory(const Slot& slot, bool surge) const;
  [[nodiscard]] bool on_hardware(const std::string& hardware, const ReleaseKey& release) const;
  void enter(const Slot& slot);  // into the indexes
  void leave(const Slot& slot);

  Options options_;
  std::map<BackendName, Slot> slots_;
  std::set<Rank> ranks_;
  std::map<std::string, int> hardware_;  // how many backends of each box
  std::map<ReleaseKey, std::map<std::string, int>> boxes_;  // where instances of a release are
};

/// Reserves on success. At most one instance of a release per hardware id wherever two or more ids are
/// registered; on a single one instances may share it.
[[nodiscard]] Placement place(Fleet& fleet, const Need& need);

}  // namespace upaas::scheduler
