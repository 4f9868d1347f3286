#include "host/limits.h"

#include "base/error.h"

#include <nlohmann/json.hpp>

namespace upaas::host {
namespace {

std::optional<long long> number_if_any(const Json& json, const char* field) {
  if (!json.contains(field)) {
    return std::nullopt;
  }
  const long long number = get_int(json, field);
  if (number < 1) {
    throw Error(ErrorKind::invalid, std::string("launch: limits.") + field + " is not positive");
  }
  return number;
}

}  // namespace

Json to_json(const Limits& limits) {
  Json json = Json::object();
  if (limits.memory) {
    json["memory"] = limits.memory->value;
  }
  if (limits.cpu) {
    json["cpu"] = limits.cpu->value;
  }
  if (limits.cpu_weight) {
    json["cpu_weight"] = *limits.cpu_weight;
  }
  if (limits.processes) {
    json["processes"] = *limits.processes;
  }
  return json;
}

Limits limits_from_json(const Json& json) {
  Limits limits;
  if (const auto memory = number_if_any(json, "memory")) {
    limits.memory = model::Megabytes{*memory};
  }
  if (const auto cpu = number_if_any(json, "cpu")) {
    limits.cpu = model::MilliCores{*cpu};
  }
  if (const auto weight = number_if_any(json, "cpu_weight")) {
    limits.cpu_weight = static_cast<int>(*weight);
  }
  limits.processes = number_if_any(json, "processes");
  return limits;
}

std::string LimitSupport::str() const {
  std::string has;
  std::string lacks;
  const auto add = [&](bool there, const std::string& name) {
    std::string& list = there ? has : lacks;
    list += (list.empty() ? "" : ", ") + (there ? name : "no " + name);
  };
  add(memory, "memory");
  add(cpu, "cpu");
  add(processes, "processes");
  if (has.empty()) {
    return "none";
  }
  return lacks.empty() ? has : has + " (" + lacks + ")";
}

}  // namespace upaas::host
