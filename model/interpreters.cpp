#include "model/interpreters.h"

#include "model/app_yaml_values.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace upaas::model {
namespace {

using Kind = YamlNode::Kind;

constexpr Key kEnv{.path = "env", .type = ValueType::env_map, .most = 1 << 20};
constexpr Key kScript{.path = "", .type = ValueType::script, .least = 1, .most = 100'000};

std::optional<SettingRule::Kind> kind_from(std::string_view text) {
  if (text == "text") return SettingRule::Kind::text;
  if (text == "path") return SettingRule::Kind::path;
  if (text == "module") return SettingRule::Kind::module;
  return std::nullopt;
}

/// One definition being read; `path_` is where, for messages.
class Reader {
 public:
  Reader(std::string path, const Interpreters::ReadFile& read_file)
      : path_(std::move(path)), read_file_(read_file) {}

  [[nodiscard]] Error bad(const YamlNode& node, const std::string& message,
                          std::string hint = {}) const {
    const Error error = yaml_error(node, path_ + ": " + message, hint);
    return {ErrorKind::config, error.message(), error.hint()};
  }

  [[nodiscard]] Reader below(const std::string& name) const {
    return {path_ + "." + name, read_file_};
  }

  /// Calls the function that the table has for each key.
  template <typename Table>
  void each(const YamlNode& node, const Table& table) const {
    if (node.kind != Kind::map) throw bad(node, "must be a map of keys");
    for (const YamlField& field : node.fields) {
      const auto found = std::find_if(table.begin(), table.end(), [&](const auto& row) {
        return row.first == field.key->text;
      });
      if (found == table.end()) {
        std::string known;
        for (const auto& row : table) known += (known.empty() ? "" : ", ") + std::string(row.first);
        throw bad(*field.key, "unknown key " + shown(field.key->text), "known are " + known);
      }
      found->second(below(field.key->text), *field.value);
    }
  }

  [[nodiscard]] std::string text(const YamlNode& node) const {
    if (node.kind != Kind::text) throw bad(node, "must be a text");
    return node.text;
  }

  template <typename Take>
  void fields(const YamlNode& node, const Take& take) const {
    if (node.kind != Kind::map) throw bad(node, "must be a map");
    for (const YamlField& field : node.fields) take(*field.key, *field.value);
  }

  [[nodiscard]] std::vector<std::string> texts(const YamlNode& node) const {
    if (node.kind != Kind::list) throw bad(node, "must be a list");
    std::vector<std::string> all;
    for (const YamlRef& item : node.items) all.push_back(text(*item));
    return all;
  }

  template <typename Type>
  [[nodiscard]] Type named(const YamlNode& node) const {
    try {
      return Type(text(node));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::config) throw;
      throw bad(node, error.message());
    }
  }

  template <typename Type>
  [[nodiscard]] std::vector<Type> named_list(const YamlNode& node) const {
    if (node.kind != Kind::list) throw bad(node, "must be a list");
    std::vector<Type> all;
    for (const YamlRef& item : node.items) all.push_back(named<Type>(*item));
    return all;
  }

  /// What app.yaml has too is read as there.
  template <typename Type>
  [[nodiscard]] Type as(const Key& key, const YamlNode& node) const {
    try {
      return std::get<Type>(read_value({*node.file, path_, &key, nullptr}, node));
    } catch (const Error& error) {
      throw Error(ErrorKind::config, error.message(), error.hint());
    }
  }

  [[nodiscard]] Script script(const YamlNode& node) const { return as<Script>(kScript, node); }
  [[nodiscard]] std::map<EnvName, std::string> environment(const YamlNode& node) const {
    return as<std::map<EnvName, std::string>>(kEnv, node);
  }

  /// Lines, or the name of a file that has them.
  [[nodiscard]] std::string lines(const YamlNode& node) const {
    const std::string written = text(node);
    if (written.find('\n') != written.npos) return written;
    try {
      return read_file_((std::filesystem::path(*node.file).parent_path() / written).string());
    } catch (const Error& error) {
      throw bad(node, error.message());
    }
  }

 private:
  std::string path_;
  const Interpreters::ReadFile& read_file_;
};

using Take = std::function<void(const Reader&, const YamlNode&)>;
using Table = std::vector<std::pair<std::string_view, Take>>;

SettingRule read_setting(const Reader& r, const YamlNode& node) {
  SettingRule rule;
  r.each(node, Table{{"kind",
                      [&](const Reader& k, const YamlNode& n) {
                        const auto kind = kind_from(k.text(n));
                        if (!kind) throw k.bad(n, "must be text, path or module");
                        rule.kind = *kind;
                      }},
                     {"default", [&](const Reader& d, const YamlNode& n) {
                        rule.otherwise = d.named<PlainText>(n);
                      }}});
  if (!rule.otherwise) return rule;
  if (const auto why = rule.refuse(rule.otherwise->str())) throw r.bad(node, "its default " + *why);
  return rule;
}

void read_uwsgi(InterpreterDefinition& made, const Reader& reader, const YamlNode& node) {
  reader.each(
      node, Table{{"plugin", [&](const Reader& r,
                                 const YamlNode& n) { made.plugin = r.named<PlainText>(n).str(); }},
                  {"template",
                   [&](const Reader& r, const YamlNode& n) { made.template_text = r.lines(n); }},
                  {"vars", [&](const Reader& r, const YamlNode& n) {
                     r.fields(n, [&](const YamlNode& name, const YamlNode& value) {
                       made.vars.emplace(r.named<SettingName>(name), r.named<PlainText>(value));
                     });
                   }}});
}

void read_actions(const Reader& reader, const YamlNode& node, const Table& setup) {
  reader.each(node,
              Table{{"setup", [&](const Reader& r, const YamlNode& n) { r.each(n, setup); }}});
}

void read_dependencies(DependencyRule& rule, const Reader& reader, const YamlNode& node) {
  reader.each(
      node,
      Table{{"keys",
             [&](const Reader& r, const YamlNode& n) { rule.keys = r.named_list<TreePath>(n); }},
            {"refers", [&](const Reader& r, const YamlNode& n) { rule.refers = r.script(n); }},
            {"paths",
             [&](const Reader& r, const YamlNode& n) { rule.paths = r.named_list<TreePath>(n); }}});
}

Table definition_keys(InterpreterDefinition& made) {
  return {
      {"version", [&](const Reader& r, const YamlNode& n) { made.version = r.texts(n); }},
      {"packages", [&](const Reader& r, const YamlNode& n) { made.packages = r.texts(n); }},
      {"env", [&](const Reader& r, const YamlNode& n) { made.env = r.environment(n); }},
      {"settings",
       [&](const Reader& r, const YamlNode& n) {
         r.fields(n, [&](const YamlNode& name, const YamlNode& value) {
           made.settings.emplace(r.named<SettingName>(name),
                                 read_setting(r.below(name.text), value));
         });
       }},
      {"present",
       [&](const Reader& r, const YamlNode& n) {
         r.fields(n, [&](const YamlNode& name, const YamlNode& value) {
           made.present.emplace(r.named<SettingName>(name), r.named<TreePath>(value));
         });
       }},
      {"path", [&](const Reader& r, const YamlNode& n) { made.path = r.named_list<TreePath>(n); }},
      {"actions",
       [&](const Reader& r, const YamlNode& n) {
         read_actions(
             r, n,
             {{"interpreter",
               [&](const Reader& s, const YamlNode& m) { made.interpreter = s.script(m); }},
              {"main", [&](const Reader& s, const YamlNode& m) { made.main = s.script(m); }},
              {"build", [&](const Reader& s, const YamlNode& m) { made.build = s.script(m); }}});
       }},
      {"dependencies",
       [&](const Reader& r, const YamlNode& n) { read_dependencies(made.dependencies, r, n); }},
      {"uwsgi", [&](const Reader& r, const YamlNode& n) { read_uwsgi(made, r, n); }}};
}

InterpreterDefinition read_definition(const Reader& reader, const YamlNode& node) {
  InterpreterDefinition made;
  reader.each(node, definition_keys(made));
  if (made.plugin.empty() != made.template_text.empty())
    throw reader.bad(node, "uwsgi.plugin and uwsgi.template need each other");
  return made;
}

}  // namespace

