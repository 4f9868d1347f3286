#include "cli/app_choice.h"

#include "base/error.h"
#include "base/files.h"
#include "model/app_yaml.h"

#include <fmt/core.h>

namespace upaas::cli {
namespace {

namespace fs = std::filesystem;

model::AppName app_name(const std::string& text, const char* from) {
  try {
    return model::AppName(text);
  } catch (Error& error) {
    throw error.within(from);
  }
}

std::optional<model::AppName> app_option(const Context& context) {
  const auto text = context.arguments.value("app");
  return text ? std::optional(app_name(*text, "--app")) : std::nullopt;
}

std::optional<model::AppName> app_variable(const Context& context) {
  const auto text = variable(context.env, "UPAAS_APP");
  return text ? std::optional(app_name(*text, "UPAAS_APP")) : std::nullopt;
}

/// The given FILE, or the nearest: what to read and how to call it.
std::pair<fs::path, std::string> locate(const Context& context) {
  std::error_code ignored;
  if (const auto given = context.arguments.value("FILE")) {
    fs::path path = context.cwd / *given;
    std::string shown = *given;
    if (fs::is_directory(path, ignored)) {
      path /= "app.yaml";
      shown = (fs::path(*given) / "app.yaml").native();
    }
    if (!fs::exists(path, ignored)) {
      throw Error(ErrorKind::invalid, shown + ": there is no such file",
                  "write one: upaas init; check it with: upaas validate FILE");
    }
    return {path, shown};
  }
  const auto nearest = nearest_app_yaml(context.cwd);
  if (!nearest) {
    if (fs::exists(context.cwd / "app.yml", ignored)) {
      throw Error(ErrorKind::invalid, "there is no app.yaml here, but an app.yml",
                  "rename it: mv app.yml app.yaml; or name it: upaas COMMAND app.yml");
    }
    throw Error(ErrorKind::invalid, "there is no app.yaml here or in a directory above",
                "write one: upaas init; or name it: upaas COMMAND path/to/app.yaml");
  }
  return {*nearest, nearest->lexically_relative(context.cwd).native()};
}

/// One that is too long is refused like all that is wrong in it: with a place.
std::string text_of(const fs::path& path, const std::string& shown) {
  try {
    return read_file(path, model::kAppYamlLimit);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) throw;
    throw Error(ErrorKind::invalid, fmt::format("{}:1:1: the file has more than {} bytes", shown,
                                                model::kAppYamlLimit));
  }
}

/// `LINE:COLUMN` of a top-level key in block style; empty when it is not found that way.
std::string place_of(std::string_view text, std::string_view key) {
  std::size_t number = 1;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (line.starts_with(key) && line.substr(key.size()).starts_with(':')) {
      const std::size_t value = line.find_first_not_of(" \t", key.size() + 1);
      return fmt::format("{}:{}", number, (value == std::string_view::npos ? 0 : value) + 1);
    }
    begin = end + 1;
  }
  return {};
}

}  // namespace

std::optional<fs::path> nearest_app_yaml(const fs::path& directory) {
  std::error_code ignored;
  for (fs::path at = directory;; at = at.parent_path()) {
    if (fs::exists(at / "app.yaml", ignored)) return at / "app.yaml";
    if (at == at.parent_path()) return std::nullopt;
  }
}

AppFile read_app_file(const Context& context, const model::Interpreters* interpreters,
                      SafeOptions safe) {
  auto [path, shown] = locate(context);
  std::optional<model::AppName> chosen = app_option(context);
  if (!chosen && !context.arguments.has("FILE")) chosen = app_variable(context);
  std::error_code ignored;
  if (const fs::path real = fs::canonical(path, ignored); !real.empty()) path = real;
  std::string text = text_of(path, shown);
  model::ReadOptions options{.interpreters = interpreters};
  if (safe == SafeOptions::any) options.safe_options = {""};
  model::AppSpec spec = model::read_app_yaml(text, shown, options);
  model::AppName name =
      model::resolve_app_name(spec, chosen, path.parent_path().filename().native());
  return {std::move(path), std::move(shown), std::move(text), std::move(spec), std::move(name)};
}

std::optional<fs::path> source_directory(const AppFile& file) {
  if (file.spec.repository) return std::nullopt;
  const std::string source = file.spec.source.value_or(".");
  fs::path directory = (file.path.parent_path() / source).lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();  // it ended in a slash
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored)) {
    const std::string place = place_of(file.text, "source");
    throw Error(ErrorKind::invalid,
                fmt::format("{}{}{}: source: there is no directory {}", file.shown,
                            place.empty() ? "" : ":", place, directory.native()),
                "source is relative to the app.yaml");
  }
  return directory;
}

std::set<std::string> not_of_the_app(const AppFile& file, const fs::path& directory,
                                     const fs::path& output) {
  std::set<std::string> names{file.name.str() + ".tar.gz"};
  std::error_code none;
  const fs::path root = fs::canonical(directory, none);
  for (const fs::path& path : {file.path, output}) {
    const fs::path whole = path.empty() ? path : fs::weakly_canonical(path, none);
    const std::string relative = whole.lexically_relative(root).native();
    if (!whole.empty() && !relative.starts_with("..")) names.insert(relative);
  }
  return names;
}

namespace {

std::optional<model::AppName> named_app(const Context& context,
                                        const std::optional<std::string>& text) {
  const auto option = app_option(context);
  if (!text) return option ? option : app_variable(context);
  const model::AppName argument = app_name(*text, "APP");
  if (option && *option != argument) {
    throw Error(
        ErrorKind::invalid,
        fmt::format("two apps are named: '{}' and --app '{}'", argument.str(), option->str()),
        "name one");
  }
  return argument;
}

model::AppName choose_app(const Context& context, const std::optional<std::string>& text) {
  if (auto named = named_app(context, text)) return *named;
  const auto nearest = nearest_app_yaml(context.cwd);
  if (!nearest) {
    throw Error(
        ErrorKind::invalid, "which app?",
        "name it after the command or with -a APP, or set UPAAS_APP; all: upaas apps; a first "
        "one: upaas init");
  }
  return read_app_file(context).name;
}

}  // namespace

std::optional<model::AppName> named_app(const Context& context) {
  return named_app(context, context.arguments.value("APP"));
}

model::AppName choose_app(const Context& context) {
  return choose_app(context, context.arguments.value("APP"));
}

AppAnd choose_app_and(const Context& context, std::string_view second,
                      const std::function<bool(std::string_view)>& is_second) {
  const auto first = context.arguments.value("APP");
  const auto other = context.arguments.value(second);
  if (!other && first && is_second(*first)) return {choose_app(context, std::nullopt), first};
  return {choose_app(context, first), other};
}

}  // namespace upaas::cli
