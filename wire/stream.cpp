#include "wire/api.h"

#include <nlohmann/json.hpp>

namespace upaas::wire {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;

std::string line(Json object) {
  return dump_json(object) + "\n";
}

}  // namespace

std::string step_line(const Step& step) {
  Json object{
      {"event", "step"}, {"name", step.name}, {"state", step.state}, {"seconds", step.seconds}};
  if (!step.build.empty()) object["build"] = step.build;
  return line(std::move(object));
}

std::string text_line(const std::string& text, const std::string& instance) {
  Json object{{"event", "line"}, {"text", text}};
  if (!instance.empty()) object["instance"] = instance;
  return line(std::move(object));
}

std::string event_line(const EventView& event) {
  Json object = to_json(event);
  object["event"] = "event";
  return line(std::move(object));
}

std::string result_line(const Json& result) {
  return line({{"event", "result"}, {"result", result}});
}

std::string error_line(const Error& error) {
  return line({{"event", "error"}, {"error", to_json(error)}});
}

std::string beat_line() {
  return line({{"event", "beat"}});
}

void StreamReader::feed(std::string_view piece) {
  buffer_.append(piece);
  std::size_t begin = 0;
  for (std::size_t end; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    take(std::string_view(buffer_).substr(begin, end - begin));
  }
  buffer_.erase(0, begin);
  if (buffer_.size() > kLongestLine) {
    throw Error(ErrorKind::invalid, "the server sent a line longer than 1 MiB");
  }
}

void StreamReader::take(std::string_view text) {
  if (text.empty()) return;
  const Json object = parse_json(text, "stream");
  const std::string kind = get_string(object, "event");
  if (kind == "step") {
    if (handler_.on_step) {
      handler_.on_step({get_string(object, "name"), get_string(object, "state"),
                        get_double_or(object, "seconds", 0), get_string_or(object, "build", "")});
    }
  } else if (kind == "line") {
    if (handler_.on_line)
      handler_.on_line(get_string(object, "text"), get_string_or(object, "instance", ""));
  } else if (kind == "event") {
    if (handler_.on_event) handler_.on_event(event_from_json(object));
  } else if (kind == "result") {
    result_ = dump_json(get_object(object, "result"));
  } else if (kind == "error") {
    throw error_from_json(get_object(object, "error"));
  } else if (kind != "beat") {
    throw Error(ErrorKind::invalid, "the server sent a line of unknown kind '" + kind + "'",
                "the command line may be older than the server");
  }
}

}  // namespace upaas::wire
