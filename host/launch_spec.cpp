#include "base/error.h"
#include "base/json.h"
#include "host/launch.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <array>
#include <limits>
#include <utility>

namespace upaas::host {
namespace {

constexpr std::array<std::pair<Mount::Kind, std::string_view>, 6> kKinds = {{
    {Mount::Kind::bind, "bind"},
    {Mount::Kind::bind_read_only, "bind_read_only"},
    {Mount::Kind::bind_without_links, "bind_without_links"},
    {Mount::Kind::tmpfs, "tmpfs"},
    {Mount::Kind::scratch, "scratch"},
    {Mount::Kind::proc, "proc"},
}};

Json to_json(const Mount& mount) {
  for (const auto& [kind, name] : kKinds) {
    if (kind == mount.kind) {
      return {{"kind", name}, {"source", mount.source.native()}, {"target", mount.target.native()}};
    }
  }
  throw Error(ErrorKind::internal, "launch: unknown kind of mount");
}

std::filesystem::path absolute_or_empty(const std::string& text, std::string_view field) {
  if (!text.empty() && text.front() != '/') {
    throw Error(ErrorKind::invalid,
                fmt::format("launch: {}: \"{}\" is not an absolute path", field, text));
  }
  return text;
}

Mount mount_from_json(const Json& json) {
  const std::string name = get_string(json, "kind");
  for (const auto& [kind, known] : kKinds) {
    if (known == name) {
      return {kind, absolute_or_empty(get_string_or(json, "source", ""), "mounts.source"),
              absolute_or_empty(get_string(json, "target"), "mounts.target")};
    }
  }
  throw Error(ErrorKind::invalid, fmt::format("launch: unknown kind of mount \"{}\"", name));
}

std::uint32_t id_from(long long number, std::string_view field) {
  // (uid_t)-1 means "unchanged" to the kernel.
  if (number < 0 || number >= std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorKind::invalid, fmt::format("launch: {}: {} is not an id", field, number));
  }
  return static_cast<std::uint32_t>(number);
}

std::vector<std::string> argv_from(const Json& json) {
  std::vector<std::string> argv;
  for (const Json& argument : get_array(json, "argv")) {
    if (!argument.is_string()) {
      throw Error(ErrorKind::invalid, "launch: argv: not a text");
    }
    argv.push_back(argument.get<std::string>());
  }
  if (argv.empty() || !argv.front().starts_with('/')) {
    throw Error(ErrorKind::invalid, "launch: argv[0] is not an absolute path");
  }
  return argv;
}

}  // namespace

Json to_json(const LaunchSpec& spec) {
  Json mounts = Json::array();
  for (const Mount& mount : spec.mounts) {
    mounts.push_back(to_json(mount));
  }
  Json json = {
      {"argv", spec.argv},
      {"env_file", spec.env_file.native()},
      {"cgroup", spec.cgroup.native()},
      {"log", spec.log.native()},
      {"cwd", spec.cwd.native()},
      {"groups", spec.groups},
      {"mask", spec.mask},
      {"mounts", std::move(mounts)},
      {"bind_low_ports", spec.bind_low_ports},
      {"die_with_parent", spec.die_with_parent},
      {"clear_cgroup", spec.clear_cgroup},
      {"announce_to_emperor", spec.announce_to_emperor},
  };
  if (spec.uid) {
    json["uid"] = spec.uid->value;
  }
  for (const std::filesystem::path& directory : spec.cgroup_beside) {
    json["cgroup_beside"].push_back(directory.native());
  }
  if (spec.limits != Limits{}) {
    json["limits"] = to_json(spec.limits);
  }
  if (!spec.hits_file.empty()) {
    json["hits_file"] = spec.hits_file.native();
  }
  return json;
}

LaunchSpec launch_spec_from_json(const Json& json) {
  LaunchSpec spec;
  spec.argv = argv_from(json);
  spec.env_file = absolute_or_empty(get_string_or(json, "env_file", ""), "env_file");
  spec.cgroup = absolute_or_empty(get_string_or(json, "cgroup", ""), "cgroup");
  if (json.contains("cgroup_beside")) {
    for (const Json& directory : get_array(json, "cgroup_beside")) {
      spec.cgroup_beside.push_back(absolute_or_empty(
          directory.is_string() ? directory.get<std::string>() : "?", "cgroup_beside"));
    }
  }
  if (json.contains("limits")) {
    spec.limits = limits_from_json(get_object(json, "limits"));
  }
  spec.hits_file = absolute_or_empty(get_string_or(json, "hits_file", ""), "hits_file");
  spec.log = absolute_or_empty(get_string_or(json, "log", ""), "log");
  spec.cwd = absolute_or_empty(get_string_or(json, "cwd", "/"), "cwd");
  if (json.contains("uid")) {
    spec.uid = model::Uid{id_from(get_int(json, "uid"), "uid")};
  }
  for (const Json& group : get_array(json, "groups")) {
    spec.groups.push_back(
        id_from(group.is_number_integer() ? group.get<long long>() : -1, "groups"));
  }
  spec.mask = id_from(get_int_or(json, "mask", 022), "mask") & 0777;
  for (const Json& mount : get_array(json, "mounts")) {
    spec.mounts.push_back(mount_from_json(mount));
  }
  spec.bind_low_ports = get_bool_or(json, "bind_low_ports", false);
  spec.die_with_parent = get_bool_or(json, "die_with_parent", false);
  spec.clear_cgroup = get_bool_or(json, "clear_cgroup", false);
  spec.announce_to_emperor = get_bool_or(json, "announce_to_emperor", false);
  return spec;
}

}  // namespace upaas::host
