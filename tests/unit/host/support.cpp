#include "tests/unit/host/support.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace upaas::host::test {

namespace fs = std::filesystem;

fs::path vassal_program() {
  return fs::path(UPAAS_BIN_DIR) / "upaas-vassal";
}

Cgroups::Cgroups() : root(CgroupRoot::find("test-" + random_name(10))) {}

Cgroups::~Cgroups() {
  for (const std::string& name : root.names()) {
    root.group(name).kill();
  }
  root.remove();
}

Child::Child(const std::function<void()>& body) : pid_(::fork()) {
  if (pid_ == 0) {
    // The test framework's handler would report a signal to the child as a failed test.
    ::signal(SIGTERM, SIG_DFL);
    try {
      body();
      ::_exit(0);
    } catch (const std::exception& error) {
      static_cast<void>(std::fprintf(stderr, "%s\n", error.what()));
      ::_exit(99);
    }
  }
}

Child::~Child() {
  if (pid_ > 0 && !code_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

std::optional<int> Child::wait() {
  int status = 0;
  if (!code_ && wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, kLimit)) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code_;
}

int in_child(const std::function<void()>& body) {
  return Child(body).wait().value_or(-1);
}

std::string output_of(LaunchSpec spec, const fs::path& directory) {
  spec.log = directory / ("output-" + random_name(8));
  const int code = in_child([&] { enter(spec); });
  const std::string text = read_file_if_any(spec.log).value_or("");
  return code == 0 ? text : "exit code " + std::to_string(code) + ": " + text;
}

bool file_gets(const fs::path& file, std::string_view text) {
  return wait_until(
      [&] { return read_file_if_any(file).value_or("").find(text) != std::string::npos; }, kLimit);
}

std::string status_field(pid_t pid, std::string_view name) {
  const std::string text =
      read_file_if_any("/proc/" + std::to_string(pid) + "/status").value_or("");
  const std::string start = "\n" + std::string(name) + ":\t";
  const std::size_t at = text.find(start);
  if (at == std::string::npos) {
    return {};
  }
  const std::size_t from = at + start.size();
  return text.substr(from, text.find('\n', from) - from);
}

}  // namespace upaas::host::test
