#include "cli/command_schema.h"

#include "cli/context.h"
#include "model/app_yaml.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {

int run_schema(Context& context) {
  context.out << dump_json_pretty(model::app_yaml_schema());
  return 0;
}

}  // namespace upaas::cli
