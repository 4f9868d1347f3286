#include "model/app_yaml_values.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace upaas::model {
namespace {

using Kind = YamlNode::Kind;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

const std::string& text_of(const ValueContext& context, const YamlNode& node) {
  if (node.kind != Kind::text) {
    throw context.bad(node, "must be a text, and is " + std::string(kind_name(node)),
                      node.kind == Kind::null ? "write \"\" for an empty text" : "");
  }
  return node.text;
}

const YamlNode& map_of(const ValueContext& context, const YamlNode& node) {
  if (node.kind != Kind::map) {
    throw context.bad(node, "must be a map (NAME: value), and is " + std::string(kind_name(node)));
  }
  return node;
}

template <typename Type>
Type named(const ValueContext& context, const YamlNode& node, std::string_view text) {
  try {
    return Type(text);
  } catch (const Error& e) {
    throw context.bad(node, e.message());
  }
}

void check_size(const ValueContext& context, const YamlNode& node, std::string_view text) {
  if (std::cmp_less(text.size(), context.key->least)) throw context.bad(node, "is empty");
  if (std::cmp_greater(text.size(), context.key->most)) {
    throw context.bad(node, "has " + std::to_string(text.size()) + " bytes; at most " +
                                std::to_string(context.key->most));
  }
}

/// What the app would not find as it was written.
void check_settable(const ValueContext& context, const YamlNode& name) {
  if (context.key->path != "env") return;
  if (name.text == "PORT")
    throw context.bad(name, "upaas sets PORT itself: each instance gets a port of its own",
                      "leave it out, and let the app read $PORT");
  if (name.text == "HOME")
    throw context.bad(name, "upaas sets HOME itself, to " + std::string(kAppHome), "leave it out");
}

/// A text for a shell: any bytes but NUL.
std::string shell_text(const ValueContext& context, const YamlNode& node) {
  const std::string& text = text_of(context, node);
  check_size(context, node, text);
  if (text.find('\0') != text.npos) throw context.bad(node, "must not hold a NUL byte");
  if (text.find_first_not_of(" \t\r\n") == text.npos) throw context.bad(node, "is empty");
  return text;
}

Script read_script(const ValueContext& context, const YamlNode& node) {
  if (node.kind == Kind::text) return {shell_text(context, node)};
  if (node.kind != Kind::list) {
    throw context.bad(
        node, "must be a shell command or a list of them, and is " + std::string(kind_name(node)));
  }
  Script script;
  for (const YamlRef& item : node.items) script.push_back(shell_text(context, *item));
  return script;
}

std::map<EnvName, std::string> read_env(const ValueContext& context, const YamlNode& node) {
  std::map<EnvName, std::string> env;
  std::size_t total = 0;
  for (const YamlField& field : map_of(context, node).fields) {
    const auto name = named<EnvName>(context, *field.key, field.key->text);
    check_settable(context, *field.key);
    ValueContext here = context;
    const std::string path = std::string(context.path) + "." + name.str();
    here.path = path;
    const YamlNode& at = field.value->kind == Kind::null ? *field.key : *field.value;
    if (field.value->kind != Kind::text) {
      throw here.bad(at, "must be a text, and is " + std::string(kind_name(*field.value)),
                     field.value->kind == Kind::null ? "write \"\" for an empty value" : "");
    }
    const std::string& value = field.value->text;
    if (value.find('\0') != value.npos) throw here.bad(at, "must not hold a NUL byte");
    const std::size_t size = name.str().size() + 1 + value.size() + 1;
    if (size > kEnvValueLimit) {
      throw here.bad(at, "is too long: " + std::to_string(size) +
                             " bytes as NAME=value with its NUL; Linux "
                             "takes " +
                             std::to_string(kEnvValueLimit) + " (MAX_ARG_STRLEN)");
    }
    total += size;
    if (std::cmp_greater(total, context.key->most)) {
      throw context.bad(at, "has more than " + std::to_string(context.key->most) + " bytes in all");
    }
    env.emplace(name, value);
  }
  return env;
}

std::map<TreePath, std::string> read_files(const ValueContext& context, const YamlNode& node) {
  std::map<TreePath, std::string> files;
  for (const YamlField& field : map_of(context, node).fields) {
    const auto path = named<TreePath>(context, *field.key, field.key->text);
    if (path.str() == kReservedDirectory ||
        path.str().starts_with(std::string(kReservedDirectory) + "/")) {
      throw context.bad(*field.key, shown(path.str()) + " belongs to upaas");
    }
    if (field.value->kind != Kind::text) {
      throw context.bad(field.value->kind == Kind::null ? *field.key : *field.value,
                        "the content of " + shown(path.str()) + " must be a text, and is " +
                            std::string(kind_name(*field.value)));
    }
    files.emplace(path, field.value->text);
  }
  for (const YamlField& field : node.fields) {
    const std::string& path = field.key->text;
    for (std::size_t slash = path.find('/'); slash != path.npos;
         slash = path.find('/', slash + 1)) {
      const TreePath above(path.substr(0, slash));
      if (!files.contains(above)) continue;
      throw context.bad(*field.key, shown(above.str()) + " is a file already, not a directory");
    }
  }
  return files;
}

Settings read_settings(const ValueContext& context, const YamlNode& node) {
  const auto& fields = map_of(context, node).fields;
  if (std::cmp_greater(fields.size(), context.key->most)) {
    throw context.bad(node, "has " + std::to_string(fields.size()) + " settings; at most " +
                                std::to_string(context.key->most));
  }
  Settings settings;
  for (const YamlField& field : fields) {
    const auto name = named<SettingName>(context, *field.key, field.key->text);
    const std::string path = std::string(context.path) + "." + name.str();
    ValueContext here = context;
    here.path = path;
    const YamlNode& at = field.value->kind == Kind::null ? *field.key : *field.value;
    if (field.value->kind == Kind::null) throw here.bad(at, "has no value");
    settings.emplace(name, named<PlainText>(here, at, text_of(here, *field.value)));
  }
  return settings;
}

std::vector<std::string> read_versions(const ValueContext& context, const YamlNode& node) {
  std::vector<std::string> versions;
  for (const YamlRef& item : list_of(context, node).items) {
    const std::string& text = text_of(context, *item);
    const bool form = !text.empty() && text.size() <= 16 && is_digit(text.front()) &&
                      is_digit(text.back()) && text.find("..") == text.npos &&
                      std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; });
    if (!form) throw context.bad(*item, shown(text) + " is not a version like 3 or 3.11");
    versions.push_back(text);
  }
  if (versions.empty()) throw context.bad(node, "is empty; leave the key out for any version");
  return versions;
}

