#include "cli/context.h"

#include "wire/api.h"

#include <nlohmann/json.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <ostream>

namespace upaas::cli {

void print_json(Context& context, const Json& object) {
  if (context.format == Format::jsonl) {
    context.out << wire::result_line(object);
  } else {
    context.out << dump_json(object) << "\n";
  }
}

std::optional<std::string> variable(const Environment& env, const std::string& name) {
  const auto found = env.find(name);
  if (found == env.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

Terminal terminal_of(int fd, const Environment& env) {
  Terminal terminal;
  terminal.live = ::isatty(fd) == 1 && variable(env, "TERM").value_or("dumb") != "dumb";
  // no-color.org: any value counts, also an empty one.
  terminal.colour = terminal.live && !env.contains("NO_COLOR");
  winsize size{};
  if (terminal.live && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.columns = size.ws_col;
  }
  return terminal;
}

}  // namespace upaas::cli
