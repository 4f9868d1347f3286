/// The server's configuration: one YAML file, every key optional, unknown keys refused with
/// `FILE:LINE:COLUMN`. `!include FILE` stands for what another file has, relative to the one that
/// names it. The keys, their defaults and meanings are in docs/configuration.md.
#pragma once

#include "base/process.h"
#include "builder/builder.h"
#include "model/interpreters.h"
#include "model/names.h"
#include "model/units.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::daemon {

struct Address {
  std::string host;
  model::Port port;
};

struct Config {
  std::filesystem::path file;
  std::filesystem::path data = "/var/lib/upaas";
  std::filesystem::path run = "/run/upaas";
  Address listen{"127.0.0.1", {8700}};
  Address http{"127.0.0.1", {8080}};
  std::vector<std::string> proxies;  // addresses and networks
  std::string domain = "localhost";
  model::Range<std::uint32_t> ports{20000, 27999};
  model::Range<std::uint32_t> uids{200000, 265535};
  std::vector<std::string> safe_options;
  std::shared_ptr<const model::Interpreters> interpreters;  // the shipped ones and its own
  Environment build_env;
  std::map<std::filesystem::path, std::filesystem::path> build_files;  // host path -> path inside
  std::set<std::string, std::less<>> build_network = builder::kNetworkStages;
  bundle::Compression build_compression = bundle::Compression::fast;
  std::chrono::milliseconds build_time_limit =
      std::chrono::seconds(600);  // of one command of a build
  std::chrono::milliseconds build_total_time = std::chrono::minutes(60);
  builder::Limits build_limits;
  std::size_t keep_releases = 5;                    // of an app, with bundle and logs
  std::optional<model::Megabytes> keep_app = {};      // of the disk, for one app
  std::optional<model::Megabytes> keep_machine = {};  // for all of them
  std::string name;      // default: the host name
  std::string hardware;  // default: the machine id
  int cores = 0;         // default: what is found
  model::Megabytes memory;
};

/// Error(config) when the file is missing or wrong. Paths are made absolute (relative to the file).
[[nodiscard]] Config read_config(const std::filesystem::path& file);
/// The text of a file, for tests and fuzzing. `interpreters` are those that it adds to.
[[nodiscard]] Config parse_config(std::string_view text, const std::filesystem::path& file,
                                  model::Interpreters interpreters);

}  // namespace upaas::daemon