std::vector<Domain> read_domains(const ValueContext& context, const YamlNode& node) {
  std::vector<Domain> domains;
  std::set<Domain> seen;
  for (const YamlRef& item : list_of(context, node).items) {
    std::string text = text_of(context, *item);
    std::ranges::transform(text, text.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const bool ascii =
        std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (!ascii) {
      throw context.bad(*item, shown(text) + " is not ASCII", "write its punycode form, xn--...");
    }
    const auto domain = named<Domain>(context, *item, text);
    if (!seen.insert(domain).second) throw context.bad(*item, shown(text) + " is there twice");
    domains.push_back(domain);
  }
  return domains;
}

/// Reads `N` or `N..M`.
template <typename Type, typename Parse>
Range<Type> read_range(const ValueContext& context, const YamlNode& node, std::string_view example,
                       Parse parse) {
  const std::string& text = text_of(context, node);
  const std::size_t dots = text.find("..");
  const std::string_view view = text;
  const auto min = parse(trimmed(view.substr(0, dots)));
  const auto max = dots == text.npos ? min : parse(trimmed(view.substr(dots + 2)));
  if (!min || !max) {
    throw context.bad(node, shown(text) + " must be like " + std::string(example));
  }
  if (*min > *max)
    throw context.bad(node, shown(text) + ": the first number is larger than the second");
  return {*min, *max};
}

template <typename Number>
void check_bounds(const ValueContext& context, const YamlNode& node, Number least, Number most,
                  std::string_view least_text, std::string_view most_text) {
  if (std::cmp_less(least, context.key->least) || std::cmp_greater(most, context.key->most)) {
    throw context.bad(node, shown(node.text) + " is outside of " + std::string(least_text) +
                                " to " + std::string(most_text));
  }
}

Range<int> read_count(const ValueContext& context, const YamlNode& node) {
  const auto parse = [](std::string_view text) -> std::optional<int> {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || !is_digit(text.front()) || text.size() > 9 || has_leading_zero(text) ||
        error != std::errc{} || end != text.data() + text.size()) {
      return std::nullopt;
    }
    return number;
  };
  const auto range = read_range<int>(context, node, "2 or 1..4", parse);
  check_bounds(context, node, range.min, range.max, std::to_string(context.key->least),
               std::to_string(context.key->most));
  return range;
}

