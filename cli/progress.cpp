#include "cli/progress.h"

#include "base/clock.h"
#include "cli/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <ostream>
#include <set>
#include <thread>

namespace upaas::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
/// The steps of a deploy, in the order of what they do.
constexpr auto kOrder = std::to_array<std::string_view>(
    {"read", "build", "store", "release", "place", "fetch", "unpack", "start", "health", "announce",
     "live", "drain", "stop"});
constexpr std::string_view kClear = "\r\x1b[K";

std::string title(std::string name) {
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z')
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return printable(name);
}

}  // namespace

std::string live_line(std::string_view name, double seconds, std::string_view note, int columns) {
  std::string line = fmt::format("  {:<9} {:>7}", name, seconds_text(seconds));
  if (!note.empty()) line += fmt::format("  {}", note);
  // The last column stays free: a terminal would wrap there.
  return shortened(line, static_cast<std::size_t>(std::max(columns - 1, 1)));
}

struct Progress::State {
  std::ostream& err;
  Terminal terminal;
  bool quiet;
  std::mutex mutex = {};
  std::condition_variable_any changed = {};
  std::string running = {};  // empty: between phases
  Steady::time_point begin = {};
  std::string note = {};
  // Phases overlap: another may have begun before one that was told of ends.
  std::set<std::string> begun = {};
  std::set<std::string> done = {};
  std::jthread drawer = {};

  void draw() {
    err << kClear << live_line(running, seconds_since(begin), note, terminal.columns) << std::flush;
  }

  /// Too quick to be seen running, it may be told of only when later ones have begun.
  [[nodiscard]] bool is_next(const std::string& name) const {
    const auto at = std::ranges::find(kOrder, name);
    return std::none_of(at, kOrder.end(),
                        [&](std::string_view later) { return begun.contains(std::string(later)); });
  }

  void draw_until(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      changed.wait(lock, stop, [&] { return !running.empty(); });
      if (running.empty()) continue;
      draw();
      changed.wait_for(lock, stop, kRedraw, [&] { return running.empty(); });
    }
  }

  void begin_phase(const std::string& name) {
    if (name == running) return;
    note.clear();
    begin = Steady::now();
    running = name;
    begun.insert(name);
    if (terminal.live) {
      draw();
      changed.notify_all();
    } else {
      err << "=====> " << title(name) << std::endl;
    }
  }

  void end_phase(const wire::Step& step) {
    if (terminal.live) {
      err << kClear;
      if (step.state != "skipped") {
        err << live_line(printable(step.name), step.seconds, step.state == "failed" ? "failed" : "",
                         terminal.columns)
            << "\n";
      }
      err << std::flush;
    } else if (step.state == "failed") {
      err << "=====> " << title(step.name) << " failed" << std::endl;
    } else if (step.state == "done" && !begun.contains(step.name) && is_next(step.name)) {
      err << "=====> " << title(step.name) << std::endl;
    }
    if (running == step.name) running.clear();
    // Another phase may still run: its line comes back.
    if (terminal.live && !running.empty()) draw();
    if (step.state != "failed") done.insert(step.name);
  }
};

Progress::Progress(std::ostream& err, Terminal terminal, bool quiet)
    : state_(new State{.err = err, .terminal = terminal, .quiet = quiet}) {
  if (terminal.live && !quiet) {
    state_->drawer = std::jthread(
        [state = state_.get()](const std::stop_token& stop) { state->draw_until(stop); });
  }
}

Progress::~Progress() {
  state_->drawer = {};  // asks it to stop and waits
  if (state_->terminal.live && !state_->quiet && !state_->running.empty())
    state_->err << kClear << std::flush;
}

void Progress::step(const wire::Step& step) {
  const std::lock_guard lock(state_->mutex);
  if (state_->quiet) return;
  if (step.state == "running") {
    state_->done.erase(step.name);
    state_->begin_phase(step.name);
  } else if (!state_->done.contains(step.name)) {
    state_->end_phase(step);
  }
}

void Progress::line(std::string_view text) {
  const std::lock_guard lock(state_->mutex);
  if (state_->quiet) return;
  if (!state_->terminal.live) {
    state_->err << "       " << printable(text) << std::endl;
  } else if (!state_->running.empty()) {
    state_->note = printable(text);
  }
}

Phase::Phase(Progress& progress, std::string name) : progress_(progress), name_(std::move(name)) {
  progress_.step({name_, "running", 0});
}

Phase::~Phase() {
  if (!finished_) progress_.step({name_, "failed", seconds_since(begin_)});
}

wire::Step Phase::finish() {
  finished_ = true;
  wire::Step step{name_, "done", seconds_since(begin_)};
  progress_.step(step);
  return step;
}

}  // namespace upaas::cli
