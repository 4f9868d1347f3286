/// A deploy as a row of named steps, each with a state and a time: told while it happens (stream)
/// and kept for the answer. One thread.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "wire/api.h"

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::control {

/// Where the news of a job goes. Callbacks may be called from one thread only and must not block
/// for long.
struct Sink {
  std::function<void(const wire::Step&)> on_step;
  std::function<void(std::string_view line)> on_line;
  /// The daemon is stopping: leave the job as it is; it is recovered by the next one.
  std::stop_token stop;
};

class Journey {
 public:
  explicit Journey(Sink sink, std::vector<wire::Step> before = {})
      : sink_(std::move(sink)), steps_(std::move(before)) {}

  /// Runs `work` as the step; an Error gets the step's name on its way up (unless it names one).
  template <typename Work>
  auto step(const std::string& name, Work work) {
    begin(name);
    const auto start = Steady::now();
    try {
      if constexpr (std::is_void_v<decltype(work())>) {
        work();
        end(name, "done", seconds_since(start));
      } else {
        auto result = work();
        end(name, "done", seconds_since(start));
        return result;
      }
    } catch (Error& error) {
      end(name, "failed", seconds_since(start));
      if (error.step().empty()) error.at_step(name);
      throw;
    }
  }
  /// A journey that stops when this one does and tells nobody.
  [[nodiscard]] Journey silent() const {
    return Journey({.on_step = {}, .on_line = {}, .stop = sink_.stop});
  }
  void begin(const std::string& name) { tell({name, "running", 0}); }
  /// Replaces an earlier end of the same step (several instances: the longest counts).
  void end(const std::string& name, const std::string& state, double seconds);
  void skip(const std::string& name) { end(name, "skipped", 0); }
  void line(std::string_view text) const {
    if (sink_.on_line) sink_.on_line(text);
  }
  /// The id that is told with the step `build`.
  void set_build(std::string id) { build_ = std::move(id); }
  [[nodiscard]] const std::string& build() const { return build_; }
  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] const std::vector<wire::Step>& steps() const { return steps_; }
  [[nodiscard]] const std::stop_token& stop() const { return sink_.stop; }

 private:
  void tell(wire::Step step) const {
    if (step.name == "build") step.build = build_;
    if (sink_.on_step) sink_.on_step(step);
  }
  Sink sink_;
  std::vector<wire::Step> steps_;
  std::string build_;
};

}  // namespace upaas::control