std::optional<std::string> SettingRule::refuse(std::string_view text) const {
  switch (kind) {
    case Kind::path:
      return TreePathRule::refuse(text);
    case Kind::module:
      return PythonModuleRule::refuse(text);
    case Kind::text:
      break;
  }
  return std::nullopt;
}

std::string known_settings(const InterpreterDefinition& definition) {
  std::string known;
  for (const auto& [name, rule] : definition.settings)
    known += (known.empty() ? "known are " : ", ") + name.str();
  return known.empty() ? "it has none" : known;
}

void Interpreters::add(const YamlNode& node, const ReadFile& read_file) {
  const Reader reader("interpreters", read_file);
  reader.fields(node, [&](const YamlNode& key, const YamlNode& value) {
    const Reader here = reader.below(key.text);
    if (key.text == "env") {
      env = here.environment(value);
    } else if (key.text == "actions") {
      read_actions(
          here, value,
          {{"system", [&](const Reader& s, const YamlNode& n) { system = s.script(n); }},
           {"finalize", [&](const Reader& s, const YamlNode& n) { finalize = s.script(n); }}});
    } else {
      auto& definitions = types_[reader.named<InterpreterName>(key)];
      here.fields(value, [&](const YamlNode& version, const YamlNode& definition) {
        if (version.text != "any" && version_numbers(version.text).empty())
          throw here.bad(version, shown(version.text) + " must be `any` or a version like 3.11");
        definitions.insert_or_assign(version.text,
                                     read_definition(here.below(version.text), definition));
      });
    }
  });
}

std::vector<InterpreterName> Interpreters::names() const {
  std::vector<InterpreterName> all;
  for (const auto& [name, definitions] : types_) all.push_back(name);
  return all;
}

std::vector<std::string> Interpreters::versions(const InterpreterName& name) const {
  std::vector<std::string> all;
  if (const auto found = types_.find(name); found != types_.end()) {
    for (const auto& [version, definition] : found->second) all.push_back(version);
  }
  return all;
}

const InterpreterDefinition* Interpreters::find(const InterpreterName& name,
                                                std::string_view version) const {
  const auto found = types_.find(name);
  if (found == types_.end()) return nullptr;
  const InterpreterDefinition* any = nullptr;
  for (const auto& [known, definition] : found->second) {
    if (known == "any") any = &definition;
    if (known != "any" && !version.empty() && same_version(known, version)) return &definition;
  }
  return any;
}

std::vector<int> version_numbers(std::string_view version) {
  std::vector<int> out;
  const char* at = version.data();
  const char* end = at + version.size();
  while (at < end) {
    int number = 0;
    const auto [next, failure] = std::from_chars(at, end, number);
    if (failure != std::errc() || number < 0) break;
    out.push_back(number);
    at = next < end && *next == '.' ? next + 1 : end;
  }
  return out;
}

bool same_version(std::string_view a, std::string_view b) {
  const std::vector<int> left = version_numbers(a);
  const std::vector<int> right = version_numbers(b);
  const auto shorter = static_cast<std::ptrdiff_t>(std::min(left.size(), right.size()));
  return shorter > 0 && std::equal(left.begin(), left.begin() + shorter, right.begin());
}

}  // namespace upaas::model
