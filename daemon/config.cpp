#include "daemon/config.h"

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "host/templates.h"
#include "model/app_yaml.h"
#include "model/nearest.h"
#include "model/yaml_tree.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <regex>
#include <thread>

namespace upaas::daemon {
namespace {

using model::YamlNode;

constexpr std::size_t kLimit = std::size_t{1} << 20;

/// uWSGI expands its own notation in every option, and prints paths into JSON unescaped.
std::string_view unfit(std::string_view path) {
  if (const auto expansion = model::uwsgi_expansion(path); !expansion.empty()) return expansion;
  for (const std::string_view word : {"\"", "\\"}) {
    if (path.find(word) != std::string_view::npos) return word;
  }
  return std::any_of(path.begin(), path.end(), is_control) ? "control characters" : "";
}

/// One file being read: where errors point, and what paths are relative to.
struct Reader {
  Config& config;
  model::Interpreters& interpreters;
  std::vector<std::string> more_safe_options = {};

  [[nodiscard]] Error wrong(const YamlNode& node, const std::string& message,
                            const std::string& hint = {}) const {
    Error error = model::yaml_error(node, message, hint);
    return {ErrorKind::config, error.message(), error.hint()};
  }
  [[nodiscard]] const std::string& text(const YamlNode& node, std::string_view key) const {
    if (node.kind != YamlNode::Kind::text)
      throw wrong(node, fmt::format("`{}` must be a text", key));
    return node.text;
  }
  [[nodiscard]] long long number(const YamlNode& node, std::string_view key,
                                 std::string_view digits, long long least, long long most) const {
    long long value = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failed != std::errc{} || end != digits.data() + digits.size() || value < least ||
        value > most) {
      throw wrong(node, fmt::format("`{}` must be a number from {} to {}", key, least, most));
    }
    return value;
  }
  [[nodiscard]] std::filesystem::path path(const YamlNode& node, std::string_view key) const {
    const std::filesystem::path value = text(node, key);
    return (std::filesystem::absolute(*node.file).parent_path() / value).lexically_normal();
  }
  [[nodiscard]] std::filesystem::path own_directory(const YamlNode& node,
                                                    std::string_view key) const {
    std::filesystem::path directory = path(node, key);
    if (const auto why = unfit(directory.native()); !why.empty())
      throw wrong(
          node,
          fmt::format("`{}` must not hold {}: uWSGI would take it for more than a path", key, why));
    return directory;
  }
  [[nodiscard]] Address address(const YamlNode& node, std::string_view key) const {
    const std::string& value = text(node, key);
    const auto colon = value.rfind(':');
    if (colon == std::string::npos || colon == 0)
      throw wrong(node, fmt::format("`{}` must be HOST:PORT", key));
    const auto port = number(node, key, std::string_view(value).substr(colon + 1), 1, 65535);
    return {value.substr(0, colon), {static_cast<std::uint16_t>(port)}};
  }
  /// Where nginx listens: a number, since the switch's own requests go there too.
  [[nodiscard]] Address front(const YamlNode& node) const {
    Address front = address(node, "http");
    std::string& host = front.host;
    if (host == "*") host = "0.0.0.0";
    if (host == "localhost") host = "127.0.0.1";
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    const std::string bare = bracketed ? host.substr(1, host.size() - 2) : host;
    in6_addr number{};
    if (inet_pton(AF_INET6, bare.c_str(), &number) == 1) {
      host = "[" + bare + "]";
    } else if (bracketed || inet_pton(AF_INET, bare.c_str(), &number) != 1) {
      throw wrong(node, "`http` must be an IP address and a port",
                  "every IPv4 address is 0.0.0.0:8080, every IPv6 address \"[::]:8080\"");
    }
    return front;
  }
  [[nodiscard]] model::Range<std::uint32_t> range(const YamlNode& node, std::string_view key,
                                                  long long least, long long most) const {
    const std::string& value = text(node, key);
    const auto dots = value.find("..");
    if (dots == std::string::npos) throw wrong(node, fmt::format("`{}` must be FIRST..LAST", key));
    const auto first = number(node, key, std::string_view(value).substr(0, dots), least, most);
    const auto last = number(node, key, std::string_view(value).substr(dots + 2), first, most);
    return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)};
  }
};

std::vector<std::string> expressions(const Reader& r, const YamlNode& node, std::string_view key) {
  if (node.kind != YamlNode::Kind::list)
    throw r.wrong(node, fmt::format("`{}` must be a list of regular expressions", key));
  std::vector<std::string> all;
  for (const auto& item : node.items) {
    all.push_back(r.text(*item, key));
    try {
      const std::regex compiled(all.back(), std::regex::ECMAScript);
    } catch (const std::regex_error& error) {
      throw r.wrong(*item, fmt::format("`{}`: {} is not a regular expression: {}", key,
                                       model::shown(all.back()), error.what()));
    }
  }
  return all;
}

