/// A command line without a terminal: the Context of one command, with its output as text.
#pragma once

#include "cli/command.h"
#include "cli/context.h"
#include "cli/run.h"

#include <sstream>
#include <string>
#include <vector>

namespace upaas::test {

struct Console {
  explicit Console(std::filesystem::path cwd = "/") { context.cwd = std::move(cwd); }

  /// The exit code.
  int run(const std::vector<std::string>& words) {
    return cli::run(context, words, cli::run_command);
  }

  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  cli::Context context{.env = {}, .cwd = {}, .in = in, .out = out, .err = err};
};

}  // namespace upaas::test
