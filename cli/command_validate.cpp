#include "cli/command_validate.h"

#include "cli/app_choice.h"
#include "cli/stream.h"
#include "host/templates.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

int run_validate(Context& context) {
  const auto interpreters = host::shipped_interpreters(host::find_templates());
  const AppFile file = read_app_file(context, &interpreters, SafeOptions::checked);
  (void)source_directory(file);
  if (context.format == Format::text) {
    context.out << file.shown << " is valid\n";
  } else {
    print_json(context, {{"schema", "upaas.validate/v1"},
                         {"file", file.shown},
                         {"app", file.name.str()},
                         {"valid", true}});
  }
  return 0;
}

}  // namespace upaas::cli
