/// The commands of a build in the sandbox: each with its time limit and within that of the whole
/// build, its output passed on line by line.
#pragma once

#include "base/clock.h"
#include "base/process.h"
#include "builder/builder.h"
#include "builder/workspace.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::builder {

class Commands {
 public:
  /// Borrows all three.
  Commands(const Options& options, const Progress& progress, const Workspace& workspace);

  /// One shell line after the other. Error(build_failed) "WHERE: `LINE`: exit code 3" with the last
  /// 20 lines of output; Error(interrupted) on stop.
  void script(std::string_view where, const model::Script& lines, const Environment& env) const;
  /// The server's own script, which prints `+ COMMAND` before what may fail: that stands for it in
  /// messages, else `name`.
  void own_script(std::string_view where, std::string_view name, const model::Script& lines,
                  const Environment& env) const;
  /// A question to a program, without network; any exit code is an answer. The tree need not be
  /// there yet.
  [[nodiscard]] Outcome ask(const std::vector<std::string>& argv, const Environment& env) const;

  /// What every command gets: PATH, HOME, locale, caches that stay out of the tree, this machine's
  /// own settings, then `own`, of which HOME alone has no effect.
  [[nodiscard]] Environment environment(const Environment& own) const;

 private:
  [[nodiscard]] Outcome run_inside(const std::vector<std::string>& argv, const Environment& env,
                                   bool network) const;

  const Options& options_;
  const Progress& progress_;
  const Workspace& workspace_;
  Steady::time_point end_;
};

}  // namespace upaas::builder
