#include "deployer/readiness.h"

#include "base/error.h"
#include "base/files.h"
#include "deployer/crash_hint.h"
#include "deployer/health.h"
#include "deployer/log_files.h"
#include "deployer/unasked_ends.h"
#include "deployer/uwsgi_words.h"

#include <fmt/core.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace upaas::deployer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRequestLimit = std::chrono::seconds(5);
constexpr milliseconds kAskLimit = std::chrono::seconds(5);
constexpr std::size_t kOutputLines = 20;
constexpr milliseconds kFirstPause{4};
constexpr milliseconds kLongestPause{100};
constexpr std::chrono::seconds kWholeSecond{1};
// Each question of an app that answers badly may be a line in its log.
constexpr milliseconds kLongestPauseOfAsking{1000};
constexpr std::size_t kReadLines = 400;

constexpr std::string_view kNothingListens = "nothing listens";

// uWSGI's words: at every start, before an app is loaded, when there is none after that.
constexpr std::string_view kStarting = "*** Starting uWSGI ";
constexpr std::string_view kLoading = "*** Operational MODE: ";
constexpr std::string_view kNotLoaded = "*** no app loaded. GAME OVER ***";

// An instance that failed is tried again, with the same log.
std::vector<std::string> of_this_try(std::vector<std::string> log) {
  const auto start = std::find_if(log.rbegin(), log.rend(), [](const std::string& line) {
    return line.starts_with(kStarting);
  });
  if (start != log.rend()) {
    log.erase(log.begin(), start.base());
  }
  return log;
}

bool listens(model::Port port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port.value);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // Loopback answers or refuses at once.
  return fd.valid() &&
         ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

class Wait {
 public:
  Wait(const Start& start, const host::Layout& layout, const Emperor& emperor, std::stop_token stop)
      : start_(start), layout_(layout), emperor_(emperor), stop_(std::move(stop)) {}

  std::variant<Ready, NotReady> run() {
    while (true) {
      look();
      if (crashed_) {
        return crashed();
      }
      if (accepting_) {
        std::optional<std::string> cause =
            check_instance(start_, layout_, std::min(kRequestLimit, left()));
        if (!cause) {
          return ready();
        }
        // What the end of the time cut short says less than the answer before it.
        if (!cause_ || left() > milliseconds::zero()) {
          cause_ = std::move(cause);
        }
      }
      if (stop_.stop_requested()) {
        return not_ready(step(), "the wait was stopped", "");
      }
      if (left() <= milliseconds::zero()) {
        return timed_out();
      }
      pause();
    }
  }

 private:
  // A web app's command can end after the vassal accepted: what was accepting and is no more has
  // crashed.
  void look() {
    const auto all = emperor_.ask(std::min(kAskLimit, std::max(left(), kFirstPause)));
    if (!all) {
      return;
    }
    const auto found = all->find(start_.instance.id.str());
    const VassalStats vassal = found == all->end() ? VassalStats{} : found->second;
    // The Emperor never forgets a name: what it says of an earlier try is no news of this one.
    const bool now = !vassal.crashed || *vassal.crashed + kWholeSecond >= started_;
    crashed_ = !vassal.accepting && ((vassal.blacklisted && now) || accepting_);
    if (vassal.accepting && accepting_ && vassal.pid != pid_) {
      crashed_ = true;
    }
    if (vassal.accepting && !accepting_) {
      accepted_at_ = Steady::now();
    }
    accepting_ = vassal.accepting;
    pid_ = vassal.pid;
  }

  void pause() {
    pause_for(std::min(pause_, std::max(left(), kFirstPause)), stop_);
    const bool asked = accepting_ && cause_ && !cause_->starts_with(kNothingListens);
    pause_ = std::min(pause_ * 2, asked ? kLongestPauseOfAsking : kLongestPause);
  }

  [[nodiscard]] milliseconds left() const {
    const auto passed = std::chrono::floor<milliseconds>(Steady::now() - begun_);
    return std::max(start_.release.spec.health.timeout - passed, milliseconds::zero());
  }

  [[nodiscard]] std::filesystem::path log_file() const {
    return layout_.instance_log(start_.release.app.str(), start_.instance.id.str());
  }

