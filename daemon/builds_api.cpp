#include "daemon/builds_api.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "control/builds.h"
#include "control/views.h"
#include "daemon/answers.h"
#include "wire/api.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace upaas::daemon {
namespace {

constexpr auto kLook = std::chrono::milliseconds(100);
constexpr auto kBeat = std::chrono::seconds(5);
constexpr std::size_t kLongestLine = std::size_t{64} << 10;  // longer ones are sent in parts

/// The lines of a build's log, from the first on; a file that is not there yet has none.
class LogLines {
 public:
  explicit LogLines(std::filesystem::path file) : file_(std::move(file)) {}

  /// What was added since; false when the client has gone.
  bool send_new(Stream& stream) {
    if (!fd_.valid()) fd_.reset(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::array<char, 65536> buffer;
    for (ssize_t got; fd_.valid() && (got = ::read(fd_.get(), buffer.data(), buffer.size())) > 0;) {
      rest_.append(buffer.data(), static_cast<std::size_t>(got));
      if (!send_whole(stream)) return false;
    }
    return true;
  }
  /// What a killed daemon left of a last line.
  bool send_rest(Stream& stream) { return rest_.empty() || stream.write(wire::text_line(rest_)); }

 private:
  bool send_whole(Stream& stream) {
    std::size_t at = 0;
    for (std::size_t end; (end = rest_.find('\n', at)) != std::string::npos; at = end + 1) {
      if (!stream.write(wire::text_line(rest_.substr(at, end - at)))) return false;
    }
    rest_.erase(0, at);
    if (rest_.size() < kLongestLine) return true;
    return stream.write(wire::text_line(std::exchange(rest_, {})));
  }

  std::filesystem::path file_;
  UniqueFd fd_;
  std::string rest_;
};

void send_log(control::Platform& platform, model::BuildId id, bool follow, Reply& reply,
              const std::stop_token& stop) {
  (void)control::known_build(platform, id);
  LogLines lines(platform.options.layout.build_log(id.str()));
  Stream& stream = reply.stream(kLines);
  auto last = Steady::now();
  for (;;) {
    // Asked before the look: what it wrote until its end is then seen.
    const bool runs = platform.running_builds.runs(id);
    if (!lines.send_new(stream)) return;
    if (!follow || !runs) break;
    if (stop.stop_requested()) return;
    if (Steady::now() - last > kBeat) {
      if (!stream.write(wire::beat_line())) return;
      last = Steady::now();
    }
    pause_for(kLook, stop);
  }
  if (!lines.send_rest(stream)) return;
  const auto build = platform.records.build(id);  // its app may be destroyed meanwhile
  (void)stream.write(
      wire::result_line(build ? wire::to_json(control::build_view(*build)) : Json::object()));
}

void send_list(control::Platform& platform, const Call& call, Reply& reply) {
  const std::string app = query(call, "app");
  send_json(reply, wire::builds_json(control::build_views(
                       platform, app.empty() ? std::nullopt : std::optional(model::AppName(app)),
                       static_cast<std::size_t>(query_number(call, "newest", 50, 1000)))));
}

}  // namespace

void answer_builds(control::Platform& platform, const Call& call, Reply& reply,
                   const std::string& by, const std::stop_token& stop) {
  const bool reads = call.method == "GET";
  if (call.path.size() == 2 && reads) return send_list(platform, call, reply);
  if (call.path.size() < 3 || call.path.size() > 4) throw no_such(call);
  const auto id = model::BuildId::from(call.path[2]);
  if (!id) {
    throw Error(ErrorKind::not_found, "there is no build " + call.path[2].substr(0, 40),
                "`upaas builds` lists those that are kept");
  }
  if (call.path.size() == 3 && reads) {
    const auto build = control::known_build(platform, *id);
    return send_json(reply, wire::to_json(control::build_view(build)));
  }
  const std::string verb = call.path.size() == 4 ? call.path[3] : "";
  if (verb == "log" && reads)
    return send_log(platform, *id, query(call, "follow") == "1", reply, stop);
  if (verb != "cancel" || call.method != "POST") throw no_such(call);
  const auto build = control::cancel_build(platform, *id, by);
  send_json(reply, wire::to_json(control::build_view(build)));
}

}  // namespace upaas::daemon
