/// The commands of a build in the sandbox: each with its time limit and within those of the whole
/// build, its output passed on line by line. Credentials in a URL are in nothing that is told.
#pragma once

#include "base/process.h"
#include "builder/builder.h"
#include "builder/cage.h"
#include "builder/workspace.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::builder {

class Commands {
 public:
  /// Borrows all three.
  Commands(const Options& options, Cage& cage, const Workspace& workspace);
  /// The stage that the next commands belong to: whether they have the network.
  void enter(std::string_view stage);

  /// One shell line after the other. Error(build_failed) "WHERE: `LINE`: exit code 3" with the last
  /// 20 lines of output, also when a limit of the build was met; Error(interrupted) on stop.
  void script(std::string_view where, const model::Script& lines, const Environment& env) const;
  /// The server's own script, which prints `+ COMMAND` before what may fail: that stands for it in
  /// messages, else `name`.
  void own_script(std::string_view where, std::string_view name, const model::Script& lines,
                  const Environment& env) const;
  /// A question to a program, without network; any exit code is an answer. The tree need not be
  /// there yet.
  [[nodiscard]] Outcome ask(const std::vector<std::string>& argv, const Environment& env) const;
  [[nodiscard]] Outcome ask_shell(const std::string& line, const Environment& env) const;

  /// What every command gets: PATH, HOME, locale, caches that stay out of the tree, this machine's
  /// own settings, then `own`, of which HOME alone has no effect.
  [[nodiscard]] Environment environment(const Environment& own) const;

 private:
  /// "WHERE: `COMMAND`", for messages.
  using Name = std::function<std::string(const Outcome& outcome)>;
  /// One of them. A script is in no argument list.
  struct What {
    std::vector<std::string> argv = {};
    std::optional<std::string> script = {};
  };
  void shell(const std::string& line, const Environment& env, const Name& name) const;
  /// Throws for what ends the build, whatever the command made of it: a limit or a stop.
  enum class Kind { work, question };
  [[nodiscard]] Outcome run_inside(const What& what, const Environment& env, Kind kind,
                                   const Name& name) const;

  const Options& options_;
  Cage& cage_;
  const Workspace& workspace_;
  bool network_ = false;
};

}  // namespace upaas::builder
