/// The program `upaas`: a small front that starts in a few milliseconds. The commands that need
/// libcurl, libarchive and yaml-cpp (30 shared libraries, 20 ms) are in upaas-commands.so, loaded
/// when one is run.

#include "cli/run.h"

#include <fmt/core.h>

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <iostream>

namespace {

using upaas::Error;
using upaas::ErrorKind;
namespace cli = upaas::cli;
namespace fs = std::filesystem;

upaas::Environment environment() {
  upaas::Environment env;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      env.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return env;
}

/// Beside the program in a build tree, in ../lib/upaas when installed.
fs::path library() {
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const fs::path beside = here / "upaas-commands.so";
  return fs::exists(beside, ignored) ? beside : here.parent_path() / "lib/upaas/upaas-commands.so";
}

int load_and_run(const cli::Command& command, cli::Context& context) {
  void* handle = ::dlopen(library().c_str(), RTLD_NOW | RTLD_LOCAL);
  void* symbol = handle == nullptr ? nullptr : ::dlsym(handle, "upaas_run_command");
  if (symbol == nullptr) {
    throw Error(ErrorKind::internal,
                fmt::format("the installation is not complete: {}", ::dlerror()));
  }
  return reinterpret_cast<int (*)(const cli::Command&, cli::Context&)>(symbol)(command, context);
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  const upaas::Environment env = environment();
  std::error_code ignored;
  cli::Context context{.env = env,
                       .cwd = fs::current_path(ignored),
                       .in = std::cin,
                       .out = std::cout,
                       .err = std::cerr,
                       .interactive = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1,
                       .terminal = cli::terminal_of(STDERR_FILENO, env)};
  return cli::run(context, std::vector<std::string>(argv + 1, argv + std::max(argc, 1)),
                  load_and_run);
}
