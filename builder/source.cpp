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

#include <filesystem>
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

void copy_file(int from, int to, const std::string& path) {
  const UniqueFd in = bundle::open_beneath(from, path, O_RDONLY | O_NONBLOCK);
  struct stat info {};
  if (::fstat(in.get(), &info) != 0) throw system_error("stat " + path);
  if (!S_ISREG(info.st_mode)) throw bundle::bad_entry(path, "it changed while it was copied");
  const mode_t mode = (info.st_mode & S_IXUSR) != 0 ? 0755 : 0644;
  const UniqueFd out = bundle::open_beneath(to, path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (::fchmod(out.get(), mode) != 0) throw system_error("chmod " + path);
  std::string buffer;
  while (bundle::read_piece(in.get(), buffer, path)) bundle::write_piece(out.get(), buffer, path);
}

void copy_source(const fs::path& directory, const fs::path& tree) {
  const auto files = bundle::source_files(directory);
  const UniqueFd from = bundle::open_root(directory);
  const UniqueFd to = bundle::open_root(tree);
  for (const fs::path& path : files) {
    fs::create_directories((tree / path).parent_path());
    struct stat info {};
    if (::fstatat(from.get(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      throw system_error("stat " + path.string());
    }
    if (S_ISLNK(info.st_mode)) {
      copy_link(from.get(), to.get(), path.string());
    } else {
      copy_file(from.get(), to.get(), path.string());
    }
  }
}

void clone(const model::Repository& repository, const Commands& commands, const fs::path& tree) {
  Environment env{{"GIT_TERMINAL_PROMPT", "0"}};
  for (const auto& [name, value] : repository.env) env[name.str()] = value;
  model::Script lines;
  for (const std::string& line : repository.clone) lines.push_back(with_destination(line));
  commands.script("repository.clone", lines, commands.environment(env));
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

}  // namespace

void bring_source(const Request& request, const Commands& commands, Workspace& workspace) {
  const fs::path& tree = workspace.tree();
  if (request.source_archive) {
    bundle::unpack_source(*request.source_archive, tree);
    workspace.give_tree_away();
    return;
  }
  workspace.make_tree();
  if (request.source_directory) {
    copy_source(*request.source_directory, tree);
    workspace.give_tree_away();
  } else if (request.spec.repository) {
    workspace.give_tree_away();
    clone(*request.spec.repository, commands, tree);
  } else {
    throw Error(ErrorKind::invalid, "there is no source: neither a directory nor a repository");
  }
}

}  // namespace upaas::builder