Range<Megabytes> read_memory(const ValueContext& context, const YamlNode& node) {
  const auto range =
      read_range<Megabytes>(context, node, "128M, 2G or 128M..512M", Megabytes::from);
  check_bounds(context, node, range.min.value, range.max.value,
               std::to_string(context.key->least) + "M",
               std::to_string(context.key->most / 1024) + "G");
  return range;
}

std::chrono::milliseconds read_duration(const ValueContext& context, const YamlNode& node) {
  const std::string& text = text_of(context, node);
  const auto duration = parse_duration(text);
  if (!duration) throw context.bad(node, shown(text) + " must be like 30s, 1500ms or 2m");
  check_bounds(context, node, duration->count(), duration->count(),
               duration_text(std::chrono::milliseconds(context.key->least)),
               duration_text(std::chrono::milliseconds(context.key->most)));
  return *duration;
}

std::string read_url_path(const ValueContext& context, const YamlNode& node) {
  const std::string& text = text_of(context, node);
  check_size(context, node, text);
  if (text.front() != '/') throw context.bad(node, shown(text) + " must begin with '/'");
  if (!std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; })) {
    throw context.bad(node, shown(text) + " may only hold printable ASCII and no blanks",
                      "write other characters as %XX");
  }
  return text;
}

std::string read_source(const ValueContext& context, const YamlNode& node) {
  const std::string& text = text_of(context, node);
  check_size(context, node, text);
  if (std::ranges::any_of(text, is_control))
    throw context.bad(node, "must not hold control characters");
  return text;
}

}  // namespace

std::string_view kind_name(const YamlNode& node) {
  switch (node.kind) {
    case Kind::text:
      return "a text";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
    case Kind::null:
      break;
  }
  return "nothing";
}

const YamlNode& list_of(const ValueContext& context, const YamlNode& node) {
  if (node.kind != Kind::list) {
    throw context.bad(node, "must be a list, and is " + std::string(kind_name(node)),
                      "write each item on its own line after '- '");
  }
  if (std::cmp_greater(node.items.size(), context.key->most)) {
    throw context.bad(node, "has " + std::to_string(node.items.size()) + " items; at most " +
                                std::to_string(context.key->most));
  }
  return node;
}

Error ValueContext::bad(const YamlNode& node, std::string_view message, std::string hint) const {
  return yaml_error(file_name, node.line, node.column,
                    std::string(path) + ": " + std::string(message), std::move(hint));
}

Value read_value(const ValueContext& context, const YamlNode& node) {
  const auto text = [&]() -> const std::string& { return text_of(context, node); };
  switch (context.key->type) {
    case ValueType::app_name:
      return named<AppName>(context, node, text());
    case ValueType::source_path:
      return read_source(context, node);
    case ValueType::script:
      return read_script(context, node);
    case ValueType::env_map:
      return read_env(context, node);
    case ValueType::file_map:
      return read_files(context, node);
    case ValueType::interpreter:
      return named<InterpreterName>(context, node, text());
    case ValueType::versions:
      return read_versions(context, node);
    case ValueType::settings:
      return read_settings(context, node);
    case ValueType::uwsgi_settings:
      return read_uwsgi_settings(context, node);
    case ValueType::domains:
      return read_domains(context, node);
    case ValueType::count_range:
      return read_count(context, node);
    case ValueType::memory_range:
      return read_memory(context, node);
    case ValueType::duration:
      return read_duration(context, node);
    case ValueType::url_path:
      return read_url_path(context, node);
    case ValueType::command:
      return shell_text(context, node);
    case ValueType::section:
      break;
  }
  throw context.bad(node, "is a section");
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // Nine digits of hours stay far below 64 bits of milliseconds.
  if (error != std::errc{} || !is_digit(text.front()) || end - text.data() > 9 ||
      has_leading_zero(text))
    return std::nullopt;
  const std::string_view unit = text.substr(end - text.data());
  if (unit.empty() || unit == "s") return std::chrono::seconds(number);
  if (unit == "ms") return std::chrono::milliseconds(number);
  if (unit == "m") return std::chrono::minutes(number);
  if (unit == "h") return std::chrono::hours(number);
  return std::nullopt;
}

std::string duration_text(std::chrono::milliseconds duration) {
  const std::int64_t ms = duration.count();
  if (ms == 0 || ms % 1000 != 0) return std::to_string(ms) + "ms";
  if (ms % 3'600'000 == 0) return std::to_string(ms / 3'600'000) + "h";
  if (ms % 60'000 == 0) return std::to_string(ms / 60'000) + "m";
  return std::to_string(ms / 1000) + "s";
}

}  // namespace upaas::model
