/// upaas-commands.so: what main.cpp loads. The only symbol that matters.

#include "cli/command.h"

extern "C" int upaas_run_command(const upaas::cli::Command& command, upaas::cli::Context& context) {
  return upaas::cli::run_command(command, context);
}