/// 10.1.2.3, 10.0.0.0/8, fd00::/8.
bool is_network(const std::string& text) {
  const auto slash = text.find('/');
  const std::string address = text.substr(0, slash);
  in6_addr number{};
  const bool v6 = inet_pton(AF_INET6, address.c_str(), &number) == 1;
  if (!v6 && inet_pton(AF_INET, address.c_str(), &number) != 1) return false;
  if (slash == std::string::npos) return true;
  int bits = -1;
  const char* last = text.data() + text.size();
  const auto [end, failed] = std::from_chars(text.data() + slash + 1, last, bits);
  return failed == std::errc{} && end == last && bits >= 0 && bits <= (v6 ? 128 : 32);
}

void read_proxies(Reader& r, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::list)
    throw r.wrong(node, "`proxies` must be a list of IP addresses and networks");
  for (const auto& item : node.items) {
    const std::string& text = r.text(*item, "proxies");
    if (!is_network(text))
      throw r.wrong(*item, "`proxies`: " + model::shown(text) + " is no IP address or network",
                    "write them as 127.0.0.1 or 10.0.0.0/8");
    r.config.proxies.push_back(text);
  }
}

/// `30s`, `10m` or a bare number of seconds.
std::chrono::seconds seconds_of(const Reader& r, const YamlNode& node, std::string_view key) {
  std::string_view digits = r.text(node, key);
  const bool minutes = digits.ends_with('m');
  if (minutes || digits.ends_with('s')) digits.remove_suffix(1);
  return std::chrono::seconds(r.number(node, key, digits, 1, 86'400) * (minutes ? 60 : 1));
}

void read_pairs(Reader& r, const YamlNode& node, const std::string& key,
                const std::function<void(const std::string&, const std::string&)>& take) {
  if (node.kind != YamlNode::Kind::map) throw r.wrong(node, fmt::format("`{}` must be a map", key));
  for (const auto& item : node.fields) take(item.key->text, r.text(*item.value, key));
}

model::Megabytes size_of(const Reader& r, const YamlNode& node, std::string_view key,
                         std::int64_t least) {
  const auto size = model::Megabytes::from(r.text(node, key));
  if (!size || size->value < least) {
    throw r.wrong(node, fmt::format("`{}` must be a size such as 8G, {}M or more", key, least));
  }
  return *size;
}

/// `all`, `2` or `0.5`.
std::optional<model::MilliCores> cores_of(const Reader& r, const YamlNode& node,
                                          std::string_view key) {
  const std::string& text = r.text(node, key);
  if (text == "all") return std::nullopt;
  double cores = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), cores);
  if (failed != std::errc{} || end != text.data() + text.size() || !(cores >= 0.01) ||
      !(cores <= 4096)) {
    throw r.wrong(node, fmt::format("`{}` must be `all` or a number of cores from 0.01", key));
  }
  return model::MilliCores{static_cast<std::int64_t>(cores * 1000)};
}

/// `all`, `none`, or a list of stages.
void read_network(Reader& r, const YamlNode& node) {
  auto& network = r.config.build_network;
  if (node.kind == YamlNode::Kind::list) {
    network.clear();
    for (const auto& item : node.items) {
      const std::string& stage = r.text(*item, "build.network");
      if (!builder::kNetworkStages.contains(stage)) {
        throw r.wrong(*item,
                      "`build.network`: " + model::shown(stage) + " is not one of its stages",
                      fmt::format("known are {}", fmt::join(builder::kNetworkStages, ", ")));
      }
      network.insert(stage);
    }
  } else if (const std::string& word = r.text(node, "build.network"); word == "none") {
    network.clear();
  } else if (word != "all") {
    throw r.wrong(node, "`build.network` must be `all`, `none` or a list of stages");
  }
}

void read_build_limits(Reader& r, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::map) throw r.wrong(node, "`build.limits` must be a map");
  builder::Limits& limits = r.config.build_limits;
  for (const auto& field : node.fields) {
    const std::string key = "build.limits." + field.key->text;
    const YamlNode& value = *field.value;
    // What a shell and a compiler need to start at all.
    if (field.key->text == "memory") {
      limits.memory = size_of(r, value, key, 32);
    } else if (field.key->text == "cpus") {
      limits.cpu = cores_of(r, value, key);
    } else if (field.key->text == "processes") {
      limits.processes = r.number(value, key, r.text(value, key), 16, 1'000'000);
    } else if (field.key->text == "output") {
      limits.output = size_of(r, value, key, 1);
    } else if (field.key->text == "disk") {
      limits.disk = size_of(r, value, key, 1);
    } else {
      throw r.wrong(*field.key, "unknown key " + model::shown(key),
                    "known are memory, cpus, processes, output and disk");
    }
  }
}

