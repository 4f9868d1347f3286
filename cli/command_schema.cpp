#include "cli/command_schema.h"

#include "cli/context.h"
#include "model/app_yaml.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

int run_schema(Context& context) {
  // A JSON Schema has no member `schema`: with --json it is what it is, too.
  if (context.format == Format::jsonl) {
    print_json(context, model::app_yaml_schema());
  } else {
    context.out << dump_json_pretty(model::app_yaml_schema());
  }
  return 0;
}

}  // namespace upaas::cli
