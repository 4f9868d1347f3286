#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

using namespace upaas;

namespace {

template <typename Action>
std::string logged(Action action) {
  const TempDir directory;
  const std::filesystem::path file = directory.path() / "log";
  const UniqueFd saved(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  {
    const UniqueFd target(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    ::dup2(target.get(), STDERR_FILENO);
  }
  action();
  ::dup2(saved.get(), STDERR_FILENO);
  return read_file(file);
}

}  // namespace

TEST_CASE("an event is one line: time, level, message, fields") {
  const std::string line = logged([] { log_info("app is live", {{"app", "hello"}, {"n", "3"}}); });
  const std::size_t blank = line.find(' ');
  CHECK(parse_rfc3339(line.substr(0, blank)).has_value());
  CHECK(line.substr(blank) == " info app is live app=hello n=3\n");
}

TEST_CASE("values with blanks are quoted and control characters cannot forge a line") {
  const std::string line = logged([] {
    log_error("a\nb", {{"q", "x \"y\" \\"}, {"c", "1\n2\x1b[0m"}, {"e", ""}});
  });
  CHECK(line.substr(line.find(' ')) ==
        " error a\\nb q=\"x \\\"y\\\" \\\\\" c=\"1\\n2\\x1b[0m\" e=\"\"\n");
}

TEST_CASE("what is below the level is not written") {
  CHECK(logged([] { log_debug("quiet"); }).empty());
  set_log_level(LogLevel::debug);
  CHECK_FALSE(logged([] { log_debug("loud"); }).empty());
  set_log_level(LogLevel::error);
  CHECK(logged([] { log_warning("quiet"); }).empty());
  set_log_level(LogLevel::info);
}
