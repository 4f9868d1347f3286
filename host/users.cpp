#include "host/users.h"

#include "base/error.h"
#include "base/files.h"
#include "model/app_spec.h"

#include <fmt/core.h>

#include <sstream>
#include <system_error>

namespace upaas::host {
namespace {

// Real, effective, saved and file system user (proc(5)). The owner of /proc/PID is not it: that is
// root where a process cannot be dumped.
bool runs_as(const std::filesystem::path& process, model::Uid uid) {
  std::optional<std::string> status;
  try {
    status = read_file_if_any(process / "status");
  } catch (const Error&) {
    return false;  // it ended meanwhile
  }
  std::istringstream lines(status.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("State:\tZ")) return false;
    if (!line.starts_with("Uid:")) continue;
    std::istringstream numbers(line.substr(4));
    for (std::uint32_t number = 0; numbers >> number;) {
      if (number == uid.value) return true;
    }
  }
  return false;
}

}  // namespace

void write_users(const std::filesystem::path& directory, model::Uid uid) {
  // `upaas build` of root's, without a server, may run as root itself.
  const std::string own =
      uid.value == 0 ? ""
                     : fmt::format("app:x:{0}:{0}:app:{1}:/bin/sh\n", uid.value, model::kAppHome);
  const std::string group = uid.value == 0 ? "" : fmt::format("app:x:{}:\n", uid.value);
  const WriteOptions shown{.mode = 0644, .sync = false};
  write_file(directory / "passwd",
             "root:x:0:0:root:/:/bin/sh\n" + own +
                 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
             shown);
  write_file(directory / "group", "root:x:0:\n" + group + "nogroup:x:65534:\n", shown);
}

bool runs_anything(model::Uid uid) {
  std::error_code failed;
  for (std::filesystem::directory_iterator at("/proc", failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().native();
    if (name[0] >= '0' && name[0] <= '9' && runs_as(at->path(), uid)) return true;
  }
  return false;
}

}  // namespace upaas::host
