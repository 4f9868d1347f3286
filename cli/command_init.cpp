#include "cli/command_init.h"

#include "base/error.h"
#include "base/files.h"
#include "builder/detect.h"
#include "cli/stream.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <ostream>

namespace upaas::cli {
namespace {

namespace fs = std::filesystem;

/// "My App_2" -> "my-app-2"; "app" for what nothing can be made of.
std::string name_from(const std::string& directory) {
  std::string name;
  for (const char c : directory) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (fits) name += c;
    if (c >= 'A' && c <= 'Z') name += static_cast<char>(c - 'A' + 'a');
    if (!fits && !(c >= 'A' && c <= 'Z') && !name.empty() && name.back() != '-') name += '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return model::AppName::from(name) ? name : "app";
}

/// A text that any YAML reader takes as that text.
std::string quoted(const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '/' || c == '-';
  });
  return plain && !text.starts_with('-') ? text : dump_json(text);
}

std::string app_yaml(const std::string& name, const builder::Found& found) {
  std::string text = fmt::format("name: {}\n", name);
  for (const std::string& reason : found.reasons) text += fmt::format("# {}\n", reason);
  if (found.type) text += fmt::format("interpreter:\n  type: {}\n", found.type->str());
  if (!found.settings.empty()) text += "  settings:\n";
  for (const auto& [setting, value] : found.settings)
    text += fmt::format("    {}: {}\n", setting.str(), quoted(value.str()));
  if (found.web) text += fmt::format("processes:\n  web: {}\n", quoted(*found.web));
  return text;
}

}  // namespace

int run_init(Context& context) {
  const std::string given = context.arguments.value("DIRECTORY").value_or(".");
  const fs::path directory = (context.cwd / given).lexically_normal();
  std::error_code none;
  if (!fs::is_directory(directory, none))
    throw Error(ErrorKind::not_found, "there is no directory " + given);
  const fs::path file = directory / "app.yaml";
  const std::string shown = given == "." ? "app.yaml" : (fs::path(given) / "app.yaml").string();
  if (fs::exists(fs::symlink_status(file, none)))
    throw Error(ErrorKind::conflict, shown + " is there already", "edit it, or remove it first");
  const builder::Found found = builder::detect(builder::TreeFiles(directory));
  if (!found.type && !found.web)
    throw Error(ErrorKind::invalid, "nothing here says how to run the app",
                "upaas help init lists what is looked for; docs/app-yaml.md says what to write");
  const std::string name = name_from(fs::canonical(directory).filename().string());
  write_file(file, app_yaml(name, found));
  if (context.format == Format::text) {
    context.out << shown << "\n";
    for (const std::string& reason : found.reasons) context.err << "  " << reason << "\n";
    if (!context.quiet) context.err << "next: upaas deploy " << shown << "\n";
  } else {
    print_json(
        context,
        {{"schema", "upaas.init/v1"}, {"file", shown}, {"app", name}, {"reasons", found.reasons}});
  }
  return 0;
}

}  // namespace upaas::cli
