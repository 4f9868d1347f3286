/// What a long command shows on stderr while it works.
///
/// On a terminal: one live line for the running phase with its time and the newest line of output;
/// a phase that ended leaves its name and time. Elsewhere plain lines: `=====> Build`, output
/// indented.
#pragma once

#include "cli/context.h"
#include "wire/api.h"

#include <chrono>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

namespace upaas::cli {

class Progress {
 public:
  /// `err` outlives it. `quiet`: shows nothing.
  Progress(std::ostream& err, Terminal terminal, bool quiet);
  /// Removes the live line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// A phase runs, is done, failed or was skipped. One that was told as done already is not told
  /// again.
  void step(const wire::Step& step);
  /// A line that the running phase wrote.
  void line(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A phase of the client's own: `running` from the constructor, `done` with its time at `finish`. A
/// destructor without it: `failed`.
class Phase {
 public:
  Phase(Progress& progress, std::string name);
  ~Phase();
  wire::Step finish();

 private:
  Progress& progress_;
  std::string name_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  bool finished_ = false;
};

/// The live line without its escape sequences: `  build     3.2 s  Collecting flask`, at most
/// `columns`.
[[nodiscard]] std::string live_line(std::string_view name, double seconds, std::string_view note,
                                    int columns);

}  // namespace upaas::cli