/// Of this machine: relative to the configuration, and there, else no build could begin.
void read_build_files(Reader& r, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::map) throw r.wrong(node, "`build.files` must be a map");
  for (const auto& field : node.fields) {
    const std::filesystem::path from = r.path(*field.key, "build.files");
    std::error_code none;
    if (!std::filesystem::exists(from, none))
      throw r.wrong(*field.key, fmt::format("`build.files`: there is no {}", from.string()));
    r.config.build_files[from] = r.text(*field.value, "build.files");
  }
}

void read_compression(Reader& r, const YamlNode& node) {
  const std::string& word = r.text(node, "build.compression");
  if (word != "fast" && word != "small")
    throw r.wrong(node, "`build.compression` must be `fast` or `small`");
  r.config.build_compression =
      word == "small" ? bundle::Compression::small : bundle::Compression::fast;
}

void read_build(Reader& r, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::map) throw r.wrong(node, "`build` must be a map");
  for (const auto& field : node.fields) {
    const std::string& key = field.key->text;
    if (key == "env") {
      read_pairs(r, *field.value, "build.env",
                 [&](const auto& name, const auto& value) { r.config.build_env[name] = value; });
    } else if (key == "files") {
      read_build_files(r, *field.value);
    } else if (key == "compression") {
      read_compression(r, *field.value);
    } else if (key == "network") {
      read_network(r, *field.value);
    } else if (key == "time_limit") {
      r.config.build_time_limit = seconds_of(r, *field.value, "build.time_limit");
    } else if (key == "total_time") {
      r.config.build_total_time = seconds_of(r, *field.value, "build.total_time");
    } else if (key == "limits") {
      read_build_limits(r, *field.value);
    } else {
      throw r.wrong(
          *field.key, "unknown key " + model::shown("build." + key),
          "known are compression, env, files, limits, network, time_limit and total_time");
    }
  }
}

/// `10G`, or `none`.
std::optional<model::Megabytes> budget_of(const Reader& r, const YamlNode& node,
                                          const std::string& key) {
  if (r.text(node, key) == "none") return std::nullopt;
  return size_of(r, node, key, 1);
}

void read_keep(Reader& r, const YamlNode& node) {
  if (node.kind != YamlNode::Kind::map) throw r.wrong(node, "`keep` must be a map");
  for (const auto& field : node.fields) {
    const std::string key = "keep." + field.key->text;
    const YamlNode& value = *field.value;
    if (field.key->text == "releases") {
      r.config.keep_releases =
          static_cast<std::size_t>(r.number(value, key, r.text(value, key), 1, 1000));
    } else if (field.key->text == "app") {
      r.config.keep_app = budget_of(r, value, key);
    } else if (field.key->text == "machine") {
      r.config.keep_machine = budget_of(r, value, key);
    } else {
      throw r.wrong(*field.key, "unknown key " + model::shown(key),
                    "known are app, machine and releases");
    }
  }
}

void read_memory(Reader& r, const YamlNode& node) {
  r.config.memory = size_of(r, node, "memory", 1);
}

void only(Reader& r, const YamlNode& node, const std::string& key, std::string_view value) {
  if (r.text(node, key) != value) {
    throw r.wrong(node, fmt::format("`{}` can only be `{}` in this version", key, value));
  }
}

using Read = std::function<void(Reader&, const YamlNode&)>;

