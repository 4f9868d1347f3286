/// Writes the entries of an archive into a fresh directory. The caller has checked names, parents,
/// duplicates and links; here nothing is ever overwritten and no link followed all the same.
/// Throws Error(internal).
#pragma once

#include "base/files.h"
#include "model/names.h"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace upaas::bundle {

/// `kept` survives a power cut once `finish` returned; `scratch` may be lost with one.
enum class Durability { kept, scratch };

class TreeWriter {
 public:
  TreeWriter(const std::filesystem::path& root, std::chrono::system_clock::time_point stamp,
             Durability durability);

  void directory(const model::TreePath& path);
  void symlink(const model::TreePath& path, const std::string& target);
  /// A second name for a file that was written before.
  void hard_link(const model::TreePath& path, const model::TreePath& former);
  /// The same file as at this path below `tree`, which stays open until `finish`. It keeps its mtime.
  void link_from(int tree, const model::TreePath& path);
  void begin_file(const model::TreePath& path, bool executable);
  void write(std::string_view piece);
  void end_file();
  /// Files of other trees are linked; directories get their mtimes (which every new entry had
  /// changed); what is kept goes to the disk.
  void finish();

 private:
  /// A file of another tree that is still to be linked: a system call each, so all at once.
  struct Link {
    int tree = -1;
    std::string path;
  };
  void make_links();

  UniqueFd root_;
  timespec stamp_[2];  // access and modification, as utimensat(2) takes them
  Durability durability_;
  std::size_t files_ = 0;
  UniqueFd file_;
  std::string file_path_;
  std::vector<std::string> directories_;
  std::vector<Link> links_;
};

}  // namespace upaas::bundle
