#include "builder/tree_files.h"

#include "bundle/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

namespace upaas::builder {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kNamesLimit = 1000;

}  // namespace

TreeFiles::TreeFiles(const std::filesystem::path& tree) : root_(bundle::open_root(tree)) {}

TreeFiles::TreeFiles(const std::filesystem::path& tree, const std::vector<bundle::Entry>& seen)
    : root_(bundle::open_root(tree)), seen_(&seen) {}

bool TreeFiles::sees(const std::string& path) const {
  if (seen_ == nullptr) return true;
  const auto found = std::lower_bound(
      seen_->begin(), seen_->end(), path,
      [](const bundle::Entry& entry, const std::string& name) { return entry.path.str() < name; });
  return found != seen_->end() && found->path.str() == path;
}

mode_t TreeFiles::type_of(const std::string& path) const {
  if (!sees(path)) return 0;
  const UniqueFd fd = bundle::try_open_beneath(root_.get(), path, O_PATH | O_NOFOLLOW);
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return 0;
  return info.st_mode & S_IFMT;
}

bool TreeFiles::has_file(const std::string& path) const {
  return type_of(path) == S_IFREG;
}

bool TreeFiles::has_directory(const std::string& path) const {
  return type_of(path) == S_IFDIR;
}

bool TreeFiles::has(const std::string& path) const {
  return type_of(path) != 0;
}

std::optional<std::string> TreeFiles::text(const std::string& path, std::size_t limit) const {
  if (!has_file(path)) return std::nullopt;
  const UniqueFd fd = bundle::try_open_beneath(root_.get(), path, O_RDONLY | O_NONBLOCK);
  if (!fd.valid()) return std::nullopt;
  std::string all;
  std::string piece;
  while (all.size() < limit && bundle::read_piece(fd.get(), piece, path)) all += piece;
  if (all.size() > limit) all.resize(limit);
  return all;
}

std::vector<std::string> TreeFiles::names(const std::string& path) const {
  UniqueFd fd = bundle::try_open_beneath(root_.get(), path, O_RDONLY | O_DIRECTORY);
  std::vector<std::string> all;
  if (!fd.valid()) return all;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd.get()), ::closedir);
  if (!directory) return all;
  (void)fd.release();
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    const bool seen = sees(path == "." ? name : path + "/" + name);
    if (name != "." && name != ".." && seen) all.push_back(name);
    if (all.size() == kNamesLimit) break;
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace upaas::builder
