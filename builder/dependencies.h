/// What the interpreter's own setup installs: kept for the next build by what it was made of, and not
/// left in a tree that is kept.
#pragma once

#include "builder/cache.h"
#include "builder/commands.h"
#include "model/interpreters.h"

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace upaas::builder {

class Dependencies {
 public:
  struct Build {
    bool fresh = false;  // nothing of former builds is used
    Ingredients others;  // what an install is made of besides its keys
    Environment env;
    std::function<void(const std::string& line)> reason;
    std::stop_token stop;  // ends reading with Error(interrupted)
  };

  /// Borrows all of them.
  Dependencies(const model::DependencyRule& rule, const Commands& commands, Cache& cache,
               const std::filesystem::path& tree);

  /// Calls `run`, or brings back what it made last time from the same.
  void install(const Build& build, const std::function<void()>& run);
  /// Removes from the tree what `install` has put there. No process of the build may run meanwhile.
  void take_out() const;

 private:
  /// Why they are not kept; else empty, and `key` is filled in. Without a single key there is
  /// nothing to keep.
  [[nodiscard]] std::string find_key(const Build& build, Ingredients& key) const;
  [[nodiscard]] std::string add_referred(const Build& build, Ingredients& key) const;
  void note_absent();

  const model::DependencyRule& rule_;
  const Commands& commands_;
  Cache& cache_;
  const std::filesystem::path& tree_;
  std::vector<std::string> absent_;  // before the install; parents first
};

}  // namespace upaas::builder
