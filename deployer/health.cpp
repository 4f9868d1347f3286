#include "deployer/health.h"

#include "base/clock.h"
#include "base/unix_socket.h"

#include <fmt/core.h>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string>

namespace upaas::deployer {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMost = std::size_t{64} << 10;
constexpr std::size_t kShownBody = 200;
// How long a healthy answer may go on before it is left: an app whose page is an endless stream is
// well.
constexpr milliseconds kPatience{200};

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, byte, 16).ptr == &text[i + 1] + 2) {
      out.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string line_of(const HealthRequest& request) {
  return "GET " + request.path.value_or("/");
}

// "HTTP/1.1 200 OK" -> 200.
std::optional<int> status_of(std::string_view answer) {
  const std::size_t blank = answer.find(' ');
  int status = 0;
  if (!answer.starts_with("HTTP/1.") || blank == answer.npos || answer.size() < blank + 4 ||
      std::from_chars(&answer[blank + 1], &answer[blank + 1] + 3, status).ptr !=
          &answer[blank + 1] + 3) {
    return std::nullopt;
  }
  return status;
}

std::string body_beginning(std::string_view answer) {
  const std::size_t body = answer.find("\r\n\r\n");
  std::string shown(body == answer.npos ? "" : answer.substr(body + 4, kShownBody));
  std::replace_if(
      shown.begin(), shown.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  shown.erase(shown.find_last_not_of(' ') + 1);
  return shown;
}

enum class End { closed, full, late };

End read_answer(int fd, const HealthRequest& request, Steady::time_point deadline,
                std::string& answer) {
  std::array<char, 16384> buffer{};
  while (answer.size() < kMost) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Steady::now()).count();
    pollfd waiting{fd, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready == 0) {
      return End::late;
    }
    const ssize_t got = ready > 0 ? ::read(fd, buffer.data(), buffer.size()) : -1;
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
      return End::closed;
    }
    if (got > 0) {
      answer.append(buffer.data(), static_cast<std::size_t>(got));
      if (!judge_answer(request, answer)) {
        deadline = std::min(deadline, Steady::now() + kPatience);
      }
    }
  }
  return End::full;
}

}  // namespace

UwsgiVars health_vars(const HealthRequest& request) {
  const std::string uri = request.path.value_or("/");
  const std::size_t mark = std::min(uri.find('?'), uri.size());
  return {{"REQUEST_METHOD", "GET"},
          {"REQUEST_URI", uri},
          {"PATH_INFO", percent_decoded(std::string_view(uri).substr(0, mark))},
          {"QUERY_STRING", mark < uri.size() ? uri.substr(mark + 1) : ""},
          {"SCRIPT_NAME", ""},
          {"HTTP_HOST", request.host},
          {"HTTP_USER_AGENT", "upaas-health"},
          {"SERVER_NAME", request.host},
          {"SERVER_PORT", "80"},
          {"SERVER_PROTOCOL", "HTTP/1.1"},
          {"REMOTE_ADDR", "127.0.0.1"}};
}

std::optional<std::string> judge_answer(const HealthRequest& request, std::string_view answer) {
  if (answer.empty()) {
    return line_of(request) + " got no answer";
  }
  const std::optional<int> status = status_of(answer);
  if (!status) {
    return line_of(request) + " was answered with something that is not HTTP";
  }
  const bool healthy = request.path ? *status >= 200 && *status < 400 : *status < 500;
  if (healthy) {
    return std::nullopt;
  }
  const std::string words = body_beginning(answer);
  return fmt::format("{} answered {}{}{}", line_of(request), *status, words.empty() ? "" : ": ",
                     words);
}

std::optional<std::string> request_health(const HealthRequest& request, milliseconds limit) {
  const Steady::time_point deadline = Steady::now() + limit;
  const std::optional<UniqueFd> fd = connect_unix(request.socket, limit);
  if (!fd) {
    return "nothing listens on its socket";
  }
  const std::string packet = encode_uwsgi_packet({.vars = health_vars(request)});
  const auto left = std::chrono::ceil<milliseconds>(deadline - Steady::now());
  std::string answer;
  if (!write_all(fd->get(), packet, left)) {
    return line_of(request) + " could not be sent";
  }
  const End end = read_answer(fd->get(), request, deadline, answer);
  if (end == End::late && answer.empty()) {
    return fmt::format("{} did not answer within {:.1f} s", line_of(request),
                       std::chrono::duration<double>(limit).count());
  }
  return judge_answer(request, answer);
}

}  // namespace upaas::deployer