  [[nodiscard]] std::string step() const { return accepting_ ? "health" : "start"; }

  [[nodiscard]] Ready ready() const {
    const std::chrono::duration<double> start = accepted_at_ - begun_;
    const std::chrono::duration<double> health = Steady::now() - accepted_at_;
    return {.pid = pid_, .start_seconds = start.count(), .health_seconds = health.count()};
  }

  [[nodiscard]] NotReady crashed() const {
    const std::vector<std::string> log = of_this_try(newest_lines(log_file(), kReadLines));
    NotReady result = not_ready("start", "exited while starting", crash_hint(without_chatter(log)));
    const auto says = [&](std::string_view words) {
      return std::any_of(log.begin(), log.end(), [&](const std::string& line) {
        return line.find(words) != std::string::npos;
      });
    };
    const auto ended = std::find_if(log.rbegin(), log.rend(), [](const std::string& line) {
      return line.starts_with(kCommandEnded);
    });
    if (ended != log.rend()) {
      result.cause += ": its command ended with " + ended->substr(kCommandEnded.size());
    } else if (says("got Segmentation Fault")) {
      result.cause += " with a segmentation fault";
    } else if (!start_.release.runtime.web && says(kLoading) && !says(kNotLoaded)) {
      result.hint = "it ended its own process: look for `exit` in what runs when it is loaded";
    }
    return result;
  }

  [[nodiscard]] NotReady timed_out() const {
    const double seconds =
        std::chrono::duration<double>(start_.release.spec.health.timeout).count();
    if (accepting_) {
      return not_ready("health", fmt::format("{} (for {:g} s)", *cause_, seconds),
                       cause_->starts_with(kNothingListens)
                           ? "the app must listen on 127.0.0.1:$PORT, within health.timeout"
                           : "health.path and health.timeout in app.yaml say what is waited for");
    }
    if (!emperor_.running()) {
      return not_ready("start", "the Emperor does not run", "the daemon starts it again");
    }
    return not_ready("start", fmt::format("does not accept requests after {:g} s", seconds),
                     "a slow start needs a longer health.timeout");
  }

  [[nodiscard]] static std::vector<std::string> without_chatter(std::vector<std::string> lines) {
    std::erase_if(lines, [](const std::string& line) { return is_uwsgi_chatter(line); });
    return lines;
  }

  [[nodiscard]] NotReady not_ready(std::string step, std::string cause, std::string hint) const {
    std::vector<std::string> lines = without_chatter(newest_lines(log_file(), kReadLines));
    if (lines.size() > kOutputLines) {
      lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kOutputLines));
    }
    return {.step = std::move(step),
            .cause = std::move(cause),
            .hint = std::move(hint),
            .output = std::move(lines)};
  }

  const Start& start_;
  const host::Layout& layout_;
  const Emperor& emperor_;
  std::stop_token stop_;
  Steady::time_point begun_ = Steady::now();
  WallTime started_ = wall_now();
  Steady::time_point accepted_at_ = begun_;
  milliseconds pause_ = kFirstPause;
  bool accepting_ = false;
  bool crashed_ = false;
  pid_t pid_ = 0;
  std::optional<std::string> cause_;
};

}  // namespace

std::optional<std::string> check_instance(const Start& start, const host::Layout& layout,
                                          milliseconds limit) {
  // Asked through uWSGI, each try would put a line of uWSGI's own into the app's log.
  if (start.instance.port && !listens(*start.instance.port)) {
    return fmt::format("{} on 127.0.0.1:{} ($PORT)", kNothingListens, start.instance.port->value);
  }
  const std::string host =
      start.domains.empty() ? start.release.app.str() + ".localhost" : start.domains.front().str();
  return request_health({.socket = layout.instance_socket(start.instance.id.str()),
                         .host = host,
                         .path = start.release.spec.health.path},
                        limit);
}

std::variant<Ready, NotReady> await_instance(const Start& start, const host::Layout& layout,
                                             const Emperor& emperor, std::stop_token stop) {
  return Wait(start, layout, emperor, std::move(stop)).run();
}

}  // namespace upaas::deployer
