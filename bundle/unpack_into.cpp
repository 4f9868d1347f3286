#include "bundle/unpack_into.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

namespace upaas::bundle {

namespace {

Error exists_already(const std::filesystem::path& destination) {
  return {ErrorKind::conflict, destination.string() + " exists already"};
}

}  // namespace

void unpack_into(const std::filesystem::path& destination,
                 std::chrono::system_clock::time_point stamp, Durability durability,
                 const std::function<void(TreeWriter& writer)>& fill) {
  const auto parent = std::filesystem::absolute(destination).parent_path();
  if (std::filesystem::exists(std::filesystem::symlink_status(destination))) {
    throw exists_already(destination);
  }
  TempDir fresh(parent, ".unpack-");
  TreeWriter writer(fresh.path(), stamp, durability);
  fill(writer);
  if (::chmod(fresh.path().c_str(), 0755) != 0)
    throw system_error("chmod " + fresh.path().string());
  writer.finish();
  fault_point("bundle.unpacked");
  if (::renameat2(AT_FDCWD, fresh.path().c_str(), AT_FDCWD, destination.c_str(),
                  RENAME_NOREPLACE) != 0) {
    throw errno == EEXIST ? exists_already(destination)
                          : system_error("rename to " + destination.string());
  }
  static_cast<void>(fresh.release());
  if (durability == Durability::kept) sync_directory(parent);
}

}  // namespace upaas::bundle
