/// What can run apps: definitions as data, so that whoever runs the server adds a runtime without
/// code. The shipped ones are templates/interpreters.yaml; the server's configuration has more
/// under `interpreters`, and an entry TYPE.VERSION there takes the place of the shipped one.
///
/// The form is upaas 2014's (`<type>.<any|version>.{env, settings, packages, uwsgi, actions.setup}`),
/// with what a machine without OS images needs: how to ask for the version, which files of the tree
/// matter. docs/configuration.md is its reference.
///
/// Reading throws Error(config) "FILE:LINE:COLUMN: ...". Pure: files come from the given function.
/// Values are immutable once read: thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/app_spec.h"
#include "model/names.h"
#include "model/yaml_tree.h"

namespace upaas::model {

/// A setting that an interpreter knows.
struct SettingRule {
  enum class Kind { text, path, module };
  Kind kind = Kind::text;
  std::optional<PlainText> otherwise;  // when the app does not give it
  /// Why the text is not one of its kind, or nothing.
  [[nodiscard]] std::optional<std::string> refuse(std::string_view text) const;
};

/// Products of `main` that may be kept for the next build.
struct DependencyRule {
  std::vector<TreePath> keys;  // files whose content decides; absent ones count as absent
  /// Prints further keys, one a line; `.` is the whole tree. When it fails, nothing is kept, and the
  /// last line says why.
  Script refers;
  std::vector<TreePath> paths;  // what is kept
};

struct InterpreterDefinition {
  /// argv that prints the version; empty: the interpreter has none.
  std::vector<std::string> version;
  std::vector<std::string> packages;  // Debian packages that a machine needs
  std::map<EnvName, std::string> env;
  std::map<SettingName, SettingRule> settings;
  /// Becomes the setting NAME = PATH when the tree has PATH once it is set up.
  std::map<SettingName, TreePath> present;
  std::vector<TreePath> path;  // goes in front of PATH when the tree has it
  Script interpreter;          // actions.setup.interpreter
  Script main;                 // actions.setup.main
  Script build;                // actions.setup.build: after main, also when its products were kept
  DependencyRule dependencies;
  std::string plugin;         // uWSGI's; empty: runs only as an HTTP server (`processes.web`)
  std::string template_text;  // lines of the vassal's ini
  Settings vars;              // for the template
};

/// Which settings it has, as a hint: "known are module", "it has none".
[[nodiscard]] std::string known_settings(const InterpreterDefinition& definition);

class Interpreters {
 public:
  /// Reads a template. A definition names it relative to the file that it is in.
  using ReadFile = std::function<std::string(const std::string& path)>;

  /// Adds the definitions of a map `{env: ..., actions: ..., TYPE: {any: ..., "3.1": ...}}`.
  void add(const YamlNode& node, const ReadFile& read_file);

  [[nodiscard]] std::vector<InterpreterName> names() const;
  /// "any" or versions; empty for an unknown interpreter.
  [[nodiscard]] std::vector<std::string> versions(const InterpreterName& name) const;
  /// That of the version, else of "any"; null when there is neither.
  [[nodiscard]] const InterpreterDefinition* find(const InterpreterName& name,
                                                  std::string_view version) const;
  /// For builds of every interpreter.
  std::map<EnvName, std::string> env;
  Script system;    // actions.setup.system: before everything else
  Script finalize;  // actions.setup.finalize: after everything else

 private:
  std::map<InterpreterName, std::map<std::string, InterpreterDefinition>> types_;
};

/// The numbers of a version: {3, 11} of "3.11"; empty when it does not begin with one.
[[nodiscard]] std::vector<int> version_numbers(std::string_view version);
/// Equal as far as the shorter one goes: "3" is "3.11" (upaas 2014).
[[nodiscard]] bool same_version(std::string_view a, std::string_view b);

}  // namespace upaas::model
