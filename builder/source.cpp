#include "builder/source.h"

#include "base/error.h"
#include "base/files.h"
#include "bundle/beneath.h"
#include "bundle/entry_rules.h"
#include "bundle/source_archive.h"
#include "model/app_spec.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace upaas::builder {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDestination = "%destination%";

std::string with_destination(std::string line) {
  for (auto at = line.find(kDestination); at != std::string::npos;
       at = line.find(kDestination, at)) {
    line.replace(at, kDestination.size(), model::kAppHome);
    at += model::kAppHome.size();
  }
  return line;
}

void copy_link(int from, int to, const std::string& path) {
  const std::string target = bundle::read_link_at(from, path);
  if (::symlinkat(target.c_str(), to, path.c_str()) != 0)
    throw system_error("make the link " + path);
}

void copy_file(int from, int to, const std::string& path, const std::stop_token& stop) {
  const UniqueFd in = bundle::open_beneath(from, path, O_RDONLY | O_NONBLOCK);
  struct stat info {};
  if (::fstat(in.get(), &info) != 0) throw system_error("stat " + path);
  if (!S_ISREG(info.st_mode)) throw bundle::bad_entry(path, "it changed while it was copied");
  const mode_t mode = (info.st_mode & S_IXUSR) != 0 ? 0755 : 0644;
  const UniqueFd out = bundle::open_beneath(to, path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (::fchmod(out.get(), mode) != 0) throw system_error("chmod " + path);
  std::string buffer;
  while (bundle::read_piece(in.get(), buffer, path, stop))
    bundle::write_piece(out.get(), buffer, path);
}

void copy_source(const fs::path& directory, const std::set<std::string>& leave_out,
                 const fs::path& tree, const std::stop_token& stop) {
  const auto files = bundle::source_files(directory, leave_out);
  const UniqueFd from = bundle::open_root(directory);
  const UniqueFd to = bundle::open_root(tree);
  for (const fs::path& path : files) {
    fs::create_directories((tree / path).parent_path());
    bundle::check_stop(stop);
    struct stat info {};
    if (::fstatat(from.get(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      throw system_error("stat " + path.string());
    }
    if (S_ISLNK(info.st_mode)) {
      copy_link(from.get(), to.get(), path.string());
    } else {
      copy_file(from.get(), to.get(), path.string(), stop);
    }
  }
}

model::Script with_destination(const model::Script& lines) {
  model::Script all;
  for (const std::string& line : lines) all.push_back(with_destination(line));
  return all;
}

Environment repository_environment(const model::Repository& repository, const Commands& commands,
                                   bool fresh) {
  Environment env{{"GIT_TERMINAL_PROMPT", "0"}};
  for (const auto& [name, value] : repository.env) env[name.str()] = value;
  if (fresh) env["UPAAS_FRESH_PACKAGE"] = "true";
  return commands.environment(env);
}

void clone(const model::Repository& repository, const Commands& commands, const fs::path& tree) {
  try {
    commands.script("repository.clone", with_destination(repository.clone),
                    repository_environment(repository, commands, true));
  } catch (Error& error) {
    const bool local = std::any_of(
        repository.clone.begin(), repository.clone.end(),
        [](const std::string& line) { return line.find("file://") != std::string::npos; });
    if (!local) throw;
    throw error.with_hint(
        "a build sees no repository of this machine: clone it over ssh or https, or deploy its "
        "directory as `source`");
  }
  if (fs::is_empty(tree)) {
    throw Error(ErrorKind::build_failed, "repository.clone: it left /home/app empty",
                "clone into %destination%, as in: git clone URL %destination%");
  }
  const auto reserved = tree / model::kReservedDirectory;
  if (fs::exists(fs::symlink_status(reserved))) {
    throw Error(ErrorKind::invalid, "the repository holds '.upaas', which belongs to upaas",
                "take it out of the repository");
  }
}

/// The tree of the last build, updated; else why there is none.
std::optional<Source> update(const Request& request, const Commands& commands,
                             const Workspace& workspace, Cache& cache, std::string& why_not,
                             const std::stop_token& stop) {
  const model::Repository& repository = *request.spec.repository;
  if (repository.update.empty() || request.fresh) return std::nullopt;
  const auto taken = cache.take_tree(repository_ingredients(request), workspace.tree());
  why_not = taken.why_not;
  if (!taken.there) return std::nullopt;
  try {
    commands.script("repository.update", with_destination(repository.update),
                    repository_environment(repository, commands, false));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::build_failed) throw;
    why_not = error.message();
    return std::nullopt;
  }
  const std::string now = tree_digest(workspace.tree(), stop);
  return Source{false, now == taken.left ? taken.source : now};
}

void bring_repository(const Request& request, const Commands& commands, Workspace& workspace) {
  workspace.make_tree();
  workspace.give_tree_away();
  clone(*request.spec.repository, commands, workspace.tree());
}

}  // namespace

Ingredients repository_ingredients(const Request& request) {
  const model::Repository& repository = *request.spec.repository;
  Ingredients made;
  const auto add = [&](const std::string& name, const model::Script& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + '\0';
    made.add(name, text);
  };
  add("repository.clone", repository.clone);
  add("repository.update", repository.update);
  add("actions.setup.before", request.spec.setup.before);
  add("actions.setup.main", request.spec.setup.main);
  add("actions.setup.after", request.spec.setup.after);
  for (const auto& [name, value] : request.spec.env) made.add("env", name.str() + "=" + value);
  if (request.spec.interpreter.type)
    made.add("interpreter.type", request.spec.interpreter.type->str());
  add("interpreter.versions", request.interpreter_version
                                  ? model::Script{*request.interpreter_version}
                                  : request.spec.interpreter.versions);
  return made;
}

Source bring_source(const Request& request, const Commands& commands, Workspace& workspace,
                    Cache& cache, const Progress& progress, const std::stop_token& stop) {
  if (request.source_archive) {
    bundle::unpack_source(*request.source_archive, workspace.tree(), {}, stop);
    workspace.give_tree_away();
  } else if (request.source_directory) {
    workspace.make_tree();
    copy_source(*request.source_directory, request.leave_out, workspace.tree(), stop);
    workspace.give_tree_away();
  } else if (request.spec.repository) {
    std::string why_not;
    if (auto updated = update(request, commands, workspace, cache, why_not, stop))
      return std::move(*updated);
    if (!why_not.empty() && progress.on_reason) progress.on_reason("cloned again: " + why_not);
    bring_repository(request, commands, workspace);
  } else {
    throw Error(ErrorKind::invalid, "there is no source: neither a directory nor a repository");
  }
  return {true, tree_digest(workspace.tree(), stop)};
}

}  // namespace upaas::builder
