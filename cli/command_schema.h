/// `upaas schema`: its help. What it does is in command_schema.cpp.
#pragma once

#include "cli/command.h"

namespace upaas::cli {

inline constexpr Command kSchema{
    .name = "schema",
    .summary = "print the JSON Schema of app.yaml, for editors",
    .text = R"(Write it to a file and begin the app.yaml with:
  # yaml-language-server: $schema=app.schema.json)",
};
int run_schema(Context& context);

}  // namespace upaas::cli