const std::map<std::string, Read>& keys() {
  static const std::map<std::string, Read> table{
      {"data", [](Reader& r, const YamlNode& n) { r.config.data = r.own_directory(n, "data"); }},
      {"run", [](Reader& r, const YamlNode& n) { r.config.run = r.own_directory(n, "run"); }},
      {"listen", [](Reader& r, const YamlNode& n) { r.config.listen = r.address(n, "listen"); }},
      {"http", [](Reader& r, const YamlNode& n) { r.config.http = r.front(n); }},
      {"proxies", read_proxies},
      {"domain",
       [](Reader& r, const YamlNode& n) {
         if (!model::Domain::from(r.text(n, "domain")))
           throw r.wrong(n, "`domain` must be a host name");
         r.config.domain = n.text;
       }},
      {"ports",
       [](Reader& r, const YamlNode& n) { r.config.ports = r.range(n, "ports", 1024, 65535); }},
      {"uids", [](Reader& r,
                  const YamlNode& n) { r.config.uids = r.range(n, "uids", 1000, 4'000'000'000); }},
      {"safe_options",
       [](Reader& r, const YamlNode& n) {
         r.config.safe_options = expressions(r, n, "safe_options");
       }},
      {"more_safe_options",
       [](Reader& r, const YamlNode& n) {
         r.more_safe_options = expressions(r, n, "more_safe_options");
       }},
      {"build", read_build},
      {"keep", read_keep},
      {"interpreters",
       [](Reader& r, const YamlNode& n) { r.interpreters.add(n, host::read_template); }},
      {"name",
       [](Reader& r, const YamlNode& n) {
         if (!model::BackendName::from(r.text(n, "name")))
           throw r.wrong(n, "`name` must be a host name");
         r.config.name = n.text;
       }},
      {"hardware", [](Reader& r, const YamlNode& n) { r.config.hardware = r.text(n, "hardware"); }},
      {"cores",
       [](Reader& r, const YamlNode& n) {
         r.config.cores = static_cast<int>(r.number(n, "cores", r.text(n, "cores"), 1, 4096));
       }},
      {"memory", read_memory},
      {"store", [](Reader& r, const YamlNode& n) { only(r, n, "store", "sqlite"); }},
  };
  return table;
}

model::Megabytes memory_of_machine() {
  return {static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / (1 << 20)};
}

void fill_defaults(Config& config) {
  char name[256] = "localhost";
  if (config.name.empty()) {
    (void)gethostname(name, sizeof name - 1);
    std::string lowered(name);
    for (char& c : lowered) c = static_cast<char>(tolower(c));
    config.name = model::BackendName::from(lowered) ? lowered : "localhost";
  }
  if (config.hardware.empty()) {
    config.hardware = read_file_if_any("/etc/machine-id", 256).value_or(config.name);
    while (!config.hardware.empty() && config.hardware.back() == '\n') config.hardware.pop_back();
  }
  if (config.cores == 0)
    config.cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (config.memory.value == 0) {
    config.memory = memory_of_machine();
  }
}

std::string known_keys() {
  std::string list;
  for (const auto& [key, read] : keys()) list += (list.empty() ? "" : ", ") + key;
  return list;
}

model::YamlRef read_tree(std::string_view text, const std::filesystem::path& file) {
  try {
    const auto root = model::parse_yaml(text, file.string(), {.includes = true});
    return model::with_includes(root,
                                [](const std::string& path) { return read_file(path, kLimit); });
  } catch (const Error& error) {
    throw Error(ErrorKind::config, error.message(), error.hint());
  }
}

}  // namespace

Config parse_config(std::string_view text, const std::filesystem::path& file,
                    model::Interpreters interpreters) {
  Config config;
  config.file = std::filesystem::absolute(file);
  config.safe_options = model::default_safe_options();
  Reader reader{config, interpreters};
  if (text.find_first_not_of(" \t\r\n") != std::string_view::npos) {
    const model::YamlRef root = read_tree(text, file);
    if (root->kind != YamlNode::Kind::map) throw reader.wrong(*root, "must be a map of keys");
    for (const auto& field : root->fields) {
      const auto found = keys().find(field.key->text);
      if (found == keys().end()) {
        throw reader.wrong(*field.key, "unknown key " + model::shown(field.key->text),
                           "known are " + known_keys());
      }
      found->second(reader, *field.value);
    }
  }
  config.safe_options.insert(config.safe_options.end(), reader.more_safe_options.begin(),
                             reader.more_safe_options.end());
  if (config.listen.host != "127.0.0.1" && config.listen.host != "localhost") {
    throw Error(ErrorKind::config,
                fmt::format("{}: `listen` must be on 127.0.0.1: plain HTTP is for loopback only",
                            file.string()),
                "reach it from elsewhere through an SSH tunnel");
  }
  config.interpreters = std::make_shared<const model::Interpreters>(std::move(interpreters));
  fill_defaults(config);
  // More than the machine has would be no limit.
  config.build_limits.memory = std::min(config.build_limits.memory, memory_of_machine());
  return config;
}

Config read_config(const std::filesystem::path& file) {
  const auto text = read_file_if_any(file, kLimit);
  if (!text) {
    throw Error(ErrorKind::config, "there is no configuration " + file.string(),
                "write one (docs/configuration.md; an empty file takes every default), or name it "
                "with --config");
  }
  return parse_config(*text, file, host::shipped_interpreters(host::find_templates()));
}

}  // namespace upaas::daemon
